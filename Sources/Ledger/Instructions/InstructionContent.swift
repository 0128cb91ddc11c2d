/// What one kind of command says, without who says it and under which id.
///
/// The same fields arrive over HTTP, are recorded in the events that they lead to, and are hashed to recognise a
/// repeated command, so each kind reads and writes them in one place.
public protocol InstructionContent: Hashable, Sendable {
  /// The command's name in the contract, `PostTransfer`.
  static var name: StaticString { get }

  /// Reads the fields of `object`; the caller refuses what is left unread.
  ///
  init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault)

  /// Writes the fields as members of an object that the caller has begun, in canonical form: the same content, the same
  /// bytes.
  func write(to writer: inout RecordWriter)
}

/// Where the fields of a command are read from.
public struct ReadingContext: Sendable {
  public enum Source: Sendable {
    /// Somebody outside: personal text is a string, nothing else.
    case client
    /// The log's own payload: personal text may be sealed or erased.
    case log
  }

  /// The command's id, the default of ids that the client left out.
  public let command: CommandID
  public let source: Source

  public init(command: CommandID, source: Source) {
    self.command = command
    self.source = source
  }
}

/// Bounds on what a client may send, in characters unless said otherwise.
public enum FieldLimit {
  public static let name = 200
  public static let text = 500
  public static let code = 64
  public static let postingsPerJournal = 1_000
  public static let entriesPerList = 50_000
  public static let namesPerEntry = 100
}
