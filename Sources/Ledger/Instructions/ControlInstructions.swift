/// Lets what waits for a second person go ahead.
public struct Approve: InstructionContent {
  public static let name: StaticString = "Approve"
  /// The command that waits.
  public var commandID: CommandID
  public var reason: PersonalText?

  public init(commandID: CommandID, reason: PersonalText? = nil) {
    self.commandID = commandID
    self.reason = reason
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    commandID = try object.required("command_id").identifier()
    reason = try object.personalText("reason", in: context)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("command_id", commandID)
    writer.field("reason", personal: reason)
  }
}

/// Stops what waits for a second person.
public struct Reject: InstructionContent {
  public static let name: StaticString = "Reject"
  /// The command that waits.
  public var commandID: CommandID
  public var reason: PersonalText?

  public init(commandID: CommandID, reason: PersonalText? = nil) {
    self.commandID = commandID
    self.reason = reason
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    commandID = try object.required("command_id").identifier()
    reason = try object.personalText("reason", in: context)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("command_id", commandID)
    writer.field("reason", personal: reason)
  }
}

/// What a limit bounds.
public enum LimitKind: String, Hashable, Sendable, CaseIterable {
  case perTransaction = "per_transaction"
  case daily
  /// From Monday.
  case weekly
  /// From the first of the calendar month.
  case monthly
  /// The day of the decision and the 29 before it.
  case rolling30Days = "rolling_30_days"
  /// Above it a second person decides.
  case approvalThreshold = "approval_threshold"
}

/// Sets or lifts a limit of a customer (over all its accounts in the currency) or of one account.
public struct SetLimit: InstructionContent {
  public static let name: StaticString = "SetLimit"

  /// A customer's id, an account's id, or an account number.
  public var subject: AccountReference
  public var kind: LimitKind
  /// Minor units, zero or more; nil (JSON null, never a missing field) lifts the limit.
  public var amount: MinorUnits?
  public var currency: Currency

  public init(subject: AccountReference, kind: LimitKind, amount: MinorUnits?, currency: Currency) {
    self.subject = subject
    self.kind = kind
    self.amount = amount
    self.currency = currency
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    subject = try object.required("subject_id").accountReference()
    kind = try object.required("kind").choice(LimitKind.self)
    if let value = try object.nullable("amount") {
      let amount = try value.minorUnits()
      guard amount >= 0 else { throw value.fault("must be zero or more") }
      self.amount = amount
    }
    currency = try object.required("currency").currency()
  }

  public func write(to writer: inout RecordWriter) {
    writer.field("subject_id", subject)
    writer.json.field("kind", kind.rawValue)
    if let amount {
      writer.json.field("amount", amount: amount)
    } else {
      writer.json.key("amount")
      writer.json.null()
    }
    writer.json.field("currency", currency)
  }
}

/// Proposes another value for one of the book's policies; a second person decides.
public struct SetPolicy: InstructionContent {
  public static let name: StaticString = "SetPolicy"
  public var change: PolicyChange

  public init(change: PolicyChange) { self.change = change }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    change = try PolicyChange(from: &object)
  }

  public func write(to writer: inout RecordWriter) { change.write(to: &writer) }
}

/// Proposes that decisions follow another set of rules; a second person decides. A server that doesn't know the set
/// refuses to write from then on.
public struct ActivateRuleSet: InstructionContent {
  public static let name: StaticString = "ActivateRuleSet"
  public var ruleSet: Int
  /// The newest set that the deciding server's build knows: the server's to say, so it is no part of what the command
  /// says, and is neither read nor written with it. Nil where nobody has looked.
  public var newestKnown: Int?

  public init(ruleSet: Int, newestKnown: Int? = nil) {
    self.ruleSet = ruleSet
    self.newestKnown = newestKnown
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    ruleSet = Int(try object.required("rule_set").integer(in: 1...Int64(Int32.max)))
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("rule_set", integer: Int64(ruleSet))
  }
}
