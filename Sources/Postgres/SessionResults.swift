import CLibpq
import Glibc

extension Session {
  /// libpq refuses to send when it finds a fault in the call, or when the connection is gone.
  func check(sent: CInt) throws(PostgresError) {
    guard sent != 1 else { return }
    let message = libpqMessage
    if PQstatus(connection) == CONNECTION_BAD { throw lose(.connectionLost, message) }
    throw PostgresError(.misuse, message)
  }

  /// The next result of the statement in progress, or nil after its last. Sends what is still to be sent and reads
  /// meanwhile; `PQgetResult` is called only when it can't block.
  func nextResult() throws(PostgresError) -> ResultHandle? {
    guard let connection else { return nil }
    while PQisBusy(connection) == 1 {
      let unsent = PQflush(connection)
      // After a failure libpq hands out what it has read so far, the server's last words perhaps, and then an error.
      if unsent < 0 { break }
      try wait(unsent == 1 ? POLLIN | POLLOUT : POLLIN)
      if PQconsumeInput(connection) == 0 { break }
    }
    guard let pointer = PQgetResult(connection) else { return nil }
    return ResultHandle(pointer)
  }

  /// The one result of a statement, or the last of several; everything up to the end of the answer has been read. The
  /// first error is thrown.
  func onlyResult() throws(PostgresError) -> ResultHandle {
    var last: ResultHandle?
    var failure: PostgresError?
    while let result = try nextResult() {
      switch result.status {
      case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE:
        last = consume result
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
        failure = failure ?? PostgresError(.misuse, "COPY goes through copyIn and copyOut")
        try abandonCopy(result.status)
      default:
        failure = failure ?? error(from: result)
      }
    }
    if PQstatus(connection) == CONNECTION_BAD {
      throw lose(failure ?? PostgresError(.connectionLost, libpqMessage))
    }
    if let failure { throw failure.isFatal ? lose(failure) : failure }
    guard let last else { throw lose(.connectionLost, "the server gave no result") }
    return last
  }

  /// What an error result says. Where this side had asked for the cancellation, the error says so.
  func error(from result: borrowing ResultHandle) -> PostgresError { error(at: result.pointer) }

  /// The fields' letters are those of the protocol (manual, 55.8), which libpq's `PG_DIAG_` constants repeat.
  func error(at pointer: OpaquePointer) -> PostgresError {
    func field(_ letter: Unicode.Scalar) -> String? {
      PQresultErrorField(pointer, CInt(letter.value)).map { String(cString: $0) }
    }
    let severity = field("V")
    let message = field("M") ?? Session.trimmed(PQresultErrorMessage(pointer))
    var error = PostgresError(.server, message, sqlState: field("C"))
    error.severity = severity
    error.detail = field("D")
    error.hint = field("H")
    error.schema = field("s")
    error.table = field("t")
    error.column = field("c")
    error.constraint = field("n")
    error.position = field("P").flatMap { Int($0) }
    error.routine = field("R")
    if severity == "FATAL" || severity == "PANIC" || PQstatus(connection) == CONNECTION_BAD {
      error.kind = .connectionLost
      error.isFatal = true
    } else if error.sqlState == "57014", let stop = reasonToStop {
      error.kind = stop == .cancelled ? .cancelled : .timeout
    } else if error.sqlState == nil {
      error.kind = .misuse
    }
    return error
  }

  /// Whether it was this side that asked the server to cancel. Its answer to an interrupt may be here before the
  /// interrupt itself has been noticed.
  private var reasonToStop: Exchange.Stop? {
    guard let exchange else { return nil }
    return exchange.stop ?? (!exchange.isShielded && interrupt.isCancelled ? .cancelled : nil)
  }

  var libpqMessage: String { Session.trimmed(PQerrorMessage(connection)) }

  /// libpq's messages end in a newline and continue on indented lines.
  static func trimmed(_ message: UnsafePointer<CChar>?) -> String {
    guard let message else { return "" }
    return String(cString: message).split(whereSeparator: \.isNewline)
      .map { $0.drop(while: \.isWhitespace) }.joined(separator: " ")
  }
}
