/// The log's first event: the book's time zone, currency, rule set and policies.
public struct BookOpened: EventContent {
  public static let type: StaticString = "BookOpened"
  public var instruction: OpenBook

  public init(instruction: OpenBook) { self.instruction = instruction }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try OpenBook(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { instruction.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.book, instruction.bookID) }
}

/// Somebody wants decisions to follow another set of rules; a second person decides.
public struct RuleSetProposed: EventContent {
  public static let type: StaticString = "RuleSetProposed"
  public var bookID: Identifier
  public var ruleSet: Int

  public init(bookID: Identifier, ruleSet: Int) {
    self.bookID = bookID
    self.ruleSet = ruleSet
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    bookID = try object.required("book_id").identifier()
    ruleSet = Int(try object.required("rule_set").integer(in: 1...Int64(Int32.max)))
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("book_id", bookID)
    writer.json.field("rule_set", integer: Int64(ruleSet))
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.book, bookID) }
}

/// From here on, decisions follow another set of rules.
public struct RuleSetActivated: EventContent {
  public static let type: StaticString = "RuleSetActivated"
  public var bookID: Identifier
  public var ruleSet: Int
  /// Nil where Kauri itself activated it.
  public var approval: ApprovalNote?

  public init(bookID: Identifier, ruleSet: Int, approval: ApprovalNote? = nil) {
    self.bookID = bookID
    self.ruleSet = ruleSet
    self.approval = approval
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    bookID = try object.required("book_id").identifier()
    ruleSet = Int(try object.required("rule_set").integer(in: 1...Int64(Int32.max)))
    if let note = try object.optional("approval") { approval = try ApprovalNote(from: note, in: context) }
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("book_id", bookID)
    writer.json.field("rule_set", integer: Int64(ruleSet))
    writer.field(approval: approval)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.book, bookID) }
}
