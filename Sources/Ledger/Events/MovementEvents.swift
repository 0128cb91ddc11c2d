/// What a transfer moves, with its accounts resolved.
public struct TransferTerms: Hashable, Sendable {
  public var transferID: TransferID
  public var debit: ResolvedAccount
  public var credit: ResolvedAccount
  /// Minor units, greater than zero.
  public var amount: MinorUnits
  public var currency: Currency
  public var reference: PersonalText?
  public var channel: Channel?
  public var valueDate: CalendarDate?
  public var occurredAt: Moment?

  public init(_ instruction: PostTransfer, debit: AccountID, credit: AccountID) {
    transferID = instruction.transferID
    self.debit = ResolvedAccount(debit, from: instruction.debit)
    self.credit = ResolvedAccount(credit, from: instruction.credit)
    amount = instruction.amount
    currency = instruction.currency
    reference = instruction.reference
    channel = instruction.channel
    valueDate = instruction.valueDate
    occurredAt = instruction.occurredAt
  }

  /// What the command said.
  public var instruction: PostTransfer {
    PostTransfer(
      transferID: transferID, debit: debit.reference, credit: credit.reference, amount: amount, currency: currency,
      reference: reference, channel: channel, valueDate: valueDate, occurredAt: occurredAt)
  }

  init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    transferID = try object.required("transfer_id").identifier()
    debit = try ResolvedAccount(from: &object, id: "debit_account_id", number: "debit_account_number")
    credit = try ResolvedAccount(from: &object, id: "credit_account_id", number: "credit_account_number")
    amount = try object.required("amount").amount()
    currency = try object.required("currency").currency()
    reference = try object.personalText("reference", in: context)
    channel = try object.optional("channel")?.choice(Channel.self)
    valueDate = try object.optional("value_date")?.date()
    occurredAt = try object.optional("occurred_at")?.moment()
  }

  func write(to writer: inout RecordWriter) {
    writer.json.field("transfer_id", transferID)
    debit.write(to: &writer, id: "debit_account_id", number: "debit_account_number")
    credit.write(to: &writer, id: "credit_account_id", number: "credit_account_number")
    writer.json.field("amount", amount: amount)
    writer.json.field("currency", currency)
    writer.field("reference", personal: reference)
    writer.json.field("channel", channel?.rawValue)
    writer.json.field("value_date", valueDate)
    writer.json.field("occurred_at", occurredAt)
  }
}

/// Money moved from one account to another.
public struct TransferPosted: EventContent {
  public static let type: StaticString = "TransferPosted"
  public var terms: TransferTerms
  public var basis: DecisionBasis
  /// Set when it waited for a second person.
  public var approval: ApprovalNote?

  public init(terms: TransferTerms, basis: DecisionBasis, approval: ApprovalNote? = nil) {
    self.terms = terms
    self.basis = basis
    self.approval = approval
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    terms = try TransferTerms(from: &object, in: context)
    basis = try DecisionBasis(from: &object)
    approval = try object.approval(in: context)
  }

  public func write(to writer: inout RecordWriter) {
    terms.write(to: &writer)
    basis.write(to: &writer)
    writer.field(approval: approval)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.transfer, terms.transferID) }
}

/// Money is reserved and limits are used; a second person decides whether it moves.
public struct TransferHeldForApproval: EventContent {
  public static let type: StaticString = "TransferHeldForApproval"
  public var terms: TransferTerms
  public var basis: DecisionBasis

  public init(terms: TransferTerms, basis: DecisionBasis) {
    self.terms = terms
    self.basis = basis
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    terms = try TransferTerms(from: &object, in: context)
    basis = try DecisionBasis(from: &object)
  }

  public func write(to writer: inout RecordWriter) {
    terms.write(to: &writer)
    basis.write(to: &writer)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.transfer, terms.transferID) }
}

/// A transfer was refused, with everything that was looked at.
public struct TransferDeclined: EventContent {
  public static let type: StaticString = "TransferDeclined"
  public var instruction: PostTransfer
  public var code: RejectionCode
  public var checks: [Check]

  public init(instruction: PostTransfer, code: RejectionCode, checks: [Check]) {
    self.instruction = instruction
    self.code = code
    self.checks = checks
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    instruction = try PostTransfer(from: &object, in: context)
    code = try object.required("code").choice(RejectionCode.self)
    checks = try object.checks()
  }

  public func write(to writer: inout RecordWriter) {
    instruction.write(to: &writer)
    writer.json.field("code", code.rawValue)
    writer.json.field(checks: checks)
  }

  /// A decline under an id of the client's own choice doesn't take that id: the client may ask again.
  public func stream(command: CommandID) -> StreamID {
    StreamID(instruction.transferID == command ? .transfer : .command, command)
  }
}

/// A posted transfer's money went back.
public struct TransferReversed: EventContent {
  public static let type: StaticString = "TransferReversed"
  public var transferID: TransferID
  public var reason: PersonalText
  /// Who gives the money back: the transfer's creditor.
  public var debitAccountID: AccountID
  /// Who has it again: the transfer's debtor.
  public var creditAccountID: AccountID
  public var amount: MinorUnits
  public var currency: Currency
  /// The book date on which the transfer used up limits, which are given back there.
  public var limitsUsedOn: CalendarDate

  public init(
    transferID: TransferID, reason: PersonalText, debitAccountID: AccountID, creditAccountID: AccountID,
    amount: MinorUnits, currency: Currency, limitsUsedOn: CalendarDate
  ) {
    self.transferID = transferID
    self.reason = reason
    self.debitAccountID = debitAccountID
    self.creditAccountID = creditAccountID
    self.amount = amount
    self.currency = currency
    self.limitsUsedOn = limitsUsedOn
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    transferID = try object.required("transfer_id").identifier()
    reason = try object.required("reason").personalText(in: context)
    debitAccountID = try object.required("debit_account_id").identifier()
    creditAccountID = try object.required("credit_account_id").identifier()
    amount = try object.required("amount").amount()
    currency = try object.required("currency").currency()
    limitsUsedOn = try object.required("limits_used_on").date()
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("transfer_id", transferID)
    writer.field("reason", personal: reason)
    writer.json.field("debit_account_id", debitAccountID)
    writer.json.field("credit_account_id", creditAccountID)
    writer.json.field("amount", amount: amount)
    writer.json.field("currency", currency)
    writer.json.field("limits_used_on", limitsUsedOn)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.transfer, transferID) }
}
