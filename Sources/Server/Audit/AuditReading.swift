public import EventStore

/// What auditors ask of the log's seal. Faults of the database are `PostgresError`s.
public protocol AuditReading: Sendable {
  /// How many events are sealed, and committed.
  func sealedSize() async throws -> Int64
  /// The newest checkpoint, which holds everything up to `position`: signed now, where there is news.
  ///
  /// - Throws: `CheckpointUnavailable` when nobody signs it in time.
  func checkpoint(reaching position: Int64) async throws -> StoredCheckpoint
  /// - Parameters:
  ///   - position: 1 to `size`.
  ///   - size: events, at most those that are sealed.
  func inclusion(of position: Int64, size: Int64) async throws -> InclusionProof
  /// - Parameters:
  ///   - from: events, 0 to `to`.
  ///   - to: events, at most those that are sealed.
  func consistency(from: Int64, to: Int64) async throws -> ConsistencyProof
  /// The receipt for the events from a position on, which are all there, under the newest checkpoint.
  ///
  /// - Throws: `CheckpointUnavailable`, as above.
  func receipt(from position: Int64, count: Int) async throws -> Receipt
}

/// Nobody signed in time: the server that does has just gone, or no server has the key.
public struct CheckpointUnavailable: Error {
  public init() {}
}
