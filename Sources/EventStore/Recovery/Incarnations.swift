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
  /// Takes the head's lock, so that no batch is half in the old history. Needs the schema's owner.
  ///
  /// - Parameter reason: for people, such as "restored to 2026-03-01T12:00:00Z".
  /// - Throws: what the session throws; nothing has changed then.
  public static func begin(reason: String, _ session: Session) throws -> Beginning {
    try session.transaction {
      let head = try LogHead(session.execute(LogHead.lock))
      let beginning = Beginning(incarnation: head.incarnation + 1, beginsAfter: head.position)
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

  /// Up to which position the log is as it was in an earlier history.
  ///
  /// - Parameter incarnation: the history that somebody read.
  /// - Returns: nil when all of that history is still there.
  public static func kept(of incarnation: Int, _ session: Session) throws -> Int64? {
    let rows = try session.execute(
      "select min(begins_after) from incarnations where incarnation > $1", [.int4(Int32(clamping: incarnation))])
    return try rows.int8OrNil(0, 0)
  }
}
