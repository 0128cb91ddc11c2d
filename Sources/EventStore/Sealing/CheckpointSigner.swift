public import Postgres

/// Signs the head of the log.
///
/// A head that can be read is committed, so that nothing is signed which a crash could take back; and none is signed
/// that doesn't begin with what was signed before.
public struct CheckpointSigner: Sendable {
  private let key: CheckpointKey

  public init(key: CheckpointKey) {
    self.key = key
  }

  /// Signs the head if there is something since the newest checkpoint, all in one transaction.
  ///
  /// - Returns: the newest checkpoint; nil while there is nothing to sign, for the book hasn't been opened.
  /// - Throws: `CheckpointLeaseLost`; `BrokenTree` or `TileFault` when the log isn't what was signed before; what the
  ///   session throws.
  public func sign(_ lease: CheckpointLease, renewingFor duration: Duration, _ session: Session) throws
    -> StoredCheckpoint?
  {
    try session.transaction {
      // First, so that signers take turns from here on.
      try lease.renew(for: duration, session)
      let head = try SealedHead.read(session)
      let newest = try CheckpointTable.newest(session)
      guard let origin = head.origin, head.size > 0 else { return newest }
      if let newest {
        try check(newest, against: head, session)
        if newest.size == head.size { return newest }
      }
      let checkpoint = Checkpoint(origin: origin, size: head.size, root: head.root)
      let note = try key.sign(checkpoint).note
      try CheckpointTable.insert(checkpoint, note: note, incarnation: head.incarnation, session)
      return try CheckpointTable.newest(session)
    }
  }

  private func check(_ newest: StoredCheckpoint, against head: SealedHead, _ session: Session) throws {
    guard newest.size <= head.size else {
      throw BrokenTree("a checkpoint of \(newest.size) events was signed, and the log has \(head.size)")
    }
    let proof = try SealedLog.consistency(from: newest.size, to: head.size) { try TileTable.read($0, session) }
    guard proof.root1 == newest.root, proof.root2 == head.root else {
      throw BrokenTree("the log doesn't begin with the \(newest.size) events that were signed")
    }
  }
}
