/// What went wrong between this process and Postgres, whichever side found it.
///
/// No message ever holds a password: a connection string that can't be parsed isn't quoted, and the password in use is
/// struck out of whatever libpq says.
public struct PostgresError: Error, Sendable, Equatable {
  /// Who found the fault, and so what can be done about it.
  public enum Kind: String, Sendable, Equatable {
    /// The server refused a statement: see `sqlState`.
    case server
    /// No session could be established.
    case connectFailed
    /// The session was established and is gone: the server restarted, the backend was terminated, the network broke.
    case connectionLost
    /// A deadline of this process passed. The server's own time-outs are `server` with SQLSTATE 57014 or 55P03.
    case timeout
    /// Somebody called `Interrupt.cancel()`, or cancelled the Swift task.
    case cancelled
    /// An earlier statement of the same pipeline failed, so this one didn't run.
    case pipelineAborted
    /// The pool has no connection to lend, and enough callers wait for one already, or this one has waited long enough.
    case poolExhausted
    /// The pool has been shut down.
    case poolShutDown
    /// A value that came back isn't of the type asked for, is NULL, or is out of the range of the Swift type.
    case decoding
    /// A value can't be sent: U+0000 in a text, a moment that Postgres can't hold, a gigabyte.
    case encoding
    /// The call makes no sense in the session's state; a fault of the program.
    case misuse
    /// The operating system gave no thread or no file descriptor.
    case system
  }

  public var kind: Kind
  /// Five characters, as in appendix A of Postgres' manual; only when the server sent one.
  public var sqlState: String?
  /// `ERROR`, `FATAL`, `PANIC`, never translated; only when the server sent one.
  public var severity: String?
  public var message: String
  public var detail: String?
  public var hint: String?
  public var schema: String?
  public var table: String?
  public var column: String?
  public var constraint: String?
  /// Where in the statement, in characters from 1.
  public var position: Int?
  /// The function in the server's source that raised it, which tells apart faults that share an SQLSTATE.
  public var routine: String?
  /// The session can't be used any more. A pool replaces it by itself.
  public var isFatal: Bool
  /// A statement may have been sent and no answer came. Whether it took effect, a COMMIT above all, is to be looked up.
  public var isOutcomeUnknown: Bool

  public init(
    _ kind: Kind, _ message: String, sqlState: String? = nil, isFatal: Bool = false, isOutcomeUnknown: Bool = false
  ) {
    self.kind = kind
    self.message = message
    self.sqlState = sqlState
    self.isFatal = isFatal
    self.isOutcomeUnknown = isOutcomeUnknown
  }

  /// The same transaction, begun anew, may well succeed. Where `isOutcomeUnknown` is set too, first find out whether it
  /// already has.
  public var isRetryable: Bool {
    switch kind {
    case .connectFailed, .connectionLost, .timeout, .poolExhausted, .system: true
    case .server: PostgresError.isTransient(sqlState: sqlState, routine: routine)
    case .cancelled, .pipelineAborted, .poolShutDown, .decoding, .encoding, .misuse: false
    }
  }

  /// The states that pass by themselves: serialisation failure and deadlock, a lock or statement time-out, too few
  /// resources, a server on its way down or up, and a prepared plan that a change of schema has overtaken.
  private static func isTransient(sqlState: String?, routine: String?) -> Bool {
    guard let sqlState else { return false }
    switch sqlState {
    case "40001", "40P01", "55P03", "57014", "26000": return true
    case "0A000": return routine == "RevalidateCachedQuery"
    default: return ["08", "53", "57"].contains(sqlState.prefix(2))
    }
  }
}

extension PostgresError: CustomStringConvertible {
  public var description: String {
    var text = "\(kind.rawValue): \(message)"
    if let sqlState { text += " (SQLSTATE \(sqlState))" }
    if let constraint { text += " [constraint \(constraint)]" }
    if let detail { text += "; \(detail)" }
    if isFatal { text += "; the session is lost" }
    return text
  }
}
