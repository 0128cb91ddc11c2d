public import Ledger
public import Postgres

/// The histories of a log. A restore to an earlier point and a failover that lost commits begin a new one: the same
/// positions may then hold other events than somebody has seen.
public enum Incarnations {
  /// A new history, and where it begins.
  public struct Beginning: Hashable, Sendable {
    /// From 2 on; the first history has no beginning.
    public var incarnation: Int
    /// The last position that was kept of the history before.
    public var beginsAfter: Int64

    public init(incarnation: Int, beginsAfter: Int64) {
      self.incarnation = incarnation
      self.beginsAfter = beginsAfter
    }
  }

  /// Declares that what stands in the database may be less than what once stood there: the incarnation is raised, and
  /// where the new history begins is recorded.
  ///
  /// A restored database knows only the histories from before its backup. Those that began since, of another restore of
  /// the same backup for one, it must be told of, or their numbers are given twice.
  ///
  /// Takes the head's lock, so that no batch is half in the old history. Needs the schema's owner.
  ///
  /// - Parameters:
  ///   - reason: for people, such as "restored to 2026-03-01T12:00:00Z".
  ///   - checkpoints: what was signed of this book and kept outside, of any incarnation. The caller has looked at the
  ///     signatures.
  ///   - known: the highest incarnation that is known to have been there; 0 when nothing is known.
  /// - Returns: a history with a greater number than the database's own and all of these.
  /// - Throws: `ForeignCheckpoint`, and what the session throws; nothing has changed then.
  public static func begin(
    reason: String, after checkpoints: [Checkpoint] = [], known: Int = 0, _ session: Session
  ) throws -> Beginning {
    try session.transaction {
      let head = try LogHead(session.execute(LogHead.lock))
      let signed = try incarnations(of: checkpoints, session)
      let highest = max(head.incarnation, known, signed.max() ?? 0)
      let beginning = Beginning(incarnation: highest + 1, beginsAfter: head.position)
      try session.execute(
        "insert into incarnations (incarnation, begins_after, batch_id, reason) values ($1, $2, $3, $4)",
        [
          .int4(Int32(clamping: beginning.incarnation)), .int8(beginning.beginsAfter), .uuid(head.batchID),
          .text(reason),
        ])
      try session.execute(
        "update log_head set incarnation = $1", [.int4(Int32(clamping: beginning.incarnation))])
      return beginning
    }
  }

  private static func incarnations(of checkpoints: [Checkpoint], _ session: Session) throws -> [Int] {
    guard !checkpoints.isEmpty else { return [] }
    let book = try SealedHead.read(session).book
    return try checkpoints.map { checkpoint in
      guard let book, let incarnation = checkpoint.incarnation,
        checkpoint.origin == Checkpoint.origin(book: book, incarnation: incarnation)
      else { throw ForeignCheckpoint(origin: checkpoint.origin, book: book) }
      return incarnation
    }
  }

  /// What the log still has of an earlier history.
  public enum Kept: Hashable, Sendable {
    /// All of that history is still there.
    case whole
    case upTo(Int64)
    /// The database knows nothing of that history: it began in another restore of the same backup.
    case unknown
  }

  /// Up to which position the log is as it was in an earlier history.
  ///
  /// - Parameter incarnation: the history that somebody read.
  public static func kept(of incarnation: Int, _ session: Session) throws -> Kept {
    let rows = try session.execute(
      """
      select $1 = 1 or exists (select from incarnations where incarnation = $1),
        (select min(begins_after) from incarnations where incarnation > $1)
      """, [.int4(Int32(clamping: incarnation))])
    guard try rows.bool(0, 0) else { return .unknown }
    return try rows.int8OrNil(0, 1).map { .upTo($0) } ?? .whole
  }
}

/// A checkpoint that says nothing of this book, for it is of another.
public struct ForeignCheckpoint: Error, Hashable, Sendable, CustomStringConvertible {
  public let origin: String
  /// This one; nil while it isn't opened.
  public let book: Identifier?

  public init(origin: String, book: Identifier?) {
    self.origin = origin
    self.book = book
  }

  public var description: String {
    "a checkpoint of \(origin) is not one of this book\(book.map { ", kauri.\($0)" } ?? ", which isn't opened yet")"
  }
}
