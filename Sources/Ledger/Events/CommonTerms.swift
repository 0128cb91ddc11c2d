/// An account that a command named, resolved to its id, with the number where the command gave one.
public struct ResolvedAccount: Hashable, Sendable {
  public var id: AccountID
  public var number: AccountNumber?

  public init(_ id: AccountID, number: AccountNumber? = nil) {
    self.id = id
    self.number = number
  }

  /// - Parameter reference: how the command named the account that has this id.
  public init(_ id: AccountID, from reference: AccountReference) {
    self.id = id
    if case .number(let number) = reference { self.number = number }
  }

  /// How the command named it.
  public var reference: AccountReference {
    if let number { .number(number) } else { .id(id) }
  }

  init(
    from object: inout JSONObject, id: StaticString = "account_id", number: StaticString = "account_number"
  ) throws(JSONFault) {
    self.id = try object.required(id).identifier()
    if let value = try object.optional(number) {
      guard case .number(let number) = try value.accountReference() else {
        throw value.fault("is not an account number")
      }
      self.number = number
    }
  }

  func write(
    to writer: inout RecordWriter, id key: StaticString = "account_id",
    number numberKey: StaticString = "account_number"
  ) {
    writer.json.field(key, id)
    if let number { writer.json.field(numberKey, number.description) }
  }
}

/// What an event says of the approval that let it happen.
public struct ApprovalNote: Hashable, Sendable {
  /// The command that waited.
  public var commandID: CommandID
  /// Who gave it.
  public var maker: Actor
  /// What the second person, who is the event's actor, said.
  public var reason: PersonalText?

  public init(commandID: CommandID, maker: Actor, reason: PersonalText?) {
    self.commandID = commandID
    self.maker = maker
    self.reason = reason
  }

  init(from value: JSONValue, in context: ReadingContext) throws(JSONFault) {
    var object = try value.object()
    commandID = try object.required("command_id").identifier()
    let recorded = try object.required("maker")
    guard let maker = Actor(recorded: try recorded.string()) else { throw recorded.fault("is not an actor") }
    self.maker = maker
    reason = try object.personalText("reason", in: context)
    try object.finish()
  }

  func write(to writer: inout RecordWriter) {
    writer.json.beginObject()
    writer.json.field("command_id", commandID)
    writer.json.field("maker", maker.description)
    writer.field("reason", personal: reason)
    writer.json.endObject()
  }
}

/// What a decision compared, kept with what it decided.
public struct DecisionBasis: Hashable, Sendable {
  /// What was available to the debtor before, in minor units; nil where the account has no floor.
  public var availableBefore: MinorUnits?
  /// Checks that compared figures beyond funds: scores and limits.
  public var checks: [Check]

  public init(availableBefore: MinorUnits? = nil, checks: [Check] = []) {
    self.availableBefore = availableBefore
    self.checks = checks
  }

  init(from object: inout JSONObject) throws(JSONFault) {
    availableBefore = try object.optional("available_before")?.minorUnits()
    checks = try object.checks()
  }

  func write(to writer: inout RecordWriter) {
    writer.json.field("available_before", amount: availableBefore)
    writer.json.field(checks: checks)
  }
}

extension JSONObject {
  mutating func approval(in context: ReadingContext) throws(JSONFault) -> ApprovalNote? {
    guard let value = try optional("approval") else { return nil }
    return try ApprovalNote(from: value, in: context)
  }
}

extension RecordWriter {
  mutating func field(approval: ApprovalNote?) {
    guard let approval else { return }
    json.key("approval")
    approval.write(to: &self)
  }
}
