import Ledger

/// The checks before money moves, all of them, in the order of the contract.
///
/// It runs quickly first, noting only the first failure and what an accepted event keeps; where something failed it
/// runs again and reports every check with its figures.
struct PreFlight {
  /// One account of a movement.
  struct Party {
    enum Role: String { case debtor, creditor }

    var role: Role
    /// How the command named it.
    var reference: AccountReference
    /// Nil when there is no such account.
    var account: Account?
    /// The account's, looked up once; nil for an internal account.
    fileprivate var customer: Customer?
    var currency: Currency
    /// What it gives (a debtor) or gets (a creditor), in minor units.
    var amount: MinorUnits
    /// What this very movement has reserved on it already, and on which book date.
    var reserved: (amount: MinorUnits, on: CalendarDate)?
    /// Whether a hold reserved the money: scores, limits and funds were settled then.
    var isHeld = false
    /// How far below and above what it had a journal's postings take the balance, one after the other: entries have it
    /// after each.
    var reach: ClosedRange<Int128> = 0...0

    init(
      role: Role, reference: AccountReference, account: Account?, currency: Currency, amount: MinorUnits,
      reserved: (amount: MinorUnits, on: CalendarDate)? = nil, isHeld: Bool = false
    ) {
      self.role = role
      self.reference = reference
      self.account = account
      self.currency = currency
      self.amount = amount
      self.reserved = reserved
      self.isHeld = isHeld
    }

    var spends: Bool { role == .debtor && !isHeld }
  }

  private static let windows: [LimitKind] = [.perTransaction, .daily, .weekly, .monthly, .rolling30Days]

  private(set) var parties: [Party]
  /// Whether the movement names one account on both sides.
  let namesOneAccountTwice: Bool
  let policies: Policies
  let context: DecisionContext
  /// Whether every check is reported, not only those that an accepted event keeps.
  private var reportsAll = false

  private(set) var checks: [Check] = []
  /// The first check that failed, in the order of the contract.
  private(set) var failure: RejectionCode?

  init(
    _ parties: [Party], namesOneAccountTwice: Bool = false, on state: borrowing BookState, context: DecisionContext
  ) {
    self.parties = parties
    self.namesOneAccountTwice = namesOneAccountTwice
    policies = state.policies
    self.context = context
    for index in self.parties.indices {
      self.parties[index].customer = parties[index].account?.customerID.flatMap { state.customers[$0] }
    }
  }

  /// - Parameter reportsAll: whether every check is wanted also when all pass, because something else has failed.
  mutating func run(on state: borrowing BookState, reportsAll: Bool = false) {
    self.reportsAll = reportsAll
    runChecks(on: state)
    guard failure != nil, !reportsAll else { return }
    failure = nil
    checks = []
    self.reportsAll = true
    runChecks(on: state)
  }

  private mutating func runChecks(on state: borrowing BookState) {
    for party in parties { checkKnown(party) }
    check(.sameAccount, !namesOneAccountTwice)
    for party in parties { checkOpen(party) }
    for party in parties { checkCurrency(party) }
    for party in parties { checkVerified(party) }
    for party in parties { checkSanctions(party) }
    for party in parties where party.spends { checkFraudScore(party) }
    for party in parties where party.spends { checkScoreGap(party) }
    if reportsAll || parties.contains(where: \.isLimited) {
      for kind in PreFlight.windows {
        for index in parties.indices where parties[index].spends { checkLimit(kind, index, on: state) }
      }
    }
    for party in parties where party.spends { checkFunds(party) }
    for party in parties { checkOverflow(party) }
  }

  /// - Parameter keeps: whether an accepted event keeps the check, for its figures say what the decision was based on.
  private mutating func check(
    _ code: RejectionCode, _ passed: Bool, keeps: Bool = false, _ figures: @autoclosure () -> [Figure] = []
  ) {
    if !passed, failure == nil { failure = code }
    if reportsAll || keeps { checks.append(Check(code, passed: passed, figures())) }
  }

  // MARK: The accounts

  private mutating func checkKnown(_ party: Party) {
    check(.unknownAccount, party.account != nil, party.naming)
  }

  private mutating func checkOpen(_ party: Party) {
    guard let account = party.account else { return }
    check(.accountNotOpen, account.status == .open, party.naming + [.text("status", account.status.rawValue)])
  }

  private mutating func checkCurrency(_ party: Party) {
    guard let account = party.account else { return }
    check(
      .currencyMismatch, account.currency == party.currency,
      party.naming + [.text("account_currency", account.currency.code), .text("currency", party.currency.code)])
  }

  // MARK: Their customers

  private mutating func checkVerified(_ party: Party) {
    guard let id = party.account?.customerID else { return }
    let status = party.customer?.status
    check(
      .customerNotVerified, status == .verified,
      party.naming + [.text("customer_id", id.description), .text("status", status?.rawValue ?? "unknown")])
  }

  private mutating func checkSanctions(_ party: Party) {
    guard let id = party.account?.customerID else { return }
    let matched = party.customer?.sanctionsMatch ?? false
    check(.sanctionsMatch, !matched, party.naming + [.text("customer_id", id.description)])
  }

  /// The account's own score and its customer's both count: either one above the maximum declines.
  private mutating func checkFraudScore(_ party: Party) {
    guard let account = party.account, account.customerID != nil else { return }
    guard let highest = party.fraudScore(by: { $0.value < $1.value }) else {
      check(.fraudScoreTooHigh, true, party.naming)
      return
    }
    let maximum = policies.fraudScoreMaximum
    check(
      .fraudScoreTooHigh, highest.value <= maximum, keeps: true,
      party.naming + [
        .integer("score", highest.value), .integer("maximum", maximum), .text("model", highest.model),
        .text("scored_at", highest.scoredAt.description),
      ])
  }

  /// The newest of the account's and its customer's scores says how old the picture is.
  private mutating func checkScoreGap(_ party: Party) {
    guard let account = party.account, account.customerID != nil else { return }
    let newest = party.fraudScore { $0.scoredAt < $1.scoredAt }
    let maximumAge = policies.fraudScoreMaximumAge
    let age = newest.map { (context.moment.microseconds - $0.scoredAt.microseconds) / 1_000_000 }
    if let age, age < maximumAge {
      check(.fraudScoreStale, true, party.naming + [.integer("age_seconds", Int(age))])
      return
    }
    let rule = newest == nil ? policies.missingFraudScore : policies.staleFraudScore
    let reduced = policies.reducedLimits[party.currency] ?? 0
    let passed =
      switch rule {
      case .allow: true
      case .block: false
      case .reducedLimit: party.amount <= reduced
      }
    check(
      .fraudScoreStale, passed, keeps: newest != nil || rule != .allow,
      party.naming + [.text("rule", rule.rawValue)]
        + (age.map { [.integer("age_seconds", Int($0))] } ?? [.text("score", "missing")])
        + [Figure("maximum_age_seconds", .integer(maximumAge))]
        + (rule == .reducedLimit ? [.amount("reduced_limit", reduced), .amount("amount", party.amount)] : []))
  }

  // MARK: Limits and funds

  private mutating func checkLimit(_ kind: LimitKind, _ index: Int, on state: borrowing BookState) {
    let party = parties[index]
    guard let account = party.account else { return }
    let code = RejectionCode(limit: kind)
    var isSet = false
    if let limit = account.limits[kind] {
      isSet = true
      let used = LimitUse.of([account], kind, party.reserved, context.bookDate)
      let counted = kind.counted(party.reserved?.on, context.bookDate)
      checkLimit(code, limit, used: used, amount: party.amount, counted, scope: .account, id: account.id)
    }
    if let id = account.customerID, let customer = party.customer, let limit = customer.limits[account.currency]?[kind]
    {
      isSet = true
      if let share = customerShare(index) {
        let accounts = customer.accounts.compactMap { state.accounts[$0] }.filter { $0.currency == account.currency }
        let used = LimitUse.of(accounts, kind, share.reserved, context.bookDate)
        let counted = kind.counted(share.reserved?.on, context.bookDate)
        checkLimit(code, limit, used: used, amount: share.amount, counted, scope: .customer, id: id)
      }
    }
    if !isSet { check(code, true, party.naming + [.text("limit", "none")]) }
  }

  /// - Parameter counted: the day before the limit's present window on which the movement used the limit up; nil where it
  ///   is in the window, or hasn't used anything yet.
  private mutating func checkLimit(
    _ code: RejectionCode, _ limit: MinorUnits, used: MinorUnits?, amount: MinorUnits, _ counted: CalendarDate?,
    scope: SubjectKind, id: Identifier
  ) {
    let sum = used.map { $0.addingReportingOverflow(amount) }
    let fits = if let sum { !sum.overflow && sum.partialValue <= limit } else { false }
    check(
      code, fits || counted != nil, keeps: true,
      [
        .text("scope", scope.rawValue), .text("subject_id", id.description), .amount("limit", limit),
        .amount("used", used ?? .max), .amount("amount", amount),
      ] + (counted.map { [.text("counted_on", $0.description)] } ?? []))
  }

  /// What the movement takes from all accounts of a debtor's customer in the account's currency: a journal may debit
  /// several of them, and the customer's limits bound the sum.
  ///
  /// - Returns: nil when an earlier debtor of the same customer and currency has spoken for all.
  private func customerShare(_ index: Int) -> (amount: MinorUnits, reserved: (amount: MinorUnits, on: CalendarDate)?)? {
    guard let account = parties[index].account else { return nil }
    var amount: Int128 = 0
    var reserved: Int128 = 0
    var reservedOn: CalendarDate?
    for (other, party) in parties.enumerated() where party.spends {
      guard party.account?.customerID == account.customerID, party.account?.currency == account.currency else {
        continue
      }
      if other < index { return nil }
      amount += Int128(party.amount)
      reserved += Int128(party.reserved?.amount ?? 0)
      reservedOn = reservedOn ?? party.reserved?.on
    }
    return (MinorUnits(clamping: amount), reservedOn.map { (MinorUnits(clamping: reserved), $0) })
  }

  /// The threshold that the movement is above, so that a second person decides; nil when it is above none.
  func thresholdExceeded() -> Check? {
    for index in parties.indices where parties[index].spends {
      guard let account = parties[index].account else { continue }
      if let threshold = account.limits.approvalThreshold, parties[index].amount > threshold {
        return .aboveThreshold(threshold, parties[index].amount, scope: .account, id: account.id)
      }
      if let id = account.customerID,
        let threshold = parties[index].customer?.limits[account.currency]?.approvalThreshold,
        let share = customerShare(index), share.amount > threshold
      {
        return .aboveThreshold(threshold, share.amount, scope: .customer, id: id)
      }
    }
    return nil
  }

  private mutating func checkFunds(_ party: Party) {
    guard let account = party.account else { return }
    guard let available = account.available else {
      check(.insufficientFunds, true, party.naming + [.text("available", "unlimited")])
      return
    }
    let (own, overflow) = available.addingReportingOverflow(party.reserved?.amount ?? 0)
    let spendable = overflow ? .max : own
    check(
      .insufficientFunds, party.amount <= spendable,
      party.naming + [.amount("available", spendable), .amount("amount", party.amount)])
  }

  /// Nothing here can be reached with real money, and nothing here may wrap around.
  private mutating func checkOverflow(_ party: Party) {
    guard let account = party.account else { return }
    let balance = account.balance
    let fits =
      switch party.role {
      case .creditor: !balance.posted.addingReportingOverflow(party.amount).overflow
      // What is reserved already adds nothing to what is held and used.
      case .debtor where party.isHeld || party.reserved != nil:
        !balance.posted.subtractingReportingOverflow(party.amount).overflow
      case .debtor:
        !balance.posted.subtractingReportingOverflow(party.amount).overflow
          && !balance.held.addingReportingOverflow(party.amount).overflow
          && !(balance.usage.used(from: context.bookDate, through: context.bookDate) ?? .max)
            .addingReportingOverflow(party.amount).overflow
      }
    let (lowest, highest) = (
      Int128(balance.posted) + party.reach.lowerBound, Int128(balance.posted) + party.reach.upperBound
    )
    if !fits || lowest < Int128(MinorUnits.min) || highest > Int128(MinorUnits.max) {
      check(.balanceOverflow, false, party.naming + [.amount("amount", party.amount)])
    }
  }
}

extension PreFlight.Party {
  /// Whether any limit is set that the movement could meet.
  fileprivate var isLimited: Bool {
    spends && (account.map { !$0.limits.isEmpty } ?? false || customer.map { !$0.limits.isEmpty } ?? false)
  }

  /// The greater, in the given order, of the account's own fraud score and its customer's.
  fileprivate func fraudScore(by precedes: (Score, Score) -> Bool) -> Score? {
    guard let own = account?.scores.fraud else { return customer?.scores.fraud }
    guard let customers = customer?.scores.fraud else { return own }
    return precedes(own, customers) ? customers : own
  }

  /// Which side of the movement a check's figures are about.
  fileprivate var naming: [Figure] {
    let name =
      switch reference {
      case .id(let id): id.description
      case .number(let number): number.description
      }
    return [PreFlight.Party.naming(role), .text("account_id", account?.id.description ?? name)]
  }

  static func naming(_ role: Role) -> Figure { .text("party", role.rawValue) }
}

extension LimitKind {
  /// - Parameter reserved: when the movement was held for a second person.
  /// - Returns: that day, if the limit's window on `date` doesn't reach back to it: the movement was within the limit
  ///   then, has used it up then, and uses nothing of this one.
  fileprivate func counted(_ reserved: CalendarDate?, _ date: CalendarDate) -> CalendarDate? {
    guard let reserved, let start = windowStart(on: date), reserved < start else { return nil }
    return reserved
  }
}

/// How much of a limit is used already, the movement's own reservation left out.
enum LimitUse {
  /// - Returns: minor units; nil when the sum leaves Int64.
  static func of(
    _ accounts: [Account], _ kind: LimitKind, _ reserved: (amount: MinorUnits, on: CalendarDate)?, _ date: CalendarDate
  ) -> MinorUnits? {
    guard let start = kind.windowStart(on: date) else { return 0 }
    var total: MinorUnits = 0
    for account in accounts {
      guard let used = account.balance.usage.used(from: start, through: date) else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(used)
      if overflow { return nil }
      total = sum
    }
    if let reserved, reserved.on >= start, reserved.on <= date { total -= min(total, reserved.amount) }
    return total
  }
}

extension RejectionCode {
  init(limit kind: LimitKind) {
    switch kind {
    case .perTransaction: self = .limitPerTransaction
    case .daily: self = .limitDaily
    case .weekly: self = .limitWeekly
    case .monthly: self = .limitMonthly
    case .rolling30Days: self = .limitRolling30Days
    case .approvalThreshold: self = .approvalThreshold
    }
  }
}

extension Check {
  fileprivate static func aboveThreshold(
    _ threshold: MinorUnits, _ amount: MinorUnits, scope: SubjectKind, id: Identifier
  ) -> Check {
    Check(
      .approvalThreshold, passed: false,
      [
        .text("scope", scope.rawValue), .text("subject_id", id.description), .amount("limit", threshold),
        .amount("amount", amount),
      ])
  }
}
