import Commands
import Ledger

/// States that no history need ever lead to: every field at its ends.
struct RandomStates {
  private var chance: Chance

  init(_ chance: Chance) { self.chance = chance }

  /// Adds some of everything and changes some of what is there; all of it is touched.
  mutating func change(_ state: inout BookState) {
    state.book = Book(
      id: state.book?.id ?? chance.identifier(), timeZone: "Australia/Sydney", currency: .aud, policies: policies(),
      ruleSet: chance.index(below: 9) + 1, version: amount(), position: amount())
    state.touched.book = true
    for id in some(state.customers.keys) {
      state.customers[id] = customer(id, before: state.customers[id])
      state.touched.customers.insert(id)
    }
    for id in some(state.accounts.keys) {
      let account = account(id, before: state.accounts[id])
      state.accounts[id] = account
      if let number = account.number { state.numbers[number] = id }
      state.touched.accounts.insert(id)
      state.touched.balances.insert(id)
    }
    // Money moves on some without anything else being changed.
    for id in state.accounts.keys.sorted() where chance.oneIn(3) {
      state.accounts[id]?.balance = balance()
      state.touched.balances.insert(id)
    }
    for id in some(state.holds.keys) {
      state.holds[id] = hold(id, before: state.holds[id])
      state.touched.holds.insert(id)
    }
    for name in ["UN", "MFAT", "a list's \"name\""] where chance.oneIn(2) { change(list: name, &state) }
  }

  /// A few that are there, and a few new ones.
  private mutating func some(_ known: some Collection<Identifier>) -> [Identifier] {
    known.sorted().filter { _ in chance.oneIn(2) } + (0..<6).map { _ in chance.identifier() }
  }

  private mutating func amount() -> Int64 {
    chance.pick([0, 1, -1, .max, .min, chance.amount(-1_000_000...1_000_000)])
  }

  private mutating func policies() -> Policies {
    var policies = Policies()
    policies.apply(.fraudScoreMaximum(chance.index(below: 1_001)))
    policies.apply(.staleFraudScore(chance.pick(ScoreGapRule.allCases)))
    policies.apply(.missingFraudScore(chance.pick(ScoreGapRule.allCases)))
    for currency in [Currency.nzd, .jpy] where chance.oneIn(2) {
      policies.apply(.reducedLimit(currency, chance.pick([0, .max])))
    }
    return policies
  }

  private mutating func sealed(_ subject: Identifier) -> PersonalText {
    if chance.oneIn(5) { return PersonalText(subject: subject, content: .erased) }
    let bytes = (0..<(28 + chance.index(below: 300))).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
    return PersonalText(subject: subject, content: .sealed(bytes))
  }

  private mutating func limits() -> Limits {
    var limits = Limits()
    for kind in LimitKind.allCases where chance.oneIn(2) { limits[kind] = chance.pick([0, 1, .max]) }
    return limits
  }

  private mutating func scores() -> Scores {
    var scores = Scores()
    for kind in ScoreKind.allCases where chance.oneIn(2) {
      scores[kind] = Score(
        value: chance.index(below: 1_001), model: chance.pick(["m", "modèle \"7\"", "a\\b"]),
        scoredAt: Moment(microseconds: chance.amount(0...4_000_000_000_000_000)))
    }
    return scores
  }

  private mutating func balance() -> Balance {
    var days: [LimitUsage.Day] = []
    var date: Int32 = chance.pick([-719_000, 0, 20_000])
    for _ in 0..<chance.index(below: 32) {
      date += Int32(1 + chance.index(below: 3))
      days.append(LimitUsage.Day(date: CalendarDate(daysSince1970: date), amount: chance.pick([1, 77, .max])))
    }
    return Balance(posted: amount(), held: amount(), usage: LimitUsage(days: days), position: amount())
  }

  private mutating func customer(_ id: CustomerID, before: Customer?) -> Customer {
    var limits: [Currency: Limits] = [:]
    for currency in [Currency.nzd, .usd, .jpy] where chance.oneIn(2) {
      let own = self.limits()
      if !own.isEmpty { limits[currency] = own }
    }
    return Customer(
      id: id, status: chance.pick(CustomerStatus.allCases),
      standingSince: CalendarDate(daysSince1970: Int32(chance.amount(0...40_000))),
      name: chance.oneIn(3) ? PersonalText(subject: id, content: .erased) : sealed(id),
      dateOfBirth: chance.oneIn(2) ? sealed(id) : nil, country: chance.oneIn(2) ? "NZ" : nil,
      sanctionsMatch: chance.oneIn(2),
      scores: scores(),
      limits: limits, accounts: (0..<chance.index(below: 5)).map { _ in chance.identifier() }, version: amount(),
      position: amount())
  }

  private mutating func account(_ id: AccountID, before: Account?) -> Account {
    var account = before ?? opened(id)
    account.status = chance.pick(AccountStatus.allCases)
    account.closedOn = chance.oneIn(2) ? CalendarDate(daysSince1970: Int32(chance.amount(0...40_000))) : nil
    if chance.oneIn(3) { account.name = account.name?.erased }
    account.overdraft = chance.pick([0, .max])
    account.allowNegative = chance.oneIn(2)
    account.limits = limits()
    account.scores = scores()
    account.balance = balance()
    account.version = amount()
    account.position = amount()
    return account
  }

  private mutating func opened(_ id: AccountID) -> Account {
    let customer = chance.oneIn(2) ? chance.identifier() : nil
    let number = chance.oneIn(2) ? try? AccountNumber("012-345 \(10_000_000 + chance.index(below: 89_999_999))") : nil
    return Account(
      id: id, kind: customer == nil ? .internal : .customer, customerID: customer, currency: chance.pick([.nzd, .jpy]),
      name: chance.oneIn(2) ? sealed(customer ?? .zero) : nil, number: number,
      classification: customer == nil ? chance.pickAny(Classification.allCases) : nil, overdraft: 0,
      allowNegative: false,
      balance: balance(), version: 1, position: 1)
  }

  private mutating func hold(_ id: HoldID, before: Hold?) -> Hold {
    var hold =
      before
      ?? Hold(
        id: id, accountID: chance.identifier(), amount: chance.pick([1, .max]), currency: .nzd,
        expiresAt: chance.oneIn(2) ? Moment(microseconds: chance.amount(0...4_000_000_000_000_000)) : nil,
        placedOn: CalendarDate(daysSince1970: Int32(chance.amount(0...40_000))), version: 1, position: 1)
    hold.captured = chance.pick([0, 1, hold.amount])
    hold.status = chance.pick(HoldStatus.allCases)
    hold.version = amount()
    hold.position = amount()
    return hold
  }

  private mutating func change(list name: String, _ state: inout BookState) {
    var list =
      state.lists[name] ?? SanctionsList(name: name, list: ListVersion("1"), version: 1, position: 1)
    list.list = ListVersion("2026.\(chance.index(below: 1_000))")
    list.version = amount()
    list.position = amount()
    var changed: [String: Int64] = [:]
    for number in 0..<12 where chance.oneIn(2) {
      let id = "QDi.\(number)"
      changed[id] = amount()
      list.entries[id] =
        chance.oneIn(3)
        ? nil
        : SanctionsEntry(
          id: id, name: "Ω \(chance.index(below: 99))", aliases: chance.oneIn(2) ? ["a", "\"b\"\t"] : [],
          countries: chance.oneIn(2) ? ["NZ", "AU"] : [], datesOfBirth: chance.oneIn(2) ? ["1970"] : [],
          program: chance.oneIn(2) ? "p" : nil, remarks: chance.oneIn(2) ? String(repeating: "r", count: 400) : nil)
    }
    state.lists[name] = list
    state.touched.lists[name] = changed
  }
}
