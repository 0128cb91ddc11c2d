import Commands
import Ledger
import Testing

/// Limits: six kinds, for an account and for a customer, over windows that are exact to the day.
@Suite struct LimitTests {
  /// What was used on one day, asked about on another.
  struct Window: Sendable, CustomTestStringConvertible {
    let kind: LimitKind
    let usedOn: CalendarDate
    let decidedOn: CalendarDate
    let counts: Bool

    init(_ kind: LimitKind, _ usedOn: String, _ decidedOn: String, counts: Bool) {
      self.kind = kind
      self.usedOn = day(usedOn)
      self.decidedOn = day(decidedOn)
      self.counts = counts
    }

    var testDescription: String { "\(kind.rawValue) used \(usedOn) decided \(decidedOn)" }
  }

  static let windows = [
    Window(.daily, "2026-11-18", "2026-11-18", counts: true),
    Window(.daily, "2026-11-17", "2026-11-18", counts: false),
    // 2026-11-16 is a Monday.
    Window(.weekly, "2026-11-16", "2026-11-22", counts: true),
    Window(.weekly, "2026-11-15", "2026-11-16", counts: false),
    Window(.weekly, "2026-11-16", "2026-11-16", counts: true),
    Window(.weekly, "2026-11-16", "2026-11-23", counts: false),
    // A week across the turn of the year: 2026-12-28 is a Monday.
    Window(.weekly, "2026-12-28", "2027-01-03", counts: true),
    Window(.weekly, "2026-12-28", "2027-01-04", counts: false),
    Window(.monthly, "2026-11-01", "2026-11-30", counts: true),
    Window(.monthly, "2026-10-31", "2026-11-01", counts: false),
    Window(.monthly, "2027-01-01", "2027-01-31", counts: true),
    Window(.monthly, "2028-02-01", "2028-02-29", counts: true),
    Window(.monthly, "2028-02-29", "2028-03-01", counts: false),
    // A month of another year isn't this month.
    Window(.monthly, "2025-11-18", "2026-11-18", counts: false),
    Window(.rolling30Days, "2026-10-20", "2026-11-18", counts: true),
    Window(.rolling30Days, "2026-10-19", "2026-11-18", counts: false),
    Window(.rolling30Days, "2028-02-01", "2028-03-01", counts: true),
    Window(.rolling30Days, "2028-02-01", "2028-03-02", counts: false),
    Window(.rolling30Days, "2027-02-01", "2027-03-02", counts: true),
    Window(.perTransaction, "2026-11-18", "2026-11-18", counts: false),
  ]

  static let code: [LimitKind: RejectionCode] = [
    .perTransaction: .limitPerTransaction, .daily: .limitDaily, .weekly: .limitWeekly, .monthly: .limitMonthly,
    .rolling30Days: .limitRolling30Days,
  ]

  @Test(arguments: windows, [SubjectKind.account, .customer])
  func windowIsExactToTheDay(_ window: Window, _ scope: SubjectKind) throws {
    let subject = scope == .account ? Bank.everyday : Bank.alice
    let book = given(Bank.opened() + [Bank.deposited(10_000, to: Bank.everyday)], on: window.usedOn)
      .and([Bank.limit(window.kind, 100, of: subject, scope)], on: window.usedOn)
      .and([Bank.moved(40, from: Bank.everyday, to: Bank.bobs)], on: window.usedOn)
    let code = try #require(LimitTests.code[window.kind])
    let left: MinorUnits = window.counts ? 60 : 100
    book.when(.transfer(left, from: Bank.everyday, to: Bank.bobs), on: window.decidedOn).thenAccepted()
    book.when(.transfer(left + 1, from: Bank.everyday, to: Bank.bobs), on: window.decidedOn).thenDeclined(
      code,
      [
        .text("scope", scope.rawValue), .text("subject_id", subject.description), .amount("limit", 100),
        .amount("used", 100 - left), .amount("amount", left + 1),
      ])
  }

  /// A month has 31 days and every one of them counts, also with something used on each.
  @Test func aBusyMonthIsRememberedWhole() {
    var book = given(Bank.opened() + [Bank.deposited(10_000, to: Bank.everyday)], on: day("2026-12-01"))
    for date in 0..<31 {
      let on = day("2026-12-01").adding(days: date)
      book = book.and([Bank.moved(1, from: Bank.everyday, to: Bank.bobs, id: Bank.id(0x1000 + UInt64(date)))], on: on)
    }
    book = book.and([Bank.limit(.monthly, 40, of: Bank.everyday)], on: day("2026-12-31"))
    book.when(.transfer(9, from: Bank.everyday, to: Bank.bobs), on: day("2026-12-31")).thenAccepted()
    book.when(.transfer(10, from: Bank.everyday, to: Bank.bobs), on: day("2026-12-31")).thenDeclined(.limitMonthly)
  }

  // MARK: A customer's limit

  @Test func customersLimitIsOverAllItsAccountsInTheCurrency() {
    let dollars = Bank.id(0xA3)
    let book = given(
      Bank.opened() + [
        Bank.account(dollars, of: Bank.alice, .aud), Bank.internalAccount(Bank.id(0xCA6), .aud, allowNegative: true),
        Bank.deposited(500, to: Bank.everyday), Bank.deposited(500, to: Bank.savings, id: Bank.id(1)),
        Bank.moved(500, from: Bank.id(0xCA6), to: dollars, .aud, id: Bank.id(2)),
        Bank.moved(40, from: Bank.savings, to: Bank.bobs, id: Bank.id(3)),
        Bank.moved(300, from: dollars, to: Bank.id(0xCA6), .aud, id: Bank.id(4)),
        Bank.limit(.daily, 100, of: Bank.alice, .customer),
      ])
    book.when(.transfer(60, from: Bank.everyday, to: Bank.bobs)).thenAccepted()
    book.when(.transfer(61, from: Bank.everyday, to: Bank.bobs)).thenDeclined(.limitDaily)
    // Her limit is in New Zealand dollars; the other account isn't bound by it.
    book.when(.transfer(200, from: dollars, to: Bank.id(0xCA6), .aud)).thenAccepted()
  }

  @Test func bothLimitsBindAndBothAreReported() {
    let decided = given(
      Bank.opened() + [
        Bank.deposited(500, to: Bank.everyday), Bank.limit(.daily, 10, of: Bank.everyday),
        Bank.limit(.daily, 20, of: Bank.alice, .customer),
      ]
    ).when(.transfer(21, from: Bank.everyday, to: Bank.bobs)).thenDeclined(.limitDaily, failing: [.limitDaily])
    #expect(decided.checks.filter { !$0.passed }.count == 2)
  }

  /// A journal that takes from two of a customer's accounts uses the customer's limit for both.
  @Test(arguments: [LimitKind.perTransaction, .daily, .weekly, .monthly, .rolling30Days])
  func journalCountsAllThatItTakesFromOneCustomer(_ kind: LimitKind) throws {
    let book = given(
      Bank.opened() + [
        Bank.deposited(500, to: Bank.everyday), Bank.deposited(500, to: Bank.savings, id: Bank.id(1)),
        Bank.limit(kind, 100, of: Bank.alice, .customer),
      ])
    let within = Instruction.journal(
      [(Bank.everyday, .debit, 60), (Bank.savings, .debit, 40), (Bank.bobs, .credit, 100)])
    let above = Instruction.journal(
      [(Bank.everyday, .debit, 60), (Bank.savings, .debit, 41), (Bank.bobs, .credit, 101)])
    book.when(within).thenAccepted()
    let code = try #require(LimitTests.code[kind])
    book.when(above).thenDeclined(
      code,
      [
        .text("scope", "customer"), .text("subject_id", Bank.alice.description), .amount("limit", 100),
        .amount("used", 0), .amount("amount", 101),
      ])
  }

  /// Money between a customer's own accounts uses its limits like any other.
  @Test func betweenOwnAccountsCounts() {
    given(
      Bank.opened() + [Bank.deposited(500, to: Bank.everyday), Bank.limit(.daily, 10, of: Bank.alice, .customer)]
    ).when(.transfer(11, from: Bank.everyday, to: Bank.savings)).thenDeclined(.limitDaily)
  }

  @Test func liftedLimitBindsNoMore() {
    given(
      Bank.opened() + [
        Bank.deposited(500, to: Bank.everyday), Bank.limit(.daily, 10, of: Bank.alice, .customer),
        Bank.limit(.daily, nil, of: Bank.alice, .customer), Bank.limit(.weekly, 10, of: Bank.everyday),
        Bank.limit(.weekly, nil, of: Bank.everyday),
      ]
    ).when(.transfer(500, from: Bank.everyday, to: Bank.bobs)).thenAccepted()
  }

  @Test func limitOfZeroLetsNothingThrough() {
    given(Bank.opened() + [Bank.deposited(500, to: Bank.everyday), Bank.limit(.daily, 0, of: Bank.everyday)])
      .when(.transfer(1, from: Bank.everyday, to: Bank.bobs)).thenDeclined(.limitDaily)
  }
}
