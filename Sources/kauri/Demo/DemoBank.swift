import Ledger

/// A small bank with two months behind it: who has which account, and every command that led there, in order.
///
/// It follows from the seed, the book's first moment and its first day alone, so that a demonstration which was
/// broken off can be gone on with: the same commands under the same ids.
struct DemoBank {
  struct Command {
    let id: CommandID
    let instruction: Instruction
  }

  struct Party {
    let customer: CustomerID
    let name: String
    let account: AccountID
    let number: AccountNumber
    var savings: AccountID?
  }

  struct Person {
    var party: Party
    /// Every second Wednesday, in cents.
    let wage: MinorUnits
    /// Every Thursday, in cents, and to whom; nil for who owns a home.
    let rent: (amount: MinorUnits, landlord: Int)?
    /// Of a hundred days, so many see a purchase.
    let spending: Int
    let paysFee: Bool
  }

  struct InternalAccounts {
    let settlement: AccountID
    let cash: AccountID
    let fees: AccountID
  }

  private(set) var commands: [Command] = []
  let internalAccounts: InternalAccounts
  private(set) var people: [Person] = []
  private(set) var shops: [Party] = []
  private(set) var landlords: [Party] = []
  private(set) var utilities: [Party] = []

  let opened: Moment
  let today: CalendarDate
  var chance: SeededChance
  private var identifiers: TimeOrderedIdentifiers
  private var nextBase: UInt32 = 123_400

  static let peopleCount = 220
  /// Of the days that the demonstration tells of.
  static let daysCount = 56

  /// - Parameters:
  ///   - opened: the moment of the book's first event.
  ///   - today: its book date, the last of the days told of.
  init(seed: UInt64 = 1840, opened: Moment, today: CalendarDate) {
    self.opened = opened
    self.today = today
    chance = SeededChance(seed: seed)
    identifiers = TimeOrderedIdentifiers(from: opened, seed: ~seed)
    internalAccounts = InternalAccounts(
      settlement: identifiers.next(), cash: identifiers.next(), fees: identifiers.next())
    openInternalAccounts()
    for shop in DemoNames.shops { shops.append(openParty(shop.name, opening: 500_000...4_000_000)) }
    for name in DemoNames.landlords { landlords.append(openParty(name, opening: 1_000_000...3_000_000)) }
    for utility in DemoNames.utilities { utilities.append(openParty(utility.name, opening: 2_000_000...6_000_000)) }
    for number in 0..<Self.peopleCount { openPerson(number) }
    live()
    addWhatStandsOut()
  }

  // MARK: Opening

  private mutating func openInternalAccounts() {
    let accounts: [(AccountID, String, Bool, Classification)] = [
      (internalAccounts.settlement, "Settlement with other banks", true, .settlement),
      (internalAccounts.cash, "Cash in tills and machines", true, .cash),
      (internalAccounts.fees, "Account fees", false, .fees),
    ]
    for (id, name, allowNegative, classification) in accounts {
      add(
        .openAccount(
          OpenAccount(
            accountID: id, kind: .internal, currency: .nzd, name: PersonalText(name), allowNegative: allowNegative,
            classification: classification)))
    }
  }

  private mutating func openParty(
    _ name: String, dateOfBirth: CalendarDate? = nil, opening: ClosedRange<MinorUnits>
  ) -> Party {
    let (customer, account) = (identifiers.next(), identifiers.next())
    add(
      .registerCustomer(
        RegisterCustomer(
          customerID: customer, name: PersonalText(name),
          dateOfBirth: dateOfBirth.map { PersonalText($0.description) }, country: "NZ")))
    add(.verifyCustomer(VerifyCustomer(customerID: customer)))
    let number = takeNumber()
    open(account, of: customer, number)
    let first = today.adding(days: -Self.daysCount)
    pay(
      from: internalAccounts.settlement, to: account, MinorUnits.random(in: opening, using: &chance),
      "Balance from your old bank", on: first)
    return Party(customer: customer, name: name, account: account, number: number)
  }

  private mutating func openPerson(_ number: Int) {
    let name = "\(chance.pick(DemoNames.given)) \(chance.pick(DemoNames.family))"
    let born = today.adding(days: -(18 * 366 + chance.index(below: 60 * 365)))
    // The first two are the ones to try things on, so they are never out of money.
    let isStretched = number > 1 && chance.percent(6)
    var party = openParty(
      name, dateOfBirth: born, opening: number < 2 ? 400_000...500_000 : isStretched ? 500...5_000 : 20_000...300_000)
    if number < 2 || chance.percent(45) {
      let savings = identifiers.next()
      open(savings, of: party.customer, suffixed(party.number, 25))
      party.savings = savings
    }
    people.append(
      Person(
        party: party, wage: MinorUnits.random(in: isStretched ? 70_000...90_000 : 170_000...420_000, using: &chance),
        rent: number > 1 && chance.percent(60)
          ? (MinorUnits.random(in: 32_000...65_000, using: &chance), chance.index(below: landlords.count)) : nil,
        spending: isStretched ? 60 : 20 + chance.index(below: 30), paysFee: chance.percent(30)))
  }

  private mutating func open(_ account: AccountID, of customer: CustomerID, _ number: AccountNumber?) {
    add(
      .openAccount(
        OpenAccount(accountID: account, kind: .customer, customerID: customer, currency: .nzd, number: number)))
  }

  /// The next number of this bank's one branch whose check digit is right.
  private mutating func takeNumber() -> AccountNumber {
    while true {
      nextBase += 1
      if let number = try? AccountNumber("02-0500-0\(nextBase)-00") { return number }
    }
  }

  /// A customer's other accounts differ in the suffix alone, which no check digit covers at this bank.
  private func suffixed(_ number: AccountNumber, _ suffix: UInt16) -> AccountNumber? {
    guard case .newZealand(let bank, let branch, let base, _) = number else { return nil }
    return .newZealand(bank: bank, branch: branch, base: base, suffix: suffix)
  }

  // MARK: Commands

  @discardableResult
  mutating func add(_ instruction: Instruction) -> CommandID {
    add { _ in instruction }
  }

  /// Adds a command that takes its own id for what it makes.
  @discardableResult
  mutating func add(_ instruction: (CommandID) -> Instruction) -> CommandID {
    let id = identifiers.next()
    commands.append(Command(id: id, instruction: instruction(id)))
    return id
  }

  @discardableResult
  mutating func pay(
    from debit: AccountID, to credit: AccountID, _ amount: MinorUnits, _ reference: String, by channel: Channel? = nil,
    on date: CalendarDate
  ) -> CommandID {
    add { id in
      .postTransfer(
        PostTransfer(
          transferID: id, debit: .id(debit), credit: .id(credit), amount: amount, currency: .nzd,
          reference: PersonalText(reference), channel: channel, valueDate: date))
    }
  }
}
