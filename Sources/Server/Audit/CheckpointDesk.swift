import EventStore
import Ledger
import Postgres

/// Gets checkpoints for whoever asks: signs, where this server is the one that does, and otherwise asks the one that
/// is.
///
/// Who signs is settled by a lease in the database. A server without the key never takes it.
actor CheckpointDesk {
  struct Options: Sendable {
    /// How long one that has gone silent keeps others from signing.
    var lease: Duration = .seconds(5)
    /// How long news are gathered before they are signed unasked.
    var interval: Duration = .milliseconds(500)
    /// How long somebody waits who asks.
    var patience: Duration = .seconds(3)
  }

  /// Where the signer is told that somebody waits. Losing a message loses some hundred milliseconds: the signer looks
  /// for itself.
  static let channel = "kauri_checkpoint"

  nonisolated let options: Options
  /// Whether this server may sign at all.
  nonisolated var maySign: Bool { signer != nil }
  private let pool: Pool
  private let signer: CheckpointSigner?
  /// Who this is, for the lease.
  private let owner: Identifier
  private var lease: CheckpointLease?
  private var signing: Task<StoredCheckpoint?, any Error>?

  /// - Parameter signer: nil for a server without the key.
  init(pool: Pool, signer: CheckpointSigner?, owner: Identifier, options: Options = Options()) {
    self.pool = pool
    self.signer = signer
    self.owner = owner
    self.options = options
  }

  /// The newest checkpoint, once it reaches the position.
  ///
  /// - Throws: `CheckpointUnavailable` when it doesn't in time.
  func checkpoint(reaching position: Int64) async throws -> StoredCheckpoint {
    let until = ContinuousClock.now + options.patience
    var hasAsked = false
    while true {
      let newest = try await pool.run { session in try CheckpointTable.newest(session) }
      if let newest, newest.size >= position { return newest }
      guard ContinuousClock.now < until else { throw CheckpointUnavailable() }
      if lease != nil {
        // Several who ask share a signature; where it was begun too early for one of them, the next is for that one.
        if let signed = try await sign(), signed.size >= position { return signed }
      } else {
        if !hasAsked {
          try await pool.run { session in
            _ = try session.execute("select pg_notify($1, '')", [.text(CheckpointDesk.channel)])
          }
          hasAsked = true
        }
        try await Task.sleep(for: .milliseconds(10))
      }
    }
  }

  // MARK: The signer

  /// Becomes the signer, or stays it.
  ///
  /// - Returns: false while somebody else is, and where there is no key.
  func takeLease() async throws -> Bool {
    guard signer != nil else { return false }
    if lease != nil { return true }
    lease = try await pool.run { [owner, duration = options.lease] session in
      try CheckpointLease.take(owner: owner, for: duration, session)
    }
    return lease != nil
  }

  /// Signs what is new, and keeps the lease.
  ///
  /// - Returns: the newest checkpoint; nil when this server isn't the signer, or there is nothing to sign.
  /// - Throws: `BrokenTree` or `TileFault` when the log isn't what was signed before; what the database throws.
  func sign() async throws -> StoredCheckpoint? {
    let task: Task<StoredCheckpoint?, any Error>
    if let signing {
      task = signing
    } else {
      guard let signer, let lease else { return nil }
      task = Task { [pool, duration = options.lease] in
        try await pool.run { session in try signer.sign(lease, renewingFor: duration, session) }
      }
      signing = task
    }
    defer { if signing == task { signing = nil } }
    do {
      return try await task.value
    } catch is CheckpointLeaseLost {
      self.lease = nil
      return nil
    }
  }

  /// Lets another server sign at once. In a task of its own, because whoever calls it may have been cancelled; where it
  /// fails, the lease ends by itself.
  func release() async {
    guard let lease else { return }
    self.lease = nil
    let released = Task { [pool] in try await pool.run { session in try lease.release(session) } }
    _ = await released.result
  }
}
