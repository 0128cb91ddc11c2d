import Commands
import Ledger
import Testing

/// Int64's edges: nothing wraps around, and nothing is declined that fits.
@Suite struct OverflowTests {
  private static let max = MinorUnits.max
  private let rich = Bank.id(0x41C4)

  private func balanceOverflow(_ party: String, _ account: AccountID, _ amount: MinorUnits) -> [Figure] {
    [.text("party", party), .text("account_id", account.description), .amount("amount", amount)]
  }

  @Test func allTheMoneyThereIs() {
    let full = given(Bank.opened()).when(.transfer(OverflowTests.max, from: Bank.cash, to: Bank.bobs)).thenAccepted()
      .after
    #expect(full.balance(Bank.bobs).posted == .max)
    #expect(full.balance(Bank.cash).posted == -.max)
    // The source has a cent of room more than the negative of the maximum, its usage of today has none.
    full.when(.transfer(1, from: Bank.cash, to: Bank.fees, id: Bank.id(0x99)), as: Bank.id(0x99))
      .thenDeclined(.balanceOverflow, balanceOverflow("debtor", Bank.cash, 1))
    full.when(.transfer(1, from: Bank.cash, to: Bank.fees, id: Bank.id(0x99)), as: Bank.id(0x99), on: day("2026-11-19"))
      .thenAccepted()
  }

  @Test func creditorsBalance() {
    let book = given(
      Bank.opened() + [Bank.deposited(.max, to: Bank.bobs), Bank.internalAccount(rich, allowNegative: true)])
    book.when(.transfer(1, from: rich, to: Bank.bobs))
      .thenDeclined(.balanceOverflow, balanceOverflow("creditor", Bank.bobs, 1))
    book.when(.journal([(rich, .debit, 1), (Bank.bobs, .credit, 1)]))
      .thenDeclined(.balanceOverflow, balanceOverflow("creditor", Bank.bobs, 1))
    let held = book.and([Bank.internalAccount(Bank.id(0x41C5), allowNegative: true)])
      .when(.hold(1, on: rich, id: Bank.id(1)), as: Bank.id(2)).thenAccepted().after
    held.when(.captureHold(CaptureHold(holdID: Bank.id(1), credit: .id(Bank.bobs))))
      .thenDeclined(.balanceOverflow, balanceOverflow("creditor", Bank.bobs, 1))
  }

  /// Entries have the balance after each posting, so it has to fit after each, and not only in the end.
  @Test func balanceBetweenThePostingsOfAJournal() {
    let book = given(Bank.opened() + [Bank.deposited(100, to: Bank.bobs)])
    book.when(.journal([(Bank.bobs, .credit, .max), (Bank.bobs, .debit, .max)]))
      .thenDeclined(.balanceOverflow, balanceOverflow("creditor", Bank.bobs, 0))
    book.when(.journal([(Bank.bobs, .credit, .max - 100), (Bank.bobs, .debit, .max - 100)])).thenAccepted()
    book.when(.journal([(Bank.bobs, .debit, .max), (Bank.bobs, .credit, .max)])).thenAccepted()
    // Below zero by the greatest amount there is, and then by two more.
    let poor = given(
      Bank.opened() + [
        Bank.internalAccount(rich, allowNegative: true), Bank.moved(2, from: rich, to: Bank.bobs, id: Bank.id(1)),
      ])
    poor.when(.journal([(rich, .debit, .max), (rich, .credit, .max)]))
      .thenDeclined(.balanceOverflow, balanceOverflow("creditor", rich, 0))
    poor.when(.journal([(rich, .credit, .max), (rich, .debit, .max)])).thenAccepted()
  }

  @Test func debtorsBalance() {
    // Two days, so that only the balance runs out of room.
    let book = given(Bank.opened() + [Bank.deposited(.max, to: Bank.bobs)], on: day("2026-11-10"))
      .and([Bank.moved(1, from: Bank.cash, to: Bank.fees, id: Bank.id(1))])
    #expect(book.balance(Bank.cash).posted == .min)
    book.when(.transfer(1, from: Bank.cash, to: Bank.fees))
      .thenDeclined(.balanceOverflow, balanceOverflow("debtor", Bank.cash, 1))
  }

  @Test func reversal() {
    let transfer = Bank.id(7)
    let refill = [
      Bank.moved(5, from: Bank.everyday, to: Bank.bobs, id: transfer),
      Bank.internalAccount(rich, allowNegative: true), Bank.moved(.max, from: rich, to: Bank.everyday, id: Bank.id(8)),
    ]
    let reverse = Instruction.reverseTransfer(ReverseTransfer(transferID: transfer, reason: PersonalText("x")))
    given(Bank.opened() + [Bank.deposited(5, to: Bank.everyday)] + refill, on: day("2026-11-10")).when(reverse)
      .thenDeclined(.balanceOverflow)
  }

  @Test func overdraftAtTheEdge() {
    let book = given(
      Bank.opened() + [Bank.account(rich, of: Bank.alice, overdraft: .max)])
    #expect(book.state.accounts[rich]?.available == .max)
    let spent = book.when(.transfer(.max, from: rich, to: Bank.bobs)).thenAccepted().after
    #expect(spent.balance(rich).posted == -.max)
    #expect(spent.state.accounts[rich]?.available == 0)
    // With a balance besides, more is available than an amount can say.
    let both = book.and([Bank.deposited(.max, to: rich, id: Bank.id(1))])
    #expect(both.state.accounts[rich]?.available == .max)
    both.when(.transfer(.max, from: rich, to: Bank.bobs)).thenAccepted()
  }

  /// All that can be held is held; a waiting transfer adds nothing to it when it is approved.
  @Test func approvalOfAllThereIs() {
    let waiting = Bank.id(0x4A17)
    let book = given(Bank.opened() + [Bank.deposited(.max, to: Bank.everyday)])
      .and([Bank.limit(.approvalThreshold, 0, of: Bank.everyday), Bank.limit(.daily, .max, of: Bank.everyday)])
    let held = book.when(.transfer(.max, from: Bank.everyday, to: Bank.bobs), as: waiting).after
    #expect(held.balance(Bank.everyday).held == .max)
    let approved = held.when(.approve(waiting), by: .checker).thenAccepted().after
    #expect(approved.balance(Bank.bobs).posted == .max)
    #expect(approved.balance(Bank.everyday).held == 0)
    #expect(held.when(.reject(waiting), by: .checker).after.balance(Bank.everyday).held == 0)
  }

  @Test func heldMoneyAtTheEdge() {
    let book = given(Bank.opened() + [Bank.holdPlaced(.max, on: Bank.cash, id: Bank.id(1))], on: day("2026-11-10"))
    book.when(.hold(1, on: Bank.cash)).thenDeclined(.balanceOverflow, balanceOverflow("debtor", Bank.cash, 1))
    let captured = book.when(.captureHold(CaptureHold(holdID: Bank.id(1), credit: .id(Bank.bobs)))).thenAccepted().after
    #expect(captured.balance(Bank.bobs).posted == .max)
    #expect(captured.balance(Bank.cash).held == 0)
  }

  @Test func usageBeyondTheEdgeIsOverEveryLimit() {
    let book = given(Bank.opened(), on: day("2026-11-10"))
      .and([Bank.moved(.max, from: Bank.cash, to: Bank.bobs)], on: day("2026-11-10"))
      .and([Bank.moved(.max, from: Bank.bobs, to: Bank.cash, id: Bank.id(9))], on: day("2026-11-10"))
      .and([Bank.limit(.monthly, .max, of: Bank.cash)])
    book.when(.transfer(1, from: Bank.cash, to: Bank.fees)).thenDeclined(
      .limitMonthly,
      [
        .text("scope", "account"), .text("subject_id", Bank.cash.description), .amount("limit", .max),
        .amount("used", .max), .amount("amount", 1),
      ])
  }

  @Test func journalSums() {
    let book = given(Bank.opened() + [Bank.internalAccount(rich, allowNegative: true)])
    book.when(
      .journal([(Bank.cash, .debit, .max), (rich, .debit, 1), (Bank.bobs, .credit, .max), (Bank.fees, .credit, 1)])
    )
    .thenDeclined(.unbalanced, [.text("currency", "NZD"), .text("sum", "overflow")])
    book.when(.journal([(Bank.cash, .debit, .max), (rich, .debit, .max), (Bank.bobs, .credit, .max)]))
      .thenDeclined(
        .unbalanced,
        [
          .text("currency", "NZD"), .text("debits", "18446744073709551614"),
          .text("credits", "9223372036854775807"),
        ])
    let after = book.when(.journal([(Bank.cash, .debit, .max), (Bank.bobs, .credit, .max)])).thenAccepted().after
    #expect(after.balance(Bank.bobs).posted == .max)
  }

  @Test func customersLimitOverSeveralFullAccounts() {
    let book = given(
      Bank.opened() + [
        Bank.account(rich, of: Bank.alice, overdraft: .max),
        Bank.account(Bank.id(0x41C5), of: Bank.alice, overdraft: .max),
        Bank.moved(.max, from: rich, to: Bank.cash), Bank.moved(.max, from: Bank.cash, to: Bank.fees, id: Bank.id(2)),
        Bank.limit(.daily, .max, of: Bank.alice, .customer),
      ])
    book.when(.transfer(1, from: Bank.id(0x41C5), to: Bank.bobs)).thenDeclined(.limitDaily)
  }
}
