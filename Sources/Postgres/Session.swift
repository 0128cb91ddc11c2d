import CLibpq
import Glibc

/// One libpq connection, used synchronously and from one thread at a time. It isn't Sendable: `Connection` and `Pool`
/// give it a thread.
///
/// Every wait is a poll(2) on the socket and on the interrupt's eventfd, bounded by `deadline` and `queryTimeout`, and
/// reads while it still writes, so that neither side can block the other. After any error the session is usable again
/// or `isBroken`; a broken one stays so.
public final class Session {
  public let configuration: ConnectionConfiguration
  /// Cancels what the session waits for, from any thread.
  public let interrupt: Interrupt
  /// No call waits longer than this; nil leaves it to `queryTimeout`.
  public var deadline: ContinuousClock.Instant?

  var connection: OpaquePointer?
  /// Why the session is no longer usable.
  var loss: PostgresError?
  /// What a backend said as it ended with nothing asked of it.
  var lastWords: PostgresError?
  var exchange: Exchange?
  var statements: StatementCache

  /// Establishes a session, with its settings, within `connectTimeout`.
  /// - Throws: `.connectFailed`, `.timeout`, `.cancelled`; `.misuse` for a connection string that can't be parsed;
  ///   `.server` for a setting that the server refuses.
  public init(_ configuration: ConnectionConfiguration, interrupt: Interrupt? = nil) throws(PostgresError) {
    let interrupt = interrupt ?? Interrupt()
    self.configuration = configuration
    self.interrupt = interrupt
    statements = StatementCache(limit: configuration.statementCacheLimit)
    let limit = ContinuousClock.now + configuration.connectTimeout
    let connection = try Session.establish(configuration, interrupt, until: limit)
    self.connection = connection
    interrupt.attach(CancelRequest(connection))
    receiveNotices()
    deadline = limit
    do throws(PostgresError) {
      if let settings = settingsStatement { try simple(settings) }
    } catch {
      close()
      throw error
    }
    deadline = nil
  }

  deinit { close() }

  /// Ends the session. The server rolls back a transaction that is open. May be called more than once.
  public func close() {
    interrupt.attach(nil)
    if let connection { PQfinish(connection) }
    connection = nil
    loss = loss ?? PostgresError(.misuse, "the session has been closed", isFatal: true)
  }

  // MARK: Statements

  /// A statement for `execute`, known to the server by name. The same text and types give the same statement.
  /// - Throws: `.server` when the server can't parse or plan it.
  public func prepare(_ sql: String, types: [OID] = []) throws(PostgresError) -> Statement {
    let statement = statements.statement(sql, types, owner: ObjectIdentifier(self))
    try ensurePrepared(statement)
    return statement
  }

  /// Runs a prepared statement; parameters and results are in binary.
  public func execute(_ statement: Statement, _ parameters: [Parameter] = []) throws(PostgresError) -> Rows {
    try check(statement)
    try ensurePrepared(statement)
    return try converse { (connection) throws(PostgresError) in
      let sent = try withLibpqParameters(parameters) { values, lengths, formats in
        PQsendQueryPrepared(
          connection, statement.name, CInt(parameters.count), values, lengths, formats, 1)
      }
      try self.check(sent: sent)
      do throws(PostgresError) {
        return try self.checkCommit(Rows(self.onlyResult()), statement.isCommit)
      } catch {
        self.forgetIfStale(statement, error)
        throw error
      }
    }
  }

  /// Runs a statement, which is prepared on its first use and kept by its text and its parameters' types.
  @discardableResult
  public func execute(_ sql: String, _ parameters: [Parameter] = []) throws(PostgresError) -> Rows {
    try execute(statements.statement(sql, parameters.map(\.type), owner: ObjectIdentifier(self)), parameters)
  }

  /// Runs one or more statements in one go, without parameters, and drops their rows. Several are one transaction
  /// unless they say BEGIN and COMMIT themselves.
  public func simple(_ sql: String) throws(PostgresError) {
    try simple(sql, shielded: false)
  }

  func simple(_ sql: String, shielded: Bool) throws(PostgresError) {
    guard !sql.utf8.contains(0) else { throw PostgresError(.encoding, "U+0000 in a statement") }
    try converse(shielded: shielded) { (connection) throws(PostgresError) in
      try self.check(sent: PQsendQuery(connection, sql))
      let tag = try self.onlyResult().commandTag
      if tag == "ROLLBACK", Statement.isCommit(sql) { throw PostgresError.commitRolledBack }
    }
  }

  // MARK: State

  public enum TransactionStatus: Sendable, Equatable {
    case idle, active, inTransaction, inFailedTransaction, unknown
  }

  public var transactionStatus: TransactionStatus {
    switch PQtransactionStatus(connection) {
    case PQTRANS_IDLE: .idle
    case PQTRANS_ACTIVE: .active
    case PQTRANS_INTRANS: .inTransaction
    case PQTRANS_INERROR: .inFailedTransaction
    default: .unknown
    }
  }

  /// The session can't be used any more.
  public var isBroken: Bool { loss != nil }

  /// The process id of the server's backend, as `pg_terminate_backend` takes it; 0 once the session is lost.
  public var backendPID: Int32 { PQbackendPID(connection) }

  /// Major version × 10,000 + minor; 0 once the session is lost.
  public var serverVersion: Int { Int(PQserverVersion(connection)) }

  /// One of the settings that the server reports by itself: `server_encoding`, `TimeZone`, `in_hot_standby`, …
  public func parameter(_ name: String) -> String? {
    PQparameterStatus(connection, name).map { String(cString: $0) }
  }
}

// MARK: - Prepared statements

extension Session {
  func check(_ statement: Statement) throws(PostgresError) {
    guard statement.owner == ObjectIdentifier(self) else {
      throw PostgresError(.misuse, "the statement was prepared by another session")
    }
  }

  private func ensurePrepared(_ statement: Statement) throws(PostgresError) {
    guard statement.name == nil else { return }
    guard !statement.sql.utf8.contains(0) else { throw PostgresError(.encoding, "U+0000 in a statement") }
    try dropAbandonedStatements()
    let name = statements.nextName()
    try converse { (connection) throws(PostgresError) in
      try self.check(sent: self.sendPrepare(statement, name, connection))
      _ = try self.onlyResult()
    }
    statement.name = name
  }

  func sendPrepare(_ statement: Statement, _ name: String, _ connection: OpaquePointer) -> CInt {
    let types = statement.types.map(\.rawValue)
    return PQsendPrepare(connection, name, statement.sql, CInt(types.count), types)
  }

  /// In a failed transaction the server would refuse it, so they wait for the next occasion.
  private func dropAbandonedStatements() throws(PostgresError) {
    guard !statements.abandoned.isEmpty, transactionStatus != .inFailedTransaction else { return }
    try simple(statements.takeAbandoned().map { "deallocate \($0);" }.joined())
  }

  /// Somebody deallocated the statement, or a change of schema overtook its plan: prepare it anew the next time.
  func forgetIfStale(_ statement: Statement, _ error: PostgresError) {
    if error.sqlState == "26000" {
      statement.name = nil
    } else if error.routine == "RevalidateCachedQuery" {
      statements.forget(statement)
    }
  }

  func checkCommit(_ rows: Rows, _ isCommit: Bool) throws(PostgresError) -> Rows {
    if isCommit, rows.commandTag == "ROLLBACK" { throw PostgresError.commitRolledBack }
    return rows
  }
}

extension PostgresError {
  /// The server answers COMMIT of a failed transaction with a ROLLBACK, and no error.
  static var commitRolledBack: PostgresError {
    PostgresError(
      .server, "the transaction had failed, so COMMIT rolled it back", sqlState: "25P02")
  }
}
