import BookByChance
import Commands
import Ledger
import Testing

/// The pre-flight list as tables, for every movement that it guards.
@Suite struct PreFlightTests {
  typealias World = PreFlightWorld

  /// All but this check and those after it pass; an account that is both sides can't be unknown as well.
  private static func fromHereOn(_ code: RejectionCode, _ list: [RejectionCode]) -> [RejectionCode] {
    let later = list.drop { $0 != code }
    return later.filter { code != .unknownAccount || $0 != .sameAccount }
  }

  // MARK: A transfer

  @Test(arguments: World.order)
  func transferFailsOneCheckAlone(_ code: RejectionCode) {
    let world = World([code])
    let decided = world.given.when(world.transfer).thenDeclined(code, failing: [code])
    // Every other check was evaluated too.
    #expect(Set(decided.checks.map(\.code)) == Set(World.order))
  }

  @Test(arguments: World.order)
  func transferFailsThisAndAllLaterChecks(_ code: RejectionCode) {
    let world = World(PreFlightTests.fromHereOn(code, World.order))
    world.given.when(world.transfer).thenDeclined(code, failing: world.failing)
  }

  @Test func transferPassesByTheLastCent() {
    let world = World([])
    let decided = world.given.when(world.transfer).thenAccepted()
    let after = decided.after
    #expect(after.balance(Bank.everyday).posted == 0)
    #expect(after.balance(Bank.bobs).posted == World.amount + World.used)
    #expect(after.used(Bank.everyday) == World.amount + World.used)
  }

  /// Whatever the combination, the first failure in the contract's order is the code and all failures are reported.
  @Test func anyCombinationReportsAllAndNamesTheFirst() {
    var chance = Chance("pre-flight combinations")
    for _ in 0..<300 {
      let world = World(World.order.filter { $0 != .sameAccount && chance.oneIn(3) })
      guard let first = world.failing.first else { continue }
      world.given.when(world.transfer).thenDeclined(first, failing: world.failing)
      world.given.when(world.journal).thenDeclined(first, failing: world.failing)
    }
  }

  @Test func bothSidesTheSameUnknownAccount() {
    given(Bank.opened()).when(.transfer(1, from: Bank.nobodys, to: Bank.nobodys))
      .thenDeclined(.unknownAccount, failing: [.unknownAccount, .sameAccount])
  }

  @Test func oneAccountByIdAndByNumberIsTheSame() {
    let transfer = PostTransfer(
      transferID: Given.command, debit: .id(Bank.everyday), credit: .number(Bank.everydayNumber), amount: 1,
      currency: .nzd)
    given(Bank.opened() + [Bank.deposited(1, to: Bank.everyday)]).when(.postTransfer(transfer))
      .thenDeclined(.sameAccount, failing: [.sameAccount])
  }

  // MARK: Figures

  static let debtor: [Figure] = [.text("party", "debtor"), .text("account_id", Bank.everyday.description)]

  static let figures: [(RejectionCode, [Figure])] = [
    (.unknownAccount, [.text("party", "creditor"), .text("account_id", Bank.nobodys.description)]),
    (.sameAccount, []),
    (.accountNotOpen, debtor + [.text("status", "frozen")]),
    (.customerNotVerified, debtor + [.text("customer_id", Bank.alice.description), .text("status", "suspended")]),
    (.sanctionsMatch, debtor + [.text("customer_id", Bank.alice.description)]),
    (
      .fraudScoreTooHigh,
      debtor + [
        .integer("score", 701), .integer("maximum", 700), .text("model", "fraud-7"),
        .text("scored_at", World.scoredAt.description),
      ]
    ),
    (
      .fraudScoreStale,
      debtor + [
        .text("rule", "block"), .integer("age_seconds", 86_400), .integer("maximum_age_seconds", 86_400),
      ]
    ),
    (.limitPerTransaction, limit(99, used: 0)),
    (.limitDaily, limit(129, used: 30)),
    (.limitWeekly, limit(129, used: 30)),
    (.limitMonthly, limit(129, used: 30)),
    (.limitRolling30Days, limit(129, used: 30)),
    (.insufficientFunds, debtor + [.amount("available", 99), .amount("amount", 100)]),
  ]

  static func limit(_ limit: MinorUnits, used: MinorUnits) -> [Figure] {
    [
      .text("scope", "account"), .text("subject_id", Bank.everyday.description), .amount("limit", limit),
      .amount("used", used), .amount("amount", 100),
    ]
  }

  @Test(arguments: figures)
  func declineSaysWhatWasCompared(_ code: RejectionCode, _ figures: [Figure]) {
    let world = World([code])
    let failed = world.given.when(world.transfer).checks.filter { !$0.passed }
    // Where Alice is both sides, she fails for both; the debtor comes first.
    #expect(failed.first == Check(code, passed: false, figures))
  }

  @Test func currencyMismatchNamesBothSides() {
    let world = World([.currencyMismatch])
    let failed = world.given.when(world.transfer).checks.filter { !$0.passed }
    #expect(
      failed == [
        Check(
          .currencyMismatch, passed: false,
          PreFlightTests.debtor + [.text("account_currency", "NZD"), .text("currency", "AUD")]),
        Check(
          .currencyMismatch, passed: false,
          [
            .text("party", "creditor"), .text("account_id", Bank.bobs.description), .text("account_currency", "NZD"),
            .text("currency", "AUD"),
          ]),
      ])
  }

  // MARK: The creditor

  @Test(arguments: [
    (Bank.frozen(Bank.bobs), RejectionCode.accountNotOpen), (Bank.closed(Bank.bobs), .accountNotOpen),
    (Bank.suspended(Bank.bob), .customerNotVerified), (Bank.matched(Bank.bob), .sanctionsMatch),
  ])
  func creditorIsLookedAtToo(_ fault: Event, _ code: RejectionCode) {
    given(Bank.opened() + [Bank.deposited(10, to: Bank.everyday), fault])
      .when(.transfer(10, from: Bank.everyday, to: Bank.bobs)).thenDeclined(code, failing: [code])
  }

  @Test func creditorsScoresAndLimitsDontCount() {
    given(
      Bank.opened() + [
        Bank.deposited(10, to: Bank.everyday), Bank.fraudScore(1_000, at: World.scoredAt, of: Bank.bob),
        Bank.limit(.perTransaction, 0, of: Bank.bobs), Bank.limit(.daily, 0, of: Bank.bob, .customer),
      ]
    ).when(.transfer(10, from: Bank.everyday, to: Bank.bobs)).thenAccepted()
  }

  // MARK: A hold

  @Test(arguments: World.ofDebtor)
  func holdFailsOneCheckAlone(_ code: RejectionCode) {
    let world = World([code])
    world.given.when(world.hold).thenDeclined(code, failing: [code])
  }

  @Test(arguments: World.ofDebtor)
  func holdFailsThisAndAllLaterChecks(_ code: RejectionCode) {
    let world = World(PreFlightTests.fromHereOn(code, World.ofDebtor))
    world.given.when(world.hold).thenDeclined(code, failing: world.failing)
  }

  @Test func holdOnAnUnknownAccount() {
    given(Bank.opened()).when(.hold(1, on: Bank.nobodys)).thenDeclined(
      .unknownAccount, [.text("party", "debtor"), .text("account_id", Bank.nobodys.description)])
  }

  // MARK: A journal

  @Test(arguments: World.order.filter { $0 != .sameAccount })
  func journalFailsOneCheckAlone(_ code: RejectionCode) {
    let world = World([code])
    world.given.when(world.journal).thenDeclined(code, failing: [code])
  }

  @Test(arguments: World.order.filter { $0 != .sameAccount })
  func journalFailsThisAndAllLaterChecks(_ code: RejectionCode) {
    let world = World(PreFlightTests.fromHereOn(code, World.order).filter { $0 != .sameAccount })
    world.given.when(world.journal).thenDeclined(code, failing: world.failing)
  }

  /// Each debited account is checked, whichever posting it is in.
  @Test(arguments: World.order.filter { $0 != .sameAccount && $0 != .unknownAccount })
  func journalChecksEveryDebitedAccount(_ code: RejectionCode) {
    let world = World([code])
    let sound = Bank.deposited(50, to: Bank.fees, id: Bank.id(0xF))
    let journal = Instruction.journal(
      [(Bank.fees, .debit, 50), (Bank.bobs, .credit, 150), (Bank.everyday, .debit, World.amount)], world.currency)
    world.given.and([sound]).when(journal).thenDeclined(code, failing: [code])
  }

  // MARK: What waits for a second person

  /// What can go wrong while a transfer waits: accounts don't vanish, and its own reservation keeps its funds.
  static let whileWaiting = World.ofDebtor.filter { $0 != .currencyMismatch && $0 != .insufficientFunds }

  private func approveAfter(_ faults: [RejectionCode]) -> (Decided, World) {
    let world = World(faults)
    let waiting = Bank.id(0x4A17)
    let given = World.sound.and([Bank.held(World.amount, from: Bank.everyday, to: Bank.bobs, id: waiting)])
      .and(world.limits(of: Bank.everyday) + world.laterFaults)
    return (given.when(.approve(waiting), by: .checker), world)
  }

  @Test(arguments: whileWaiting)
  func approvalFailsOneCheckAlone(_ code: RejectionCode) {
    let (decided, _) = approveAfter([code])
    decided.thenDeclined(code, failing: [code])
  }

  @Test(arguments: whileWaiting)
  func approvalFailsThisAndAllLaterChecks(_ code: RejectionCode) {
    let (decided, world) = approveAfter(PreFlightTests.fromHereOn(code, PreFlightTests.whileWaiting))
    decided.thenDeclined(code, failing: world.failing)
    let after = decided.after
    #expect(after.balance(Bank.everyday).posted == World.amount)
    #expect(after.balance(Bank.everyday).held == 0)
    #expect(after.used(Bank.everyday) == World.used)
  }

  /// Funds and limits are enough by the last cent, because the transfer's own reservation isn't counted against it.
  @Test func approvalPassesByTheLastCent() {
    let (decided, _) = approveAfter([])
    decided.thenAccepted()
    let after = decided.after
    #expect(after.balance(Bank.everyday).posted == 0)
    #expect(after.balance(Bank.everyday).held == 0)
    #expect(after.used(Bank.everyday) == World.amount + World.used)
  }
}
