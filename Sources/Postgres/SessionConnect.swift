import CLibpq
import Glibc

extension Session {
  /// Opens a connection without ever blocking in libpq, but for the lookup of a host's name.
  static func establish(
    _ configuration: ConnectionConfiguration, _ interrupt: Interrupt, until limit: ContinuousClock.Instant
  ) throws(PostgresError) -> OpaquePointer {
    try checkSyntax(configuration.conninfo)
    guard interrupt.descriptor >= 0 else { throw PostgresError(.system, "no file descriptor", isFatal: true) }
    guard let connection = start(configuration) else {
      throw PostgresError(.system, "no memory for a connection", isFatal: true)
    }
    do throws(PostgresError) {
      try poll(connection, interrupt, until: limit)
    } catch {
      PQfinish(connection)
      throw error
    }
    PQsetnonblocking(connection, 1)
    return connection
  }

  /// libpq's own complaint would quote the string, and with it perhaps a password.
  private static func checkSyntax(_ conninfo: String) throws(PostgresError) {
    guard !conninfo.utf8.contains(0), let options = PQconninfoParse(conninfo, nil) else {
      throw PostgresError(.misuse, "the connection string can't be parsed", isFatal: true)
    }
    PQconninfoFree(options)
  }

  /// What comes before `dbname` gives way to the connection string, what comes after overrides it.
  private static func start(_ configuration: ConnectionConfiguration) -> OpaquePointer? {
    var options = [("dbname", configuration.conninfo)]
    if let timeout = configuration.tcpUserTimeout {
      options.insert(("tcp_user_timeout", String(timeout.milliseconds)), at: 0)
    }
    options.append(("application_name", configuration.applicationName))
    options.append(("client_encoding", "UTF8"))
    let keywords = options.map { strdup($0.0) }
    let values = options.map { strdup($0.1) }
    defer { for text in keywords + values { free(text) } }
    return PQconnectStartParams(
      keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
  }

  private static func poll(
    _ connection: OpaquePointer, _ interrupt: Interrupt, until limit: ContinuousClock.Instant
  ) throws(PostgresError) {
    // A connection begins by wanting to write (manual, 34.1, PQconnectPoll).
    var events = POLLOUT
    if PQstatus(connection) == CONNECTION_BAD { throw connectFailure(connection) }
    while true {
      guard !interrupt.isCancelled else { throw PostgresError(.cancelled, "cancelled", isFatal: true) }
      let socket = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
      switch pollOnce(socket, interrupt, until: limit) {
      case .timedOut:
        throw PostgresError(.timeout, "no connection in time", isFatal: true)
      case .signalled:
        continue
      case .ready:
        switch PQconnectPoll(connection) {
        case PGRES_POLLING_OK: return
        case PGRES_POLLING_READING: events = POLLIN
        case PGRES_POLLING_WRITING: events = POLLOUT
        default: throw connectFailure(connection)
        }
      }
    }
  }

  private static func connectFailure(_ connection: OpaquePointer) -> PostgresError {
    let message = trimmed(PQerrorMessage(connection))
    let password = PQpass(connection).map { String(cString: $0) } ?? ""
    return PostgresError(.connectFailed, message.replacing(password), isFatal: true)
  }

  /// One statement for all settings, or nil when there are none.
  var settingsStatement: String? {
    guard !configuration.settings.isEmpty else { return nil }
    let calls = configuration.settings.sorted { $0.key < $1.key }.map { name, value in
      "set_config(\(quoted(name)), \(quoted(value)), false)"
    }
    return "select " + calls.joined(separator: ", ")
  }

  private func quoted(_ text: String) -> String {
    guard let literal = PQescapeLiteral(connection, text, text.utf8.count) else { return "null" }
    defer { PQfreemem(literal) }
    return String(cString: literal)
  }
}

extension String {
  /// The text with every occurrence of `secret` struck out.
  fileprivate func replacing(_ secret: String) -> String {
    guard !secret.isEmpty else { return self }
    return split(separator: secret, omittingEmptySubsequences: false).joined(separator: "***")
  }
}
