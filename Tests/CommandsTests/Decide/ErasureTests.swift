import Commands
import Ledger
import Testing

/// Erasing who a customer was.
@Suite struct ErasureTests {
  static func policies(retentionDays: Int) -> Policies {
    var policies = Policies()
    policies.retentionDays = retentionDays
    return policies
  }

  private static let why = PersonalText("request 17")
  private static let carol = Bank.id(0xCA401)

  private func book(retentionDays: Int, on date: CalendarDate = .today) -> Given {
    given(Bank.opened(Self.policies(retentionDays: retentionDays)), on: date)
  }

  private func erase(_ customer: CustomerID) -> Instruction {
    .eraseCustomer(EraseCustomer(customerID: customer, reason: Self.why))
  }

  private func erased(_ customer: CustomerID, _ accounts: [AccountID]) -> Event {
    .customerErased(
      CustomerErased(instruction: EraseCustomer(customerID: customer, reason: Self.why), accounts: accounts))
  }

  private func retention(_ passed: Bool, _ days: Int, from: String, until: String) -> Check {
    Check(
      .withinRetention, passed: passed,
      [.integer("retention_days", days), .text("retained_from", from), .text("erasable_from", until)])
  }

  // MARK: Declined, in the order of the contract

  @Test func unknown() {
    book(retentionDays: 0).when(erase(Bank.nobodys))
      .thenDeclined(.unknownCustomer, [.text("customer_id", Bank.nobodys.description)])
    // The book's own key stands under the nil UUID.
    book(retentionDays: 0).when(erase(.zero))
      .thenDeclined(.unknownCustomer, [.text("customer_id", Identifier.zero.description)])
  }

  @Test func twice() {
    let closed = book(retentionDays: 0).and([Bank.closed(Bank.bobs)])
    closed.when(erase(Bank.bob)).thenAccepted().after
      .when(erase(Bank.bob), as: Bank.id(2)).thenDeclined(.wrongState, [.text("status", "erased")])
  }

  @Test func openAccounts() {
    let decided = book(retentionDays: 0).and([Bank.closed(Bank.savings)]).when(erase(Bank.alice))
    decided.thenDeclined(.accountsOpen, failing: [.accountsOpen, .withinRetention])
    #expect(
      decided.checks == [
        Check(.accountsOpen, passed: false, [.integer("open", 1)]),
        // It begins when the last one is closed.
        Check(.withinRetention, passed: false, [.integer("retention_days", 0)]),
      ])
    // Frozen is as good as open.
    book(retentionDays: 0).and([Bank.frozen(Bank.bobs)]).when(erase(Bank.bob))
      .thenDeclined(.accountsOpen, failing: [.accountsOpen, .withinRetention])
  }

  @Test func withinRetention() {
    let opened = day("2026-11-01")
    let closed = book(retentionDays: 10, on: opened)
      .and([Bank.closed(Bank.savings)], on: day("2026-11-05")).and([Bank.closed(Bank.everyday)], on: day("2026-11-03"))
    let decided = closed.when(erase(Bank.alice), on: day("2026-11-14"))
    decided.thenDeclined(.withinRetention, failing: [.withinRetention])
    #expect(
      decided.checks == [
        Check(.accountsOpen, passed: true, [.integer("open", 0)]),
        retention(false, 10, from: "2026-11-05", until: "2026-11-15"),
      ])
    closed.when(erase(Bank.alice), on: day("2026-11-15")).then([erased(Bank.alice, [Bank.everyday, Bank.savings])])
  }

  @Test func theLawsTimeIsTheDefault() {
    let closed = given(Bank.opened()).and([Bank.closed(Bank.bobs)], on: day("2026-11-18"))
    closed.when(erase(Bank.bob), on: day("2033-11-17")).thenDeclined(.withinRetention, failing: [.withinRetention])
    closed.when(erase(Bank.bob), on: day("2033-11-18")).thenAccepted()
  }

  /// Whoever never had an account is remembered from the last thing that the bank decided about it.
  @Test func withoutAccounts() {
    let registered = Event.customerRegistered(
      CustomerRegistered(instruction: RegisterCustomer(customerID: Self.carol, name: PersonalText("Carol"))))
    let rejected = Event.customerRejected(CustomerRejected(instruction: RejectCustomer(customerID: Self.carol)))
    let known = book(retentionDays: 5, on: day("2026-11-01")).and([registered], on: day("2026-11-02"))
    known.when(erase(Self.carol), on: day("2026-11-07")).then([erased(Self.carol, [])])
    let later = known.and([rejected], on: day("2026-11-06"))
    later.when(erase(Self.carol), on: day("2026-11-10")).thenDeclined(.withinRetention, failing: [.withinRetention])
    later.when(erase(Self.carol), on: day("2026-11-11")).then([erased(Self.carol, [])])
  }

  /// A suspension after the last account was closed says that the bank isn't done with the customer.
  @Test func standingAfterTheLastClosing() {
    let suspended = book(retentionDays: 3, on: day("2026-11-01")).and([Bank.closed(Bank.bobs)], on: day("2026-11-02"))
      .and([Bank.suspended(Bank.bob)], on: day("2026-11-09"))
    suspended.when(erase(Bank.bob), on: day("2026-11-11"))
      .thenDeclined(.withinRetention, failing: [.withinRetention])
    suspended.when(erase(Bank.bob), on: day("2026-11-12")).thenAccepted()
  }

  // MARK: Accepted

  @Test func whatIsKnownOfThePersonGoes() throws {
    let name = PersonalText("Rainy days", subject: Self.carol)
    let account = Bank.id(0xC1)
    let opening = Event.accountOpened(
      AccountOpened(
        instruction: OpenAccount(
          accountID: account, kind: .customer, customerID: Self.carol, currency: .nzd, name: name)))
    let registered = Event.customerRegistered(
      CustomerRegistered(
        instruction: RegisterCustomer(
          customerID: Self.carol, name: PersonalText("Carol", subject: Self.carol),
          dateOfBirth: PersonalText("1990-02-03", subject: Self.carol), country: "NZ")))
    let known = book(retentionDays: 0).and([
      registered, opening, Bank.fraudScore(9, at: CalendarDate.today.noon(), of: Self.carol),
      Bank.matched(Self.carol), Bank.closed(account),
    ])
    let after = known.when(erase(Self.carol)).then([erased(Self.carol, [account])]).after
    let customer = try #require(after.state.customers[Self.carol])
    #expect(customer.status == .erased && customer.country == nil && customer.scores == Scores())
    #expect(customer.name == PersonalText(subject: Self.carol, content: .erased))
    #expect(customer.dateOfBirth == PersonalText(subject: Self.carol, content: .erased))
    #expect(customer.sanctionsMatch && customer.accounts == [account] && customer.version == 4)
    #expect(after.state.accounts[account]?.name == PersonalText(subject: Self.carol, content: .erased))
    #expect(after.state.touched.customers.contains(Self.carol) && after.state.touched.accounts.contains(account))
  }

  /// The reason is what the bank has to show for it, so it is under the book's key, in a decline too.
  @Test func theReasonOutlivesTheKey() throws {
    let given = book(retentionDays: 0)
    for customer in [Bank.bob, Bank.nobodys] {
      let instruction = Instruction.eraseCustomer(
        EraseCustomer(customerID: customer, reason: PersonalText("why", subject: customer)))
      guard case .commandDeclined(let declined)? = given.when(instruction).events.first,
        case .eraseCustomer(let content) = declined.instruction
      else {
        Issue.record("not declined")
        return
      }
      #expect(content.reason.subject == .zero)
    }
  }

  // MARK: After it

  @Test func nothingMoreIsLearnedOfTheErased() {
    let gone = book(retentionDays: 0).and([Bank.closed(Bank.bobs), erased(Bank.bob, [Bank.bobs])])
    let status = [Figure.text("status", "erased")]
    let report = ScoreReport(subject: .id(Bank.bob), score: 1, model: "m", scoredAt: CalendarDate.today.noon())
    let finding = MatchFinding(customerID: Bank.bob)
    for instruction: Instruction in [
      .verifyCustomer(VerifyCustomer(customerID: Bank.bob)), .rejectCustomer(RejectCustomer(customerID: Bank.bob)),
      .suspendCustomer(SuspendCustomer(customerID: Bank.bob)), .setLimit(.daily, 5, of: Bank.bob),
      .recordFraudScore(RecordFraudScore(report: report)), .recordRiskScore(RecordRiskScore(report: report)),
      .recordAmlScore(RecordAmlScore(report: report)), .confirmMatch(ConfirmMatch(finding: finding)),
      .clearMatch(ClearMatch(finding: finding)),
    ] { gone.when(instruction).thenDeclined(.wrongState, status) }
    gone.when(.registerCustomer(RegisterCustomer(customerID: Bank.bob, name: PersonalText("Bob"))))
      .thenDeclined(.customerExists, [])
    let opening = OpenAccount(accountID: Bank.nobodys, kind: .customer, customerID: Bank.bob, currency: .nzd)
    gone.when(.openAccount(opening)).thenDeclined(.customerNotVerified, status)
  }

  @Test func aFindingThatWaitedIsRejected() {
    let waiting = book(retentionDays: 0).and([Bank.closed(Bank.bobs)])
      .when(.confirmMatch(ConfirmMatch(finding: MatchFinding(customerID: Bank.bob))), as: Bank.id(5)).after
    waiting.and([erased(Bank.bob, [Bank.bobs])]).when(.approve(Bank.id(5)), by: .checker)
      .thenDeclined(.wrongState, [.text("status", "erased")])
  }
}
