/// How a customer stands with the bank. Only a verified one's money moves.
///
/// ```
/// registered ─VerifyCustomer─► verified ─SuspendCustomer─► suspended ─VerifyCustomer─► verified
/// registered ─RejectCustomer─► rejected
/// any but erased ─EraseCustomer─► erased
/// ```
public enum CustomerStatus: String, Hashable, Sendable, CaseIterable {
  case registered, verified, rejected, suspended
  /// Who it was is gone for ever.
  case erased
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

/// What a score is about, which decides the check that reads it.
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
///
/// What it is stands behind one reference, because decisions read customers with every command and change them hardly
/// ever: a copy is a pointer.
public struct Customer: Hashable, Sendable {
  fileprivate struct Fields: Hashable, Sendable {
    var id: CustomerID
    var status: CustomerStatus
    var standingSince: CalendarDate
    var name: PersonalText
    var dateOfBirth: PersonalText?
    var country: String?
    var sanctionsMatch: Bool
    var scores: Scores
    var limits: [Currency: Limits]
    var accounts: [AccountID]
    var version: Int64
    var position: Int64
  }

  private var shared: Shared<Fields>

  private var fields: Fields {
    get { shared.value }
    set { shared = Shared(newValue) }
  }

  public var id: CustomerID { shared.value.id }
  public var status: CustomerStatus {
    get { shared.value.status }
    set { fields.status = newValue }
  }
  /// The book date on which its status last changed.
  public var standingSince: CalendarDate {
    get { shared.value.standingSince }
    set { fields.standingSince = newValue }
  }
  public var name: PersonalText {
    get { shared.value.name }
    set { fields.name = newValue }
  }
  public var dateOfBirth: PersonalText? {
    get { shared.value.dateOfBirth }
    set { fields.dateOfBirth = newValue }
  }
  public var country: String? {
    get { shared.value.country }
    set { fields.country = newValue }
  }
  /// Two people agreed that it is on a sanctions list.
  public var sanctionsMatch: Bool {
    get { shared.value.sanctionsMatch }
    set { fields.sanctionsMatch = newValue }
  }
  public var scores: Scores {
    get { shared.value.scores }
    set { fields.scores = newValue }
  }
  /// Over all its accounts in a currency.
  public var limits: [Currency: Limits] {
    get { shared.value.limits }
    set { fields.limits = newValue }
  }
  /// In the order they were opened.
  public var accounts: [AccountID] {
    get { shared.value.accounts }
    set { fields.accounts = newValue }
  }
  /// Of its stream.
  public var version: Int64 {
    get { shared.value.version }
    set { fields.version = newValue }
  }
  /// The log position of the last event that changed it.
  public var position: Int64 {
    get { shared.value.position }
    set { fields.position = newValue }
  }

  public init(
    id: CustomerID, status: CustomerStatus = .registered, standingSince: CalendarDate, name: PersonalText,
    dateOfBirth: PersonalText? = nil, country: String? = nil, sanctionsMatch: Bool = false, scores: Scores = Scores(),
    limits: [Currency: Limits] = [:], accounts: [AccountID] = [], version: Int64, position: Int64
  ) {
    shared = Shared(
      Fields(
        id: id, status: status, standingSince: standingSince, name: name, dateOfBirth: dateOfBirth, country: country,
        sanctionsMatch: sanctionsMatch, scores: scores, limits: limits, accounts: accounts, version: version,
        position: position))
  }
}

/// Whether money moves in and out of an account: only while it is open.
///
/// ```
/// open ─FreezeAccount─► frozen ─UnfreezeAccount─► open
/// open, frozen ─CloseAccount, with nothing on it and nothing held─► closed
/// ```
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
///
/// Its balance changes with every movement and stands in it; everything else changes hardly ever and stands behind one
/// reference, so that a copy costs little.
public struct Account: Hashable, Sendable {
  fileprivate struct Fields: Hashable, Sendable {
    var id: AccountID
    var kind: AccountKind
    var customerID: CustomerID?
    var currency: Currency
    var name: PersonalText?
    var number: AccountNumber?
    var classification: Classification?
    var status: AccountStatus
    var closedOn: CalendarDate?
    var overdraft: MinorUnits
    var allowNegative: Bool
    var limits: Limits
    var scores: Scores
    var version: Int64
    var position: Int64
  }

  public var balance: Balance
  private var shared: Shared<Fields>

  private var fields: Fields {
    get { shared.value }
    set { shared = Shared(newValue) }
  }

  public var id: AccountID { shared.value.id }
  public var kind: AccountKind {
    get { shared.value.kind }
    set { fields.kind = newValue }
  }
  public var customerID: CustomerID? {
    get { shared.value.customerID }
    set { fields.customerID = newValue }
  }
  public var currency: Currency {
    get { shared.value.currency }
    set { fields.currency = newValue }
  }
  public var name: PersonalText? {
    get { shared.value.name }
    set { fields.name = newValue }
  }
  public var number: AccountNumber? {
    get { shared.value.number }
    set { fields.number = newValue }
  }
  public var classification: Classification? {
    get { shared.value.classification }
    set { fields.classification = newValue }
  }
  public var status: AccountStatus {
    get { shared.value.status }
    set { fields.status = newValue }
  }
  /// The book date on which it was closed; nil while it isn't.
  public var closedOn: CalendarDate? {
    get { shared.value.closedOn }
    set { fields.closedOn = newValue }
  }
  /// Minor units, zero or more.
  public var overdraft: MinorUnits {
    get { shared.value.overdraft }
    set { fields.overdraft = newValue }
  }
  public var allowNegative: Bool {
    get { shared.value.allowNegative }
    set { fields.allowNegative = newValue }
  }
  public var limits: Limits {
    get { shared.value.limits }
    set { fields.limits = newValue }
  }
  public var scores: Scores {
    get { shared.value.scores }
    set { fields.scores = newValue }
  }
  /// Of its stream.
  public var version: Int64 {
    get { shared.value.version }
    set { fields.version = newValue }
  }
  /// The log position of the last event that changed anything but its balance.
  public var position: Int64 {
    get { shared.value.position }
    set { fields.position = newValue }
  }

  public init(
    id: AccountID, kind: AccountKind, customerID: CustomerID?, currency: Currency, name: PersonalText?,
    number: AccountNumber?, classification: Classification?, status: AccountStatus = .open,
    closedOn: CalendarDate? = nil, overdraft: MinorUnits, allowNegative: Bool, limits: Limits = Limits(),
    scores: Scores = Scores(), balance: Balance, version: Int64,
    position: Int64
  ) {
    self.balance = balance
    shared = Shared(
      Fields(
        id: id, kind: kind, customerID: customerID, currency: currency, name: name, number: number,
        classification: classification, status: status, closedOn: closedOn, overdraft: overdraft,
        allowNegative: allowNegative, limits: limits, scores: scores, version: version, position: position))
  }

  /// What can be spent, in minor units: posted − held + overdraft. Nil when the account has no floor; saturates at
  /// Int64's ends.
  public var available: MinorUnits? {
    if allowNegative { return nil }
    let exact = Int128(balance.posted) - Int128(balance.held) + Int128(overdraft)
    return MinorUnits(clamping: exact)
  }
}
