/// Whose a limit or a score is.
public enum SubjectKind: String, Hashable, Sendable, CaseIterable {
  case customer, account
}

/// A customer or an account that a command named, resolved.
public struct ResolvedSubject: Hashable, Sendable {
  public var kind: SubjectKind
  public var id: Identifier
  /// The account number, where the command gave one.
  public var number: AccountNumber?

  public init(_ kind: SubjectKind, _ id: Identifier, from reference: AccountReference) {
    self.kind = kind
    self.id = id
    if case .number(let number) = reference { self.number = number }
  }

  /// How the command named it.
  public var reference: AccountReference {
    if let number { .number(number) } else { .id(id) }
  }

  public var stream: StreamID { StreamID(kind == .customer ? .customer : .account, id) }

  init(from object: inout JSONObject) throws(JSONFault) {
    kind = try object.required("subject_kind").choice(SubjectKind.self)
    let resolved = try ResolvedAccount(from: &object, id: "subject_id", number: "subject_number")
    id = resolved.id
    number = resolved.number
  }

  func write(to writer: inout RecordWriter) {
    writer.json.field("subject_kind", kind.rawValue)
    ResolvedAccount(id, number: number).write(to: &writer, id: "subject_id", number: "subject_number")
  }
}

/// A limit of a customer or an account was set or lifted.
public struct LimitSet: EventContent {
  public static let type: StaticString = "LimitSet"
  public var subject: ResolvedSubject
  public var kind: LimitKind
  /// Minor units; nil when the limit was lifted.
  public var amount: MinorUnits?
  public var currency: Currency

  public init(_ instruction: SetLimit, subject: ResolvedSubject) {
    self.subject = subject
    kind = instruction.kind
    amount = instruction.amount
    currency = instruction.currency
  }

  /// What the command said.
  public var instruction: SetLimit {
    SetLimit(subject: subject.reference, kind: kind, amount: amount, currency: currency)
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    subject = try ResolvedSubject(from: &object)
    kind = try object.required("kind").choice(LimitKind.self)
    amount = try object.nullable("amount")?.minorUnits()
    currency = try object.required("currency").currency()
  }

  public func write(to writer: inout RecordWriter) {
    subject.write(to: &writer)
    writer.json.field("kind", kind.rawValue)
    if let amount {
      writer.json.field("amount", amount: amount)
    } else {
      writer.json.key("amount")
      writer.json.null()
    }
    writer.json.field("currency", currency)
  }

  public func stream(command: CommandID) -> StreamID { subject.stream }
}

/// Somebody wants a policy changed; a second person decides.
public struct PolicyChangeProposed: EventContent {
  public static let type: StaticString = "PolicyChangeProposed"
  public var bookID: Identifier
  public var change: PolicyChange

  public init(bookID: Identifier, change: PolicyChange) {
    self.bookID = bookID
    self.change = change
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    bookID = try object.required("book_id").identifier()
    change = try PolicyChange(from: &object)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("book_id", bookID)
    change.write(to: &writer)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.book, bookID) }
}

/// A policy has another value from here on.
public struct PolicySet: EventContent {
  public static let type: StaticString = "PolicySet"
  public var bookID: Identifier
  public var change: PolicyChange
  public var approval: ApprovalNote

  public init(bookID: Identifier, change: PolicyChange, approval: ApprovalNote) {
    self.bookID = bookID
    self.change = change
    self.approval = approval
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    bookID = try object.required("book_id").identifier()
    change = try PolicyChange(from: &object)
    approval = try ApprovalNote(from: try object.required("approval"), in: context)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("book_id", bookID)
    change.write(to: &writer)
    writer.field(approval: approval)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.book, bookID) }
}

/// What waited for a second person won't happen: that person said no, or said yes and a check failed by then.
public struct ApprovalRejected: EventContent {
  public static let type: StaticString = "ApprovalRejected"

  public enum Cause: String, Hashable, Sendable, CaseIterable {
    case rejected
    /// It was approved, and no longer passed.
    case checksFailed = "checks_failed"
  }

  public var note: ApprovalNote
  public var cause: Cause
  /// The first check that failed, when that was the cause.
  public var code: RejectionCode?
  public var checks: [Check]
  /// The stream of what waited.
  public var subject: StreamID

  public init(
    note: ApprovalNote, cause: Cause, code: RejectionCode? = nil, checks: [Check] = [], subject: StreamID
  ) {
    self.note = note
    self.cause = cause
    self.code = code
    self.checks = checks
    self.subject = subject
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    note = try ApprovalNote(from: try object.required("approval"), in: context)
    cause = try object.required("cause").choice(Cause.self)
    code = try object.optional("code")?.choice(RejectionCode.self)
    checks = try object.checks()
    subject = StreamID(
      try object.required("subject_kind").choice(StreamKind.self), try object.required("subject_id").identifier())
  }

  public func write(to writer: inout RecordWriter) {
    writer.field(approval: note)
    writer.json.field("cause", cause.rawValue)
    writer.json.field("code", code?.rawValue)
    writer.json.field(checks: checks)
    writer.json.field("subject_kind", subject.kind.rawValue)
    writer.json.field("subject_id", subject.id)
  }

  public func stream(command: CommandID) -> StreamID { subject }
}

/// A command that changed nothing, with what it said and why it was declined.
public struct CommandDeclined: EventContent {
  public static let type: StaticString = "CommandDeclined"
  public var instruction: Instruction
  public var code: RejectionCode
  public var checks: [Check]

  public init(instruction: Instruction, code: RejectionCode, checks: [Check]) {
    self.instruction = instruction
    self.code = code
    self.checks = checks
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try Instruction(recordedIn: &object, context)
    code = try object.required("code").choice(RejectionCode.self)
    checks = try object.checks()
  }

  public func write(to writer: inout RecordWriter) {
    instruction.writeRecorded(to: &writer)
    writer.json.field("code", code.rawValue)
    writer.json.field(checks: checks)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.command, command) }
}

/// Somebody known gave a command, or asked to see something, that isn't theirs to give or see.
public struct AccessRefused: EventContent {
  public static let type: StaticString = "AccessRefused"
  public var instruction: Instruction

  public init(instruction: Instruction) { self.instruction = instruction }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try Instruction(recordedIn: &object, context)
  }

  public func write(to writer: inout RecordWriter) { instruction.writeRecorded(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.command, command) }
}

/// A person of the bank saw a customer's data.
public struct CustomerDataRead: EventContent {
  public static let type: StaticString = "CustomerDataRead"
  public var instruction: RecordDataRead

  public init(instruction: RecordDataRead) { self.instruction = instruction }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try RecordDataRead(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { instruction.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.command, command) }
}

extension Instruction {
  /// Reads what `writeRecorded` wrote.
  init(recordedIn object: inout JSONObject, _ context: ReadingContext) throws(JSONFault) {
    let name = try object.required("command")
    guard
      let instruction = try Instruction(
        name: try name.string(maxLength: FieldLimit.code), from: try object.required("data"), in: context)
    else { throw name.fault("is not the name of a command") }
    self = instruction
  }

  /// Writes the whole command as the members `command` and `data`.
  func writeRecorded(to writer: inout RecordWriter) {
    writer.json.field("command", name)
    writer.json.key("data")
    writer.json.beginObject()
    write(to: &writer)
    writer.json.endObject()
  }
}
