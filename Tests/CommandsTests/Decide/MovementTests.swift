import Commands
import Ledger
import Testing

/// Transfers, journals and reversals beyond the pre-flight list.
@Suite struct MovementTests {
  private var funded: Given { given(Bank.opened() + [Bank.deposited(1_000, to: Bank.everyday)]) }

  // MARK: Transfers

  @Test func transferSaysAllThatItWasToldAndResolvesNumbers() {
    let chosen = Bank.id(0x7)
    let transfer = PostTransfer(
      transferID: chosen, debit: .number(Bank.everydayNumber), credit: .id(Bank.bobs), amount: 250, currency: .nzd,
      reference: PersonalText("rent"), channel: .online, valueDate: day("2026-11-19"),
      occurredAt: CalendarDate.today.noon(plus: -60))
    var terms = TransferTerms(transfer, debit: Bank.everyday, credit: Bank.bobs)
    terms.reference?.subject = Bank.alice
    let decided = funded.when(.postTransfer(transfer))
    decided.then([.transferPosted(TransferPosted(terms: terms, basis: DecisionBasis(availableBefore: 1_000)))])
    #expect(decided.after.balance(Bank.everyday).posted == 750)
    #expect(decided.after.balance(Bank.bobs).posted == 250)
    #expect(decided.after.used(Bank.everyday) == 250)
    #expect(decided.after.used(Bank.bobs) == 0)
    #expect(decided.events.map { $0.stream(command: Given.command) } == [StreamID(.transfer, chosen)])
  }

  /// A free-text reference is under the key of the customer who wrote it.
  @Test func referenceBelongsToWhoeverWroteIt() {
    func owner(_ debit: AccountID, _ credit: AccountID, by actor: Actor) -> Identifier? {
      let transfer = PostTransfer(
        transferID: Given.command, debit: .id(debit), credit: .id(credit), amount: 1, currency: .nzd,
        reference: PersonalText("x"))
      guard case .transferPosted(let posted) = funded.when(.postTransfer(transfer), by: actor).events.first else {
        return nil
      }
      return posted.terms.reference?.subject
    }
    #expect(owner(Bank.everyday, Bank.bobs, by: .customer(Bank.alice)) == Bank.alice)
    #expect(owner(Bank.everyday, Bank.bobs, by: .maker) == Bank.alice)
    #expect(owner(Bank.cash, Bank.bobs, by: .maker) == Bank.bob)
    #expect(owner(Bank.cash, Bank.fees, by: .maker) == .zero)
  }

  @Test func overdraftIsSpentByTheLastCent() {
    let spare = Bank.id(0xA9)
    let book = given(Bank.opened() + [Bank.account(spare, of: Bank.alice, overdraft: 50)])
    book.when(.transfer(51, from: spare, to: Bank.bobs)).thenDeclined(
      .insufficientFunds,
      [
        .text("party", "debtor"), .text("account_id", spare.description), .amount("available", 50),
        .amount("amount", 51),
      ])
    #expect(book.when(.transfer(50, from: spare, to: Bank.bobs)).thenAccepted().after.balance(spare).posted == -50)
  }

  @Test func heldMoneyIsNotAvailable() {
    let book = funded.and([Bank.holdPlaced(400, on: Bank.everyday, id: Bank.id(1))])
    book.when(.transfer(600, from: Bank.everyday, to: Bank.bobs)).thenAccepted()
    book.when(.transfer(601, from: Bank.everyday, to: Bank.bobs)).thenDeclined(.insufficientFunds)
  }

  @Test func internalAccountHasAFloorUnlessItSaysOtherwise() {
    given(Bank.opened()).when(.transfer(1, from: Bank.fees, to: Bank.bobs)).thenDeclined(.insufficientFunds)
    let decided = given(Bank.opened()).when(.transfer(1, from: Bank.cash, to: Bank.bobs)).thenAccepted()
    #expect(decided.after.balance(Bank.cash).posted == -1)
  }

  @Test func chosenIdIsTakenOnce() {
    let taken = Bank.id(0x7)
    let book = funded.and([Bank.moved(1, from: Bank.everyday, to: Bank.bobs, id: taken)], command: Bank.id(0x8))
    book.when(.transfer(1, from: Bank.everyday, to: Bank.bobs, id: taken))
      .thenDeclined(.transferExists, failing: [.transferExists])
    book.when(.journal([(Bank.everyday, .debit, 1), (Bank.bobs, .credit, 1)], id: taken))
      .thenDeclined(.journalExists, failing: [.journalExists])
    // A command's id, whatever became of it, can't be chosen either.
    book.when(.transfer(1, from: Bank.everyday, to: Bank.bobs, id: Bank.id(0x8))).thenDeclined(.transferExists)
  }

  /// A decline doesn't take the id that the client chose.
  @Test func declinedUnderAChosenIdMayBeTriedAgain() {
    let chosen = Bank.id(0x7)
    let declined = funded.when(.transfer(5_000, from: Bank.everyday, to: Bank.bobs, id: chosen))
      .thenDeclined(.insufficientFunds)
    #expect(declined.events[0].stream(command: Given.command) == StreamID(.command, Given.command))
    declined.after.when(.transfer(5, from: Bank.everyday, to: Bank.bobs, id: chosen), as: Bank.id(0x9)).thenAccepted()
  }

  // MARK: The threshold

  @Test(arguments: [SubjectKind.account, .customer]) func aboveTheThresholdASecondPersonDecides(_ scope: SubjectKind) {
    let subject = scope == .account ? Bank.everyday : Bank.alice
    let book = funded.and([Bank.limit(.approvalThreshold, 100, of: subject, scope)])
    guard case .transferPosted = book.when(.transfer(100, from: Bank.everyday, to: Bank.bobs)).events.first else {
      Issue.record("the threshold itself is not above it")
      return
    }
    let held = book.when(.transfer(101, from: Bank.everyday, to: Bank.bobs))
    held.then([
      .transferHeldForApproval(
        TransferHeldForApproval(
          terms: Bank.terms(101, from: Bank.everyday, to: Bank.bobs, .nzd, id: Given.command),
          basis: DecisionBasis(
            availableBefore: 1_000,
            checks: [
              Check(
                .approvalThreshold, passed: false,
                [
                  .text("scope", scope.rawValue), .text("subject_id", subject.description), .amount("limit", 100),
                  .amount("amount", 101),
                ])
            ])))
    ])
    let after = held.after
    #expect(after.balance(Bank.everyday).posted == 1_000)
    #expect(after.balance(Bank.everyday).held == 101)
    #expect(after.used(Bank.everyday) == 101)
    #expect(after.balance(Bank.bobs).posted == 0)
  }

  @Test func declinedRatherThanHeldWhenACheckFails() {
    funded.and([Bank.limit(.approvalThreshold, 100, of: Bank.everyday)])
      .when(.transfer(1_001, from: Bank.everyday, to: Bank.bobs)).thenDeclined(.insufficientFunds)
  }

  // MARK: Journals

  @Test func journalMovesAllOrNothing() {
    let journal = Instruction.journal([
      (Bank.everyday, .debit, 700), (Bank.bobs, .credit, 650), (Bank.fees, .credit, 60), (Bank.fees, .debit, 10),
    ])
    let after = funded.when(journal).thenAccepted().after
    #expect(after.balance(Bank.everyday).posted == 300)
    #expect(after.balance(Bank.bobs).posted == 650)
    #expect(after.balance(Bank.fees).posted == 50)
    #expect(after.used(Bank.everyday) == 700)
    // What an account gets back in the same journal it hasn't used.
    #expect(after.used(Bank.fees) == 0)
  }

  @Test func journalInSeveralCurrenciesBalancesEach() {
    let australian = Bank.id(0xA4)
    let clearing = Bank.id(0xCA6)
    let book = funded.and([
      Bank.account(australian, of: Bank.alice, .aud), Bank.internalAccount(clearing, .aud, allowNegative: true),
    ])
    let postings = [
      PostingInstruction(account: .id(Bank.everyday), direction: .debit, amount: 110, currency: .nzd),
      PostingInstruction(account: .id(Bank.cash), direction: .credit, amount: 110, currency: .nzd),
      PostingInstruction(account: .id(clearing), direction: .debit, amount: 100, currency: .aud),
      PostingInstruction(account: .id(australian), direction: .credit, amount: 100, currency: .aud),
    ]
    let after = book.when(.postJournal(PostJournal(journalID: Given.command, postings: postings))).thenAccepted().after
    #expect(after.balance(australian).posted == 100)
    #expect(after.balance(Bank.everyday).posted == 890)

    var crossed = postings
    crossed[3].amount = 110
    crossed[1].amount = 100
    book.when(.postJournal(PostJournal(journalID: Given.command, postings: crossed)))
      .thenDeclined(
        .unbalanced, [.text("currency", "AUD"), .text("debits", "100"), .text("credits", "110")])
  }

  @Test func unbalancedComesBeforeThePreFlightList() {
    funded.when(.journal([(Bank.nobodys, .debit, 2), (Bank.nobodys, .credit, 1)]))
      .thenDeclined(.unbalanced, [.text("currency", "NZD"), .text("debits", "2"), .text("credits", "1")])
  }

  @Test func journalAboveTheThresholdOfOneAccountWaitsWhole() {
    let book = funded.and([
      Bank.limit(.approvalThreshold, 100, of: Bank.everyday), Bank.deposited(50, to: Bank.bobs, id: Bank.id(3)),
    ])
    let held = book.when(.journal([(Bank.everyday, .debit, 101), (Bank.bobs, .debit, 10), (Bank.fees, .credit, 111)]))
      .thenAccepted()
    guard case .journalHeldForApproval = held.events.first else {
      Issue.record("not held: \(held.decision)")
      return
    }
    #expect(held.after.balance(Bank.everyday).held == 101)
    #expect(held.after.balance(Bank.bobs).held == 10)
    let posted = held.after.when(.approve(Given.command), by: .checker, as: Bank.id(0x99)).thenAccepted().after
    #expect(posted.balance(Bank.everyday).posted == 899)
    #expect(posted.balance(Bank.everyday).held == 0)
    #expect(posted.balance(Bank.bobs).posted == 40)
    #expect(posted.balance(Bank.fees).posted == 111)
    #expect(posted.used(Bank.everyday) == 101)
  }

  /// The customer's threshold is compared with all that the journal takes from that customer.
  @Test func journalAboveACustomersThreshold() {
    let book = funded.and([
      Bank.deposited(500, to: Bank.savings, id: Bank.id(1)),
      Bank.limit(.approvalThreshold, 100, of: Bank.alice, .customer),
    ])
    let decided = book.when(
      .journal([(Bank.everyday, .debit, 60), (Bank.savings, .debit, 60), (Bank.bobs, .credit, 120)]))
    guard case .journalHeldForApproval = decided.events.first else {
      Issue.record("not held: \(decided.decision)")
      return
    }
    decided.after.when(.approve(Given.command), by: .checker, as: Bank.id(0x99)).thenAccepted()
  }

  /// Limits that were just enough when it was held are just enough when it is approved.
  @Test func journalOfTwoAccountsKeepsItsOwnReservation() {
    let book = funded.and([
      Bank.deposited(60, to: Bank.savings, id: Bank.id(1)), Bank.limit(.daily, 120, of: Bank.alice, .customer),
      Bank.limit(.approvalThreshold, 100, of: Bank.alice, .customer),
    ])
    let held = book.when(
      .journal([(Bank.everyday, .debit, 60), (Bank.savings, .debit, 60), (Bank.bobs, .credit, 120)])
    )
    .thenAccepted()
    let approved = held.after.when(.approve(Given.command), by: .checker, as: Bank.id(0x99)).thenAccepted()
    #expect(approved.after.balance(Bank.savings).posted == 0)
  }

  // MARK: Reversals

  private let transfer = Bank.id(0x7)

  private func reverse(_ id: TransferID) -> Instruction {
    .reverseTransfer(ReverseTransfer(transferID: id, reason: PersonalText("mistake")))
  }

  @Test func reverseTransfer() {
    let book = funded.and([Bank.moved(400, from: Bank.everyday, to: Bank.bobs, id: transfer)], on: day("2026-11-10"))
    let decided = book.when(reverse(transfer))
    decided.then([
      .transferReversed(
        TransferReversed(
          transferID: transfer, reason: PersonalText("mistake", subject: Bank.alice), debitAccountID: Bank.bobs,
          creditAccountID: Bank.everyday, amount: 400, currency: .nzd, limitsUsedOn: day("2026-11-10")))
    ])
    #expect(decided.after.balance(Bank.everyday).posted == 1_000)
    #expect(decided.after.balance(Bank.bobs).posted == 0)
    decided.after.when(reverse(transfer), as: Bank.id(0x99)).thenDeclined(.alreadyReversed)
  }

  @Test func reverseWhatIsNotPosted() {
    funded.when(reverse(transfer)).thenDeclined(.unknownTransfer, [.text("transfer_id", transfer.description)])
    let held = funded.and([Bank.held(1, from: Bank.everyday, to: Bank.bobs, id: transfer)])
    held.when(reverse(transfer)).thenDeclined(.notPosted, [.text("status", "held_for_approval")])
    held.when(.reject(transfer), by: .checker).after.when(reverse(transfer), as: Bank.id(0x99))
      .thenDeclined(.notPosted, [.text("status", "rejected")])
  }

  /// Whether the declined transfer named its accounts by id or by number makes no difference.
  @Test(arguments: [AccountReference.id(Bank.everyday), .number(Bank.everydayNumber)])
  func reverseWhatWasDeclined(_ reference: AccountReference) {
    let declined = funded.when(
      .postTransfer(
        PostTransfer(
          transferID: transfer, debit: reference, credit: .id(Bank.bobs), amount: 9_999, currency: .nzd)), as: transfer
    ).thenDeclined(.insufficientFunds)
    declined.after.when(reverse(transfer)).thenDeclined(.notPosted, [.text("status", "declined")])
  }

  @Test func reversalMayNotOverdraw() {
    let book = funded.and([
      Bank.moved(400, from: Bank.everyday, to: Bank.bobs, id: transfer),
      Bank.moved(1, from: Bank.bobs, to: Bank.fees, id: Bank.id(8)),
    ])
    book.when(reverse(transfer)).thenDeclined(
      .wouldOverdraw,
      [.text("account_id", Bank.bobs.description), .amount("available", 399), .amount("amount", 400)])
  }

  /// Putting something right isn't spending: no limit of either side stands in its way.
  @Test func reversalAsksForNoLimit() {
    funded.and([
      Bank.moved(400, from: Bank.everyday, to: Bank.bobs, id: transfer), Bank.limit(.perTransaction, 0, of: Bank.bobs),
      Bank.limit(.daily, 0, of: Bank.bob, .customer), Bank.frozen(Bank.everyday),
    ]).when(reverse(transfer)).thenAccepted()
  }

  @Test func reversalIntoAClosedAccount() {
    let book = given(
      Bank.opened() + [
        Bank.deposited(400, to: Bank.everyday), Bank.moved(400, from: Bank.everyday, to: Bank.bobs, id: transfer),
        Bank.closed(Bank.everyday),
      ])
    book.when(reverse(transfer)).thenDeclined(
      .accountNotOpen, [.text("account_id", Bank.everyday.description), .text("status", "closed")])
  }
}
