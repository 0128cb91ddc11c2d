/// Reserves money on an account: it can't be spent, and hasn't left.
public struct PlaceHold: InstructionContent {
  public static let name: StaticString = "PlaceHold"

  public var holdID: HoldID
  public var account: AccountReference
  /// Minor units, greater than zero.
  public var amount: MinorUnits
  public var currency: Currency
  /// From this moment on it can't be captured; nil for a hold that doesn't expire.
  public var expiresAt: Moment?

  public init(
    holdID: HoldID, account: AccountReference, amount: MinorUnits, currency: Currency, expiresAt: Moment? = nil
  ) {
    self.holdID = holdID
    self.account = account
    self.amount = amount
    self.currency = currency
    self.expiresAt = expiresAt
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    holdID = try object.optional("hold_id")?.identifier() ?? context.command
    account = try object.required("account_id").accountReference()
    amount = try object.required("amount").amount()
    currency = try object.required("currency").currency()
    expiresAt = try object.optional("expires_at")?.moment()
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("hold_id", holdID)
    writer.field("account_id", account)
    writer.json.field("amount", amount: amount)
    writer.json.field("currency", currency)
    writer.json.field("expires_at", expiresAt)
  }
}

/// Moves held money, all of it or a part, to the account that it was held for; the rest is released.
public struct CaptureHold: InstructionContent {
  public static let name: StaticString = "CaptureHold"

  public var holdID: HoldID
  public var credit: AccountReference
  /// Minor units; nil for all that is held.
  public var amount: MinorUnits?

  public init(holdID: HoldID, credit: AccountReference, amount: MinorUnits? = nil) {
    self.holdID = holdID
    self.credit = credit
    self.amount = amount
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    holdID = try object.required("hold_id").identifier()
    credit = try object.required("credit_account_id").accountReference()
    amount = try object.optional("amount")?.amount()
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("hold_id", holdID)
    writer.field("credit_account_id", credit)
    writer.json.field("amount", amount: amount)
  }
}

/// Gives held money back to its account.
public struct ReleaseHold: InstructionContent {
  public static let name: StaticString = "ReleaseHold"
  public var holdID: HoldID
  public var reason: PersonalText?

  public init(holdID: HoldID, reason: PersonalText? = nil) {
    self.holdID = holdID
    self.reason = reason
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    holdID = try object.required("hold_id").identifier()
    reason = try object.personalText("reason", in: context)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("hold_id", holdID)
    writer.field("reason", personal: reason)
  }
}

/// Gives held money back because its time has come. Too early, it is answered `not_due` and not recorded.
public struct ExpireHold: InstructionContent {
  public static let name: StaticString = "ExpireHold"
  public var holdID: HoldID

  public init(holdID: HoldID) { self.holdID = holdID }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    holdID = try object.required("hold_id").identifier()
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("hold_id", holdID)
  }
}
