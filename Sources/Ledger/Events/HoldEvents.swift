/// Money is reserved on an account.
public struct HoldPlaced: EventContent {
  public static let type: StaticString = "HoldPlaced"
  public var holdID: HoldID
  public var account: ResolvedAccount
  /// Minor units, greater than zero.
  public var amount: MinorUnits
  public var currency: Currency
  public var expiresAt: Moment?
  public var basis: DecisionBasis

  public init(_ instruction: PlaceHold, account: AccountID, basis: DecisionBasis) {
    holdID = instruction.holdID
    self.account = ResolvedAccount(account, from: instruction.account)
    amount = instruction.amount
    currency = instruction.currency
    expiresAt = instruction.expiresAt
    self.basis = basis
  }

  /// What the command said.
  public var instruction: PlaceHold {
    PlaceHold(holdID: holdID, account: account.reference, amount: amount, currency: currency, expiresAt: expiresAt)
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    holdID = try object.required("hold_id").identifier()
    account = try ResolvedAccount(from: &object)
    amount = try object.required("amount").amount()
    currency = try object.required("currency").currency()
    expiresAt = try object.optional("expires_at")?.moment()
    basis = try DecisionBasis(from: &object)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("hold_id", holdID)
    account.write(to: &writer)
    writer.json.field("amount", amount: amount)
    writer.json.field("currency", currency)
    writer.json.field("expires_at", expiresAt)
    basis.write(to: &writer)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.hold, holdID) }
}

/// Held money, all of it or a part, moved to the account that it was held for; the rest was released.
public struct HoldCaptured: EventContent {
  public static let type: StaticString = "HoldCaptured"
  public var holdID: HoldID
  public var debitAccountID: AccountID
  public var credit: ResolvedAccount
  /// What moved, in minor units.
  public var amount: MinorUnits
  /// What went back to the account, in minor units.
  public var released: MinorUnits
  public var currency: Currency
  /// Whether the command named the amount; if not, it asked for all.
  public var amountGiven: Bool
  /// The book date on which the hold used up limits; what is released is given back there.
  public var limitsUsedOn: CalendarDate

  public init(
    _ instruction: CaptureHold, debitAccountID: AccountID, credit: AccountID, amount: MinorUnits, released: MinorUnits,
    currency: Currency, limitsUsedOn: CalendarDate
  ) {
    holdID = instruction.holdID
    self.debitAccountID = debitAccountID
    self.credit = ResolvedAccount(credit, from: instruction.credit)
    self.amount = amount
    self.released = released
    self.currency = currency
    amountGiven = instruction.amount != nil
    self.limitsUsedOn = limitsUsedOn
  }

  /// What the command said.
  public var instruction: CaptureHold {
    CaptureHold(holdID: holdID, credit: credit.reference, amount: amountGiven ? amount : nil)
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    holdID = try object.required("hold_id").identifier()
    debitAccountID = try object.required("debit_account_id").identifier()
    credit = try ResolvedAccount(from: &object, id: "credit_account_id", number: "credit_account_number")
    amount = try object.required("amount").amount()
    released = try object.required("released").minorUnits()
    currency = try object.required("currency").currency()
    amountGiven = try object.required("amount_given").bool()
    limitsUsedOn = try object.required("limits_used_on").date()
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("hold_id", holdID)
    writer.json.field("debit_account_id", debitAccountID)
    credit.write(to: &writer, id: "credit_account_id", number: "credit_account_number")
    writer.json.field("amount", amount: amount)
    writer.json.field("released", amount: released)
    writer.json.field("currency", currency)
    writer.json.field("amount_given", amountGiven)
    writer.json.field("limits_used_on", limitsUsedOn)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.hold, holdID) }
}

/// What goes back to an account when a hold ends without a capture.
public struct HoldReturn: Hashable, Sendable {
  public var holdID: HoldID
  public var accountID: AccountID
  /// Minor units, greater than zero.
  public var amount: MinorUnits
  public var currency: Currency
  /// The book date on which the hold used up limits, which are given back there.
  public var limitsUsedOn: CalendarDate

  public init(
    holdID: HoldID, accountID: AccountID, amount: MinorUnits, currency: Currency, limitsUsedOn: CalendarDate
  ) {
    self.holdID = holdID
    self.accountID = accountID
    self.amount = amount
    self.currency = currency
    self.limitsUsedOn = limitsUsedOn
  }

  init(from object: inout JSONObject) throws(JSONFault) {
    holdID = try object.required("hold_id").identifier()
    accountID = try object.required("account_id").identifier()
    amount = try object.required("amount").amount()
    currency = try object.required("currency").currency()
    limitsUsedOn = try object.required("limits_used_on").date()
  }

  func write(to writer: inout RecordWriter) {
    writer.json.field("hold_id", holdID)
    writer.json.field("account_id", accountID)
    writer.json.field("amount", amount: amount)
    writer.json.field("currency", currency)
    writer.json.field("limits_used_on", limitsUsedOn)
  }
}

/// Somebody gave the held money back.
public struct HoldReleased: EventContent {
  public static let type: StaticString = "HoldReleased"
  public var returned: HoldReturn
  public var reason: PersonalText?

  public init(returned: HoldReturn, reason: PersonalText?) {
    self.returned = returned
    self.reason = reason
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    returned = try HoldReturn(from: &object)
    reason = try object.personalText("reason", in: context)
  }

  public func write(to writer: inout RecordWriter) {
    returned.write(to: &writer)
    writer.field("reason", personal: reason)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.hold, returned.holdID) }
}

/// The hold's time came and the money went back.
public struct HoldExpired: EventContent {
  public static let type: StaticString = "HoldExpired"
  public var returned: HoldReturn

  public init(returned: HoldReturn) { self.returned = returned }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    returned = try HoldReturn(from: &object)
  }

  public func write(to writer: inout RecordWriter) { returned.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { StreamID(.hold, returned.holdID) }
}
