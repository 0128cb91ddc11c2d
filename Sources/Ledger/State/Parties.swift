public enum CustomerStatus: String, Hashable, Sendable, CaseIterable {
  case registered, verified, rejected, suspended
}

/// A score as decisions read it.
public struct Score: Hashable, Sendable {
  /// 0 to 1000.
  public var value: Int
  public var model: String
  public var scoredAt: Moment

  public init(value: Int, model: String, scoredAt: Moment) {
    self.value = value
    self.model = model
    self.scoredAt = scoredAt
  }
}

public enum ScoreKind: String, Hashable, Sendable, CaseIterable {
  case fraud, risk, aml
}

/// The newest score of each kind.
public struct Scores: Hashable, Sendable {
  public var fraud: Score?
  public var risk: Score?
  public var aml: Score?

  public init() {}

  public subscript(kind: ScoreKind) -> Score? {
    get {
      switch kind {
      case .fraud: fraud
      case .risk: risk
      case .aml: aml
      }
    }
    set {
      switch kind {
      case .fraud: fraud = newValue
      case .risk: risk = newValue
      case .aml: aml = newValue
      }
    }
  }
}

/// A customer as decisions read it.
public struct Customer: Hashable, Sendable {
  public var id: CustomerID
  public var status: CustomerStatus
  public var name: PersonalText
  public var dateOfBirth: PersonalText?
  public var country: String?
  /// Two people agreed that it is on a sanctions list.
  public var sanctionsMatch: Bool
  public var scores: Scores
  /// Over all its accounts in a currency.
  public var limits: [Currency: Limits]
  /// In the order they were opened.
  public var accounts: [AccountID]
  /// Of its stream.
  public var version: Int64
  /// The log position of the last event that changed it.
  public var position: Int64

  public init(
    id: CustomerID, status: CustomerStatus = .registered, name: PersonalText, dateOfBirth: PersonalText? = nil,
    country: String? = nil, sanctionsMatch: Bool = false, scores: Scores = Scores(),
    limits: [Currency: Limits] = [:], accounts: [AccountID] = [], version: Int64, position: Int64
  ) {
    self.id = id
    self.status = status
    self.name = name
    self.dateOfBirth = dateOfBirth
    self.country = country
    self.sanctionsMatch = sanctionsMatch
    self.scores = scores
    self.limits = limits
    self.accounts = accounts
    self.version = version
    self.position = position
  }
}

public enum AccountStatus: String, Hashable, Sendable, CaseIterable {
  case open, frozen, closed
}

/// What moves with nearly every command: an account's money and what it has used of its limits.
public struct Balance: Hashable, Sendable {
  /// Minor units; what has been moved in less what has been moved out.
  public var posted: MinorUnits
  /// Minor units; reserved by holds and by transfers that wait for approval.
  public var held: MinorUnits
  public var usage: LimitUsage
  /// The log position of the last event that changed it.
  public var position: Int64

  public init(posted: MinorUnits = 0, held: MinorUnits = 0, usage: LimitUsage = LimitUsage(), position: Int64) {
    self.posted = posted
    self.held = held
    self.usage = usage
    self.position = position
  }
}

/// An account as decisions read it.
public struct Account: Hashable, Sendable {
  public var id: AccountID
  public var kind: AccountKind
  public var customerID: CustomerID?
  public var currency: Currency
  public var name: PersonalText?
  public var number: AccountNumber?
  public var classification: Classification?
  public var status: AccountStatus
  /// Minor units, zero or more.
  public var overdraft: MinorUnits
  public var allowNegative: Bool
  public var limits: Limits
  public var scores: Scores
  public var balance: Balance
  /// Of its stream.
  public var version: Int64
  /// The log position of the last event that changed anything but its balance.
  public var position: Int64

  public init(
    id: AccountID, kind: AccountKind, customerID: CustomerID?, currency: Currency, name: PersonalText?,
    number: AccountNumber?, classification: Classification?, status: AccountStatus = .open, overdraft: MinorUnits,
    allowNegative: Bool, limits: Limits = Limits(), scores: Scores = Scores(), balance: Balance, version: Int64,
    position: Int64
  ) {
    self.id = id
    self.kind = kind
    self.customerID = customerID
    self.currency = currency
    self.name = name
    self.number = number
    self.classification = classification
    self.status = status
    self.overdraft = overdraft
    self.allowNegative = allowNegative
    self.limits = limits
    self.scores = scores
    self.balance = balance
    self.version = version
    self.position = position
  }

  /// What can be spent, in minor units: posted − held + overdraft. Nil when the account has no floor; saturates at
  /// Int64's ends.
  public var available: MinorUnits? {
    if allowNegative { return nil }
    let exact = Int128(balance.posted) - Int128(balance.held) + Int128(overdraft)
    return MinorUnits(clamping: exact)
  }
}
