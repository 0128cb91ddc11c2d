/// Whose money an account holds.
public enum AccountKind: String, Hashable, Sendable, CaseIterable {
  case customer
  /// The bank's own: settlement, fees, cash. Customer checks are skipped.
  case `internal`
}

/// What an internal account is for in the bank's own books.
public enum Classification: String, Hashable, Sendable, CaseIterable {
  case cash, settlement, fees, interest, loan, capital, suspense, other
}

/// Opens an account of a verified customer, or an internal one.
public struct OpenAccount: InstructionContent {
  public static let name: StaticString = "OpenAccount"

  public var accountID: AccountID
  public var kind: AccountKind
  /// Set for customer accounts only.
  public var customerID: CustomerID?
  public var currency: Currency
  public var name: PersonalText?
  public var number: AccountNumber?
  /// How far below zero a balance may go, in minor units, zero or more.
  public var overdraft: MinorUnits
  /// Internal accounts only: no floor at all.
  public var allowNegative: Bool
  public var classification: Classification?

  public init(
    accountID: AccountID, kind: AccountKind, customerID: CustomerID? = nil, currency: Currency,
    name: PersonalText? = nil, number: AccountNumber? = nil, overdraft: MinorUnits = 0, allowNegative: Bool = false,
    classification: Classification? = nil
  ) {
    self.accountID = accountID
    self.kind = kind
    self.customerID = customerID
    self.currency = currency
    self.name = name
    self.number = number
    self.overdraft = overdraft
    self.allowNegative = allowNegative
    self.classification = classification
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    accountID = try object.required("account_id").identifier()
    kind = try object.optional("kind")?.choice(AccountKind.self) ?? .customer
    let customer = try object.optional("customer_id")
    customerID = try customer?.identifier()
    currency = try object.required("currency").currency()
    name = try object.personalText("name", in: context, maxLength: FieldLimit.name)
    if let value = try object.optional("number") {
      guard case .number(let number) = try value.accountReference() else {
        throw value.fault("must be an account number, not an id")
      }
      self.number = number
    }
    overdraft = 0
    if let value = try object.optional("overdraft") {
      overdraft = try value.minorUnits()
      guard overdraft >= 0 else { throw value.fault("must be zero or more") }
    }
    let negative = try object.optional("allow_negative")
    allowNegative = try negative?.bool() ?? false
    let classified = try object.optional("classification")
    classification = try classified?.choice(Classification.self)

    switch kind {
    case .customer:
      guard customer != nil else { throw object.fault("customer_id", "is required for a customer account") }
      if allowNegative, let negative { throw negative.fault("is for internal accounts; give an overdraft instead") }
      if let classified { throw classified.fault("is for internal accounts") }
    case .internal:
      if let customer { throw customer.fault("is for customer accounts") }
    }
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("account_id", accountID)
    writer.json.field("kind", kind.rawValue)
    writer.json.field("customer_id", customerID)
    writer.json.field("currency", currency)
    writer.field("name", personal: name)
    writer.json.field("number", number?.description)
    if overdraft != 0 { writer.json.field("overdraft", amount: overdraft) }
    if allowNegative { writer.json.field("allow_negative", true) }
    writer.json.field("classification", classification?.rawValue)
  }
}

/// What a change of an account's state says: which account, and why.
public struct AccountStateChange: Hashable, Sendable {
  public var account: AccountReference
  public var reason: PersonalText?

  public init(account: AccountReference, reason: PersonalText? = nil) {
    self.account = account
    self.reason = reason
  }

  init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    account = try object.required("account_id").accountReference()
    reason = try object.personalText("reason", in: context)
  }

  func write(to writer: inout RecordWriter) {
    writer.field("account_id", account)
    writer.field("reason", personal: reason)
  }
}

/// Stops money from moving in or out of an account.
public struct FreezeAccount: InstructionContent {
  public static let name: StaticString = "FreezeAccount"
  public var change: AccountStateChange

  public init(account: AccountReference, reason: PersonalText? = nil) {
    change = AccountStateChange(account: account, reason: reason)
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    change = try AccountStateChange(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { change.write(to: &writer) }
}

/// Lets money move again.
public struct UnfreezeAccount: InstructionContent {
  public static let name: StaticString = "UnfreezeAccount"
  public var change: AccountStateChange

  public init(account: AccountReference, reason: PersonalText? = nil) {
    change = AccountStateChange(account: account, reason: reason)
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    change = try AccountStateChange(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { change.write(to: &writer) }
}

/// Closes an account for ever. Its balance must be zero and nothing may be held.
public struct CloseAccount: InstructionContent {
  public static let name: StaticString = "CloseAccount"
  public var change: AccountStateChange

  public init(account: AccountReference, reason: PersonalText? = nil) {
    change = AccountStateChange(account: account, reason: reason)
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    change = try AccountStateChange(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { change.write(to: &writer) }
}
