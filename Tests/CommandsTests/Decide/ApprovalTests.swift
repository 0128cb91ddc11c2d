import Commands
import Ledger
import Testing

/// What a second person decides, and who that may be.
@Suite struct ApprovalTests {
  private let waiting = Bank.id(0x4A17)
  private var held: Given {
    given(Bank.opened() + [Bank.deposited(1_000, to: Bank.everyday)])
      .and([Bank.held(400, from: Bank.everyday, to: Bank.bobs, id: waiting)], on: day("2026-11-16"))
  }

  private func note(_ reason: PersonalText? = nil, maker: Actor = .maker) -> ApprovalNote {
    ApprovalNote(commandID: waiting, maker: maker, reason: reason)
  }

  @Test func approveTransfer() {
    let decided = held.when(.approve(Approve(commandID: waiting, reason: PersonalText("fine"))), by: .checker)
    decided.then([
      .transferPosted(
        TransferPosted(
          terms: Bank.terms(400, from: Bank.everyday, to: Bank.bobs, .nzd, id: waiting),
          basis: DecisionBasis(availableBefore: 1_000), approval: note(PersonalText("fine", subject: Bank.alice))))
    ])
    let after = decided.after
    #expect(after.balance(Bank.everyday).posted == 600)
    #expect(after.balance(Bank.everyday).held == 0)
    #expect(after.balance(Bank.bobs).posted == 400)
    // It used its limits on the day it was asked for, once.
    #expect(after.used(Bank.everyday, on: day("2026-11-16")) == 400)
    #expect(after.used(Bank.everyday) == 0)
    #expect(after.state.approvals[waiting]?.status == .approved)
    #expect(decided.events.map { $0.stream(command: Given.command) } == [StreamID(.transfer, waiting)])
  }

  @Test func rejectTransfer() {
    let decided = held.when(.reject(Reject(commandID: waiting, reason: PersonalText("no"))), by: .checker)
    decided.then([
      .approvalRejected(
        ApprovalRejected(
          note: note(PersonalText("no", subject: Bank.alice)), cause: .rejected, subject: StreamID(.transfer, waiting)))
    ])
    #expect(decided.after.balance(Bank.everyday).held == 0)
    #expect(decided.after.balance(Bank.everyday).posted == 1_000)
    #expect(decided.after.used(Bank.everyday, on: day("2026-11-16")) == 0)
    #expect(decided.after.state.approvals[waiting]?.status == .rejected)
  }

  @Test(arguments: [Instruction.approve(Bank.id(0x4A17)), .reject(Bank.id(0x4A17))])
  func onlyOnceAndByAnotherPerson(_ decision: Instruction) {
    given(Bank.opened()).when(decision, by: .checker)
      .thenDeclined(.unknownApproval, [.text("command_id", waiting.description)])
    held.when(decision, by: .maker).thenDeclined(.samePerson, [.text("maker", "operator:mia")])
    held.when(.approve(waiting), by: .checker).after.when(decision, by: .named(.operator, "third"), as: Bank.id(0x99))
      .thenDeclined(.alreadyDecided, [.text("status", "approved")])
    held.when(.reject(waiting), by: .checker).after.when(decision, by: .named(.operator, "third"), as: Bank.id(0x99))
      .thenDeclined(.alreadyDecided, [.text("status", "rejected")])
    // Decided comes before who decides.
    held.when(.reject(waiting), by: .checker).after.when(decision, by: .maker, as: Bank.id(0x99))
      .thenDeclined(.alreadyDecided)
  }

  /// Somebody who gave the command as a service can't agree as an operator.
  @Test func samePersonUnderAnotherRole() {
    let book = given(Bank.opened() + [Bank.deposited(1_000, to: Bank.everyday)])
      .and([Bank.held(400, from: Bank.everyday, to: Bank.bobs, id: waiting)], by: .named(.service, "mia"))
    book.when(.approve(waiting), by: .named(.operator, "mia")).thenDeclined(
      .samePerson, [.text("maker", "service:mia")])
    book.when(.approve(waiting), by: .named(.operator, "not-mia")).thenAccepted()
  }

  @Test func frozenWhileItWaited() {
    let decided = held.and([Bank.frozen(Bank.bobs)]).when(.approve(waiting), by: .checker)
      .thenDeclined(.accountNotOpen, failing: [.accountNotOpen])
    guard case .approvalRejected(let rejected) = decided.events.first else {
      Issue.record("not rejected: \(decided.decision)")
      return
    }
    #expect(rejected.cause == .checksFailed)
    #expect(rejected.code == .accountNotOpen)
    #expect(rejected.note == note())
    let after = decided.after
    #expect(after.balance(Bank.everyday).held == 0)
    #expect(after.used(Bank.everyday, on: day("2026-11-16")) == 0)
    #expect(after.state.approvals[waiting]?.status == .rejected)
    after.when(.approve(waiting), by: .checker, as: Bank.id(0x99)).thenDeclined(.alreadyDecided)
  }

  /// The reservation counts for its own transfer and against every other.
  @Test func ownReservationIsNotCountedAgainstIt() {
    let book = given(Bank.opened() + [Bank.deposited(400, to: Bank.everyday)])
      .and([
        Bank.held(400, from: Bank.everyday, to: Bank.bobs, id: waiting), Bank.limit(.daily, 400, of: Bank.everyday),
      ])
    book.when(.transfer(1, from: Bank.everyday, to: Bank.bobs))
      .thenDeclined(.limitDaily, failing: [.limitDaily, .insufficientFunds])
    book.when(.approve(waiting), by: .checker).thenAccepted()
    // Of two that wait, each sees the other's.
    let two = given(Bank.opened() + [Bank.deposited(400, to: Bank.everyday)]).and([
      Bank.held(300, from: Bank.everyday, to: Bank.bobs, id: waiting),
      Bank.held(100, from: Bank.everyday, to: Bank.bobs, id: Bank.id(0x4A18)),
      Bank.limit(.daily, 399, of: Bank.everyday),
    ])
    let decided = two.when(.approve(waiting), by: .checker).thenDeclined(.limitDaily)
    #expect(decided.checks.first { !$0.passed }?.figures.contains(.amount("used", 100)) == true)
  }

  /// What was held used up the limits of the day that it was held on, and uses up none of another day's.
  @Test func limitsOfTheDayItWasHeldOn() {
    let next = day("2026-11-19")
    let held = given(Bank.opened() + [Bank.deposited(3_000, to: Bank.everyday)]).and([
      Bank.held(800, from: Bank.everyday, to: Bank.bobs, id: waiting), Bank.limit(.daily, 1_000, of: Bank.everyday),
      Bank.limit(.weekly, 1_400, of: Bank.everyday),
    ])
    // Whichever comes first, the other is decided as if it were alone that day.
    let approved = held.when(.approve(waiting), by: .checker, on: next).thenAccepted()
    approved.after.when(.transfer(600, from: Bank.everyday, to: Bank.bobs), on: next).thenAccepted()
    let moved = held.and([Bank.moved(500, from: Bank.everyday, to: Bank.bobs)], on: next)
    let later = moved.when(.approve(waiting), by: .checker, on: next).thenAccepted()
    guard case .transferPosted(let posted)? = later.events.first else {
      Issue.record("not posted: \(later.events)")
      return
    }
    let daily = posted.basis.checks.first { $0.code == .limitDaily }
    #expect(daily?.passed == true && daily?.figures.contains(.text("counted_on", "2026-11-18")) == true)
    // The week is the same one: there it counts, once.
    let more = held.and([Bank.moved(601, from: Bank.everyday, to: Bank.bobs)], on: next)
    more.when(.approve(waiting), by: .checker, on: next).thenDeclined(.limitWeekly)
  }

  // MARK: What else waits

  @Test func setPolicy() {
    let change = PolicyChange.fraudScoreMaximum(500)
    let proposed = given(Bank.opened()).when(.setPolicy(SetPolicy(change: change)), as: waiting)
    proposed.then([.policyChangeProposed(PolicyChangeProposed(bookID: Bank.book, change: change))])
    #expect(proposed.after.state.book?.policies.fraudScoreMaximum == 700)
    proposed.after.when(.approve(waiting), by: .maker).thenDeclined(.samePerson)

    let set = proposed.after.when(.approve(waiting), by: .checker)
    set.then([.policySet(PolicySet(bookID: Bank.book, change: change, approval: note()))])
    #expect(set.after.state.book?.policies.fraudScoreMaximum == 500)

    let refused = proposed.after.when(.reject(waiting), by: .checker)
    refused.then([
      .approvalRejected(ApprovalRejected(note: note(), cause: .rejected, subject: StreamID(.book, Bank.book)))
    ])
    #expect(refused.after.state.book?.policies.fraudScoreMaximum == 700)
    #expect(refused.after.state.book?.version == 3)
  }

  @Test func activateRuleSet() {
    let proposed = given(Bank.opened()).when(.activateRuleSet(ActivateRuleSet(ruleSet: 2)), as: waiting)
    proposed.then([.ruleSetProposed(RuleSetProposed(bookID: Bank.book, ruleSet: 2))])
    #expect(proposed.after.state.book?.ruleSet == 1)
    proposed.after.when(.approve(waiting), by: .maker).thenDeclined(.samePerson)

    let activated = proposed.after.when(.approve(waiting), by: .checker)
    activated.then([.ruleSetActivated(RuleSetActivated(bookID: Bank.book, ruleSet: 2, approval: note()))])
    #expect(activated.after.state.book?.ruleSet == 2)
    #expect(activated.after.state.approvals[waiting]?.status == .approved)

    let refused = proposed.after.when(.reject(waiting), by: .checker)
    refused.then([
      .approvalRejected(ApprovalRejected(note: note(), cause: .rejected, subject: StreamID(.book, Bank.book)))
    ])
    #expect(refused.after.state.book?.ruleSet == 1)
    // By the time of the approval another one is active.
    let late = proposed.after.when(.activateRuleSet(ActivateRuleSet(ruleSet: 3)), by: .kauri, as: Bank.id(0x98)).after
    let check = Check(.ruleSetNotNewer, passed: false, [.integer("active", 3)])
    let rejected = late.when(.approve(waiting), by: .checker).thenDeclined(.ruleSetNotNewer)
    #expect(
      rejected.events == [
        .approvalRejected(
          ApprovalRejected(
            note: note(), cause: .checksFailed, code: .ruleSetNotNewer, checks: [check],
            subject: StreamID(.book, Bank.book)))
      ])
  }

  @Test func confirmAndClearMatch() {
    let finding = MatchFinding(
      customerID: Bank.alice, list: "UN", entryID: "QDi.001", reason: PersonalText("same name"))
    var owned = finding
    owned.reason?.subject = Bank.alice
    let book = given(Bank.opened() + [Bank.deposited(10, to: Bank.everyday)])
    let proposed = book.when(.confirmMatch(ConfirmMatch(finding: finding)), as: waiting)
    proposed.then([.sanctionsMatchProposed(SanctionsMatchProposed(finding: owned, decision: .confirm))])
    // Nothing happens to her money until somebody agrees.
    proposed.after.when(.transfer(1, from: Bank.everyday, to: Bank.bobs)).thenAccepted()

    let confirmed = proposed.after.when(.approve(waiting), by: .checker)
    confirmed.then([.sanctionsMatchConfirmed(SanctionsMatchConfirmed(finding: owned, approval: note()))])
    confirmed.after.when(.transfer(1, from: Bank.everyday, to: Bank.bobs, id: Bank.id(0x99)), as: Bank.id(0x99))
      .thenDeclined(.sanctionsMatch)
    confirmed.after.when(.confirmMatch(ConfirmMatch(finding: finding)), as: Bank.id(0x99))
      .thenDeclined(.wrongState, [.text("sanctions_match", "confirmed")])

    let clearing = confirmed.after.when(.clearMatch(ClearMatch(finding: finding)), as: Bank.id(0x4A18))
    clearing.then([.sanctionsMatchProposed(SanctionsMatchProposed(finding: owned, decision: .clear))])
    let cleared = clearing.after.when(.approve(Bank.id(0x4A18)), by: .checker, as: Bank.id(0x9A)).thenAccepted()
    cleared.after.when(.transfer(1, from: Bank.everyday, to: Bank.bobs, id: Bank.id(0x99)), as: Bank.id(0x99))
      .thenAccepted()
    book.when(.clearMatch(ClearMatch(finding: finding))).thenDeclined(
      .wrongState, [.text("sanctions_match", "none")])
  }

  @Test func matchOfNobody() {
    let finding = MatchFinding(customerID: Bank.nobodys)
    for instruction in [
      Instruction.confirmMatch(ConfirmMatch(finding: finding)), .clearMatch(ClearMatch(finding: finding)),
    ] {
      given(Bank.opened()).when(instruction)
        .thenDeclined(.unknownCustomer, [.text("customer_id", Bank.nobodys.description)])
    }
  }
}
