import Postgres

/// Ends the sessions of writers that hold the head's lock and have stopped.
///
/// A writer sends a batch and reads what comes back; a server that waits for the writer in the middle of a transaction,
/// for what it sends or for it to read, has a writer that was stopped (a frozen process, a lost machine). Postgres' own
/// time-outs don't see one that froze in the middle of a pipeline, because the session counts as active until the
/// pipeline's end, and none of them ends a session that can't send.
///
/// One look isn't enough: a writer that is busy deciding keeps the server waiting too. So it is a session that has begun
/// nothing for some time, twice.
struct FrozenWriters {
  /// All writers' sessions have this name, which is how they find each other.
  static let applicationName = "kauri writer"
  /// Between the two looks.
  static let pause: Duration = .milliseconds(300)

  private static let waiting = """
    a.datname = current_database() and a.application_name = $1 and a.pid <> pg_backend_pid()
    and a.xact_start is not null and a.wait_event_type = 'Client' and a.wait_event in ('ClientRead', 'ClientWrite')
    and greatest(a.query_start, a.state_change) < clock_timestamp() - make_interval(secs => $2)
    """

  private let silentFor: Double
  private var processes = ArrayBuilder.int4()
  /// When each began what it has not got on with.
  private var since = ArrayBuilder.timestamptz()

  /// The first look.
  init(silentFor: Duration, _ session: Session) throws {
    self.silentFor = silentFor / .seconds(1)
    let rows = try session.execute(
      """
      select a.pid, greatest(a.query_start, a.state_change) from pg_stat_activity a where \(FrozenWriters.waiting)
      """, [.text(FrozenWriters.applicationName), .float8(self.silentFor)])
    for row in 0..<rows.count {
      processes.append(try rows.int4(row, 0))
      since.append(microsecondsSince1970: try rows.timestamptz(row, 1))
    }
  }

  var isEmpty: Bool { processes.count == 0 }

  /// The second look: ends those that still wait where they waited.
  ///
  /// - Returns: how many were ended.
  func end(_ session: Session) throws -> Int {
    try session.execute(
      """
      select pg_terminate_backend(a.pid) from unnest($3::integer[], $4::timestamptz[]) as seen (pid, since)
      join pg_stat_activity a on a.pid = seen.pid and greatest(a.query_start, a.state_change) = seen.since
      where \(FrozenWriters.waiting)
      """, [.text(FrozenWriters.applicationName), .float8(silentFor), processes.parameter, since.parameter]
    ).count
  }
}
