import Ledger

/// The accounts that are measured on, and the transfers between them. Accounts have numbers from 0; their ids follow
/// from them.
struct BenchAccounts: Sendable {
  let count: Int
  private let high: UInt64

  /// New accounts, of this moment: the same book may be measured on again.
  init(count: Int, at moment: Moment) {
    self.count = count
    high = UInt64(moment.microseconds / 1_000) << 16 | 0x7000
  }

  /// The internal account that funds the others.
  var funds: AccountID { identifier(.funds, 0) }
  func account(_ number: Int) -> AccountID { identifier(.account, number) }
  func customer(_ number: Int) -> CustomerID { identifier(.customer, number) }

  private enum Kind: UInt64 { case account, customer, funds }

  private func identifier(_ kind: Kind, _ number: Int) -> Identifier {
    Identifier(high: high, low: 1 << 63 | kind.rawValue << 48 | UInt64(number))
  }
}

/// Which transfers are made: of whom, to whom, how many shall be declined.
struct BenchTransfers: Sendable {
  struct Transfer {
    let debit: AccountID
    let credit: AccountID
    let amount: MinorUnits
  }

  let accounts: BenchAccounts
  /// Of a hundred transfers, so many go to one and the same account.
  let hotShare: Int
  /// Of a hundred transfers, so many are for more money than there is.
  let declineShare: Int
  private var chance: SeededChance

  init(_ accounts: BenchAccounts, hotShare: Int, declineShare: Int, seed: UInt64) {
    self.accounts = accounts
    self.hotShare = hotShare
    self.declineShare = declineShare
    chance = SeededChance(seed: seed)
  }

  mutating func next() -> Transfer {
    let isHot = hotShare > 0 && chance.percent(hotShare)
    let credit = isHot ? 0 : chance.index(below: accounts.count)
    // Another than the credited one: the next number, round the end.
    let debit = (credit + 1 + chance.index(below: accounts.count - 1)) % accounts.count
    let isDeclined = declineShare > 0 && chance.percent(declineShare)
    return Transfer(
      debit: accounts.account(debit), credit: accounts.account(credit),
      amount: isDeclined ? 1_000_000_000_000 : MinorUnits(1 + chance.index(below: 100)))
  }
}

extension BenchAccounts {
  /// What each account begins with, in minor units: enough for any number of small transfers.
  static let opening: MinorUnits = 10_000_000

  /// The commands that make the internal account.
  func fundsCommand(_ identifiers: inout TimeOrderedIdentifiers) -> (id: CommandID, instruction: Instruction) {
    let open = OpenAccount(
      accountID: funds, kind: .internal, currency: .nzd, allowNegative: true, classification: .settlement)
    return (identifiers.next(), .openAccount(open))
  }

  /// The commands that make an account of a customer of its own, verified and funded, so that every check applies.
  func commands(
    for number: Int, _ identifiers: inout TimeOrderedIdentifiers
  ) -> [(id: CommandID, instruction: Instruction)] {
    let (account, customer) = (account(number), customer(number))
    let funding = identifiers.next()
    return [
      (
        identifiers.next(),
        .registerCustomer(
          RegisterCustomer(customerID: customer, name: PersonalText("Bench customer \(number)"), country: "NZ"))
      ),
      (identifiers.next(), .verifyCustomer(VerifyCustomer(customerID: customer))),
      (
        identifiers.next(),
        .openAccount(OpenAccount(accountID: account, kind: .customer, customerID: customer, currency: .nzd))
      ),
      (
        funding,
        .postTransfer(
          PostTransfer(
            transferID: funding, debit: .id(funds), credit: .id(account), amount: BenchAccounts.opening, currency: .nzd)
        )
      ),
    ]
  }
}
