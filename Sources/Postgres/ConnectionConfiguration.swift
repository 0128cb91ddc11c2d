/// Where Postgres is and how a session with it behaves.
public struct ConnectionConfiguration: Sendable {
  /// A libpq connection string or URI (manual, 34.1.1). Locally no password belongs in it: the unix socket asks for
  /// none.
  public var conninfo: String
  /// As `pg_stat_activity` shows it.
  public var applicationName: String
  /// For the whole of establishing a session, settings included, over all hosts in `conninfo`. Looking a host's name up
  /// isn't bounded by it; that is the system's resolver.
  public var connectTimeout: Duration
  /// The server's settings for the session, by name: `lock_timeout`, `statement_timeout`,
  /// `idle_in_transaction_session_timeout`, `client_connection_check_interval`, `plan_cache_mode`, …
  public var settings: [String: String]
  /// The longest wait for the server's answer to one call, or in a COPY for it to take or give the next piece. Past it
  /// the statement is cancelled, and a server that doesn't react to that within `cancelGrace` either counts as lost.
  /// nil waits for ever, and leaves it to `Session.deadline`.
  public var queryTimeout: Duration?
  /// How long a cancelled statement may take to end before the session is given up.
  public var cancelGrace: Duration
  /// How long sent data may stay unacknowledged by the peer's system (TCP only); `conninfo` may say otherwise.
  public var tcpUserTimeout: Duration?
  /// The prepared statements that a session keeps; beyond that it gives up the one longest unused.
  public var statementCacheLimit: Int

  public init(
    conninfo: String, applicationName: String = "kauri", connectTimeout: Duration = .seconds(5),
    settings: [String: String] = [:], queryTimeout: Duration? = nil, cancelGrace: Duration = .milliseconds(250),
    tcpUserTimeout: Duration? = .seconds(10), statementCacheLimit: Int = 256
  ) {
    self.conninfo = conninfo
    self.applicationName = applicationName
    self.connectTimeout = connectTimeout
    self.settings = settings
    self.queryTimeout = queryTimeout
    self.cancelGrace = cancelGrace
    self.tcpUserTimeout = tcpUserTimeout
    self.statementCacheLimit = statementCacheLimit
  }
}

/// A connection string may hold a password, so neither printing nor dumping shows it.
extension ConnectionConfiguration: CustomStringConvertible, CustomReflectable {
  public var description: String { "ConnectionConfiguration(\(applicationName))" }
  public var customMirror: Mirror { Mirror(self, children: ["applicationName": applicationName]) }
}

extension Duration {
  /// Whole milliseconds, rounded up, as poll(2) wants them.
  var milliseconds: Int {
    let (seconds, attoseconds) = components
    let millisecond: Int64 = 1_000_000_000_000_000
    return Int(clamping: seconds.multipliedReportingOverflow(by: 1000).partialValue)
      + Int((attoseconds + millisecond - 1) / millisecond)
  }
}
