import Postgres

/// Ends the sessions of writers that hold the head's lock and have stopped.
///
/// A writer sends a batch and waits for the server; a server that waits for the writer in the middle of a transaction
/// has a writer that was stopped (a frozen process, a lost machine). Postgres' own time-out for idle transactions
/// doesn't see one that froze in the middle of a pipeline, because the session counts as active until the pipeline's
/// end.
enum FrozenWriters {
  /// All writers' sessions have this name, which is how they find each other.
  static let applicationName = "kauri writer"

  /// - Returns: how many were ended.
  static func end(silentFor: Duration, _ session: Session) throws -> Int {
    let rows = try session.execute(
      """
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = $1 and pid <> pg_backend_pid()
        and xact_start < clock_timestamp() - make_interval(secs => $2)
        and wait_event_type = 'Client' and wait_event = 'ClientRead'
      """,
      [.text(applicationName), .float8(Double(silentFor.components.seconds))])
    return rows.count
  }
}
