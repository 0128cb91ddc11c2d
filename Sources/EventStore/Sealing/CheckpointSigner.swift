import Ledger
public import Postgres

/// Signs the head of the log.
///
/// A head that can be read is committed, so that nothing is signed which a crash could take back; and none is signed
/// that doesn't begin with what was signed before, in this incarnation or in an earlier one, of the same book.
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
      try checkBook(of: head, session)
      if let signed = try CheckpointTable.newestBinding(session) { try check(signed, against: head, session) }
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

  /// The book's id is taken from a read model: what the log's own first event says, where it isn't archived yet, must be
  /// the same.
  private func checkBook(of head: SealedHead, _ session: Session) throws {
    let first = try session.execute("select stream_id from events where position = 1 and stream_kind = 'book'")
    guard first.count == 1 else { return }
    let opened = Identifier(halves: try first.uuid(0, 0))
    guard head.book == opened else {
      throw BrokenTree(
        "the log is of the book \(opened), and the read model says \(head.book.map(\.description) ?? "none")")
    }
  }

  private func check(_ newest: StoredCheckpoint, against head: SealedHead, _ session: Session) throws {
    let signed = (try? SignedNote(parsing: newest.note)).flatMap { Checkpoint(text: $0.text) }
    guard let signed, let origin = head.origin, signed.book == Checkpoint.book(of: origin) else {
      throw BrokenTree(
        "the checkpoint of \(newest.size) events isn't one of \(head.origin ?? "a book that isn't open")")
    }
    guard newest.size <= head.size else {
      throw BrokenTree("a checkpoint of \(newest.size) events was signed, and the log has \(head.size)")
    }
    let proof = try SealedLog.consistency(from: newest.size, to: head.size) { try TileTable.read($0, session) }
    guard proof.root1 == newest.root, proof.root2 == head.root else {
      throw BrokenTree("the log doesn't begin with the \(newest.size) events that were signed")
    }
  }
}
