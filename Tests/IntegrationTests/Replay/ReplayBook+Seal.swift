import EventStore
import Ledger
import LocalStack
import Postgres

extension ReplayBook {
  /// Signs the head as a server would.
  func sign(_ key: CheckpointKey) async throws -> StoredCheckpoint {
    try await book.recorded.read { session in
      guard let lease = try CheckpointLease.take(owner: Identifier(high: 5, low: 5), for: .seconds(60), session),
        let checkpoint = try CheckpointSigner(key: key).sign(lease, renewingFor: .seconds(60), session)
      else { throw NothingSigned() }
      return checkpoint
    }
  }

  /// Runs `body` on a session of the server's role.
  func recorded<Value: Sendable>(_ body: @Sendable (Session) throws -> Value) async throws -> Value {
    try await book.recorded.read(body)
  }

  struct NothingSigned: Error {}

  /// Runs `body` with a pool of the server's role.
  func withPool<Value>(_ body: (Pool) async throws -> Value) async throws -> Value {
    try await Pool.lend(
      ConnectionConfiguration(conninfo: book.cluster.conninfo(user: LocalStack.serverRole)), maximumSize: 3, to: body)
  }

  /// Exports a range in segments of a few hundred events.
  func export(
    _ range: ClosedRange<Int64>, to folder: String, segmentSize: Int64 = 150
  ) async throws -> [SegmentExport.Written] {
    try await withPool { pool in
      try await SegmentExport(pool: pool, folder: folder, segmentSize: segmentSize).run(range) { last in
        try await pool.run { try SegmentExport.firstCheckpoint(covering: last, $0) }
      }
    }
  }
}
