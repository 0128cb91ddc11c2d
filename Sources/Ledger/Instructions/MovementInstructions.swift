/// Moves money from one account to another.
public struct PostTransfer: InstructionContent {
  public static let name: StaticString = "PostTransfer"

  public var transferID: TransferID
  public var debit: AccountReference
  public var credit: AccountReference
  /// Minor units, greater than zero.
  public var amount: MinorUnits
  public var currency: Currency
  public var reference: PersonalText?
  public var channel: Channel?
  /// The business day that the movement counts for, when it isn't the day of the decision.
  public var valueDate: CalendarDate?
  /// When it happened outside.
  public var occurredAt: Moment?

  public init(
    transferID: TransferID, debit: AccountReference, credit: AccountReference, amount: MinorUnits, currency: Currency,
    reference: PersonalText? = nil, channel: Channel? = nil, valueDate: CalendarDate? = nil, occurredAt: Moment? = nil
  ) {
    self.transferID = transferID
    self.debit = debit
    self.credit = credit
    self.amount = amount
    self.currency = currency
    self.reference = reference
    self.channel = channel
    self.valueDate = valueDate
    self.occurredAt = occurredAt
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    transferID = try object.optional("transfer_id")?.identifier() ?? context.command
    debit = try object.required("debit_account_id").accountReference()
    credit = try object.required("credit_account_id").accountReference()
    amount = try object.required("amount").amount()
    currency = try object.required("currency").currency()
    reference = try object.personalText("reference", in: context)
    channel = try object.optional("channel")?.choice(Channel.self)
    valueDate = try object.optional("value_date")?.date()
    occurredAt = try object.optional("occurred_at")?.moment()
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("transfer_id", transferID)
    writer.field("debit_account_id", debit)
    writer.field("credit_account_id", credit)
    writer.json.field("amount", amount: amount)
    writer.json.field("currency", currency)
    writer.field("reference", personal: reference)
    writer.json.field("channel", channel?.rawValue)
    writer.json.field("value_date", valueDate)
    writer.json.field("occurred_at", occurredAt)
  }
}

/// One leg of a journal as it was asked for.
public struct PostingInstruction: Hashable, Sendable {
  public var account: AccountReference
  public var direction: Direction
  /// Minor units, greater than zero.
  public var amount: MinorUnits
  public var currency: Currency

  public init(account: AccountReference, direction: Direction, amount: MinorUnits, currency: Currency) {
    self.account = account
    self.direction = direction
    self.amount = amount
    self.currency = currency
  }

  init(from value: JSONValue) throws(JSONFault) {
    var object = try value.object()
    account = try object.required("account_id").accountReference()
    direction = try object.required("direction").choice(Direction.self)
    amount = try object.required("amount").amount()
    currency = try object.required("currency").currency()
    try object.finish()
  }

  func write(to writer: inout RecordWriter) {
    writer.json.beginObject()
    writer.field("account_id", account)
    writer.json.field("direction", direction.rawValue)
    writer.json.field("amount", amount: amount)
    writer.json.field("currency", currency)
    writer.json.endObject()
  }
}

/// Moves money among any number of accounts at once, in any currencies, each of which sums to zero.
public struct PostJournal: InstructionContent {
  public static let name: StaticString = "PostJournal"

  public var journalID: JournalID
  public var postings: [PostingInstruction]
  public var reference: PersonalText?
  public var valueDate: CalendarDate?

  public init(
    journalID: JournalID, postings: [PostingInstruction], reference: PersonalText? = nil, valueDate: CalendarDate? = nil
  ) {
    self.journalID = journalID
    self.postings = postings
    self.reference = reference
    self.valueDate = valueDate
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    journalID = try object.optional("journal_id")?.identifier() ?? context.command
    let list = try object.required("postings")
    postings = []
    for value in try list.array() { postings.append(try PostingInstruction(from: value)) }
    guard (2...FieldLimit.postingsPerJournal).contains(postings.count) else {
      throw list.fault("must hold 2 to \(FieldLimit.postingsPerJournal) postings")
    }
    reference = try object.personalText("reference", in: context)
    valueDate = try object.optional("value_date")?.date()
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("journal_id", journalID)
    writer.json.key("postings")
    writer.json.beginArray()
    for posting in postings { posting.write(to: &writer) }
    writer.json.endArray()
    writer.field("reference", personal: reference)
    writer.json.field("value_date", valueDate)
  }
}

/// Puts a posted transfer right by moving its money back. The transfer itself stays in the log as it was.
public struct ReverseTransfer: InstructionContent {
  public static let name: StaticString = "ReverseTransfer"

  public var transferID: TransferID
  public var reason: PersonalText

  public init(transferID: TransferID, reason: PersonalText) {
    self.transferID = transferID
    self.reason = reason
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    transferID = try object.required("transfer_id").identifier()
    let value = try object.required("reason")
    reason = try value.personalText(in: context)
    // The log may hold one from before this was asked of clients.
    guard context.source == .log || reason.clearText != "" else { throw value.fault("must not be empty") }
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("transfer_id", transferID)
    writer.field("reason", personal: reason)
  }
}
