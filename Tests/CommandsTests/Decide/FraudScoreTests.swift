import Commands
import Ledger
import Testing

/// What scores do to a decision, and what a stale or missing one does by policy.
@Suite struct FraudScoreTests {
  private func decide(
    _ amount: MinorUnits = 100, score: (Int, Moment)? = nil, _ change: (inout Policies) -> Void
  ) -> Decided {
    var policies = Policies()
    change(&policies)
    let scores = score.map { [Bank.fraudScore($0.0, at: $0.1)] } ?? []
    return given(Bank.opened(policies) + [Bank.deposited(1_000, to: Bank.everyday)] + scores)
      .when(.transfer(amount, from: Bank.everyday, to: Bank.bobs))
  }

  private let stale = CalendarDate.today.noon(plus: -86_400)
  private let fresh = CalendarDate.today.noon(plus: -86_399)

  @Test func missingIsAllowedByDefault() { decide { _ in }.thenAccepted() }
  @Test func staleIsAllowedByDefault() { decide(score: (1, stale)) { _ in }.thenAccepted() }

  @Test func missingMayBlock() {
    decide { $0.missingFraudScore = .block }.thenDeclined(
      .fraudScoreStale,
      PreFlightTests.debtor + [
        .text("rule", "block"), .text("score", "missing"), .integer("maximum_age_seconds", 86_400),
      ])
  }

  @Test func freshToTheSecond() {
    decide(score: (1, fresh)) { $0.staleFraudScore = .block }.thenAccepted()
    decide(score: (1, stale)) { $0.staleFraudScore = .block }.thenDeclined(.fraudScoreStale)
  }

  @Test func scoredAfterTheDecisionIsFresh() {
    decide(score: (1, CalendarDate.today.noon(plus: 60))) { $0.staleFraudScore = .block }.thenAccepted()
  }

  @Test(arguments: [(100, true), (101, false)] as [(MinorUnits, Bool)])
  func reducedLimitLetsThroughUpTo(_ amount: MinorUnits, _ passes: Bool) {
    let decided = decide(amount) {
      $0.missingFraudScore = .reducedLimit
      $0.reducedLimits[.nzd] = 100
    }
    if passes {
      decided.thenAccepted()
    } else {
      decided.thenDeclined(
        .fraudScoreStale,
        PreFlightTests.debtor + [
          .text("rule", "reduced_limit"), .text("score", "missing"), .integer("maximum_age_seconds", 86_400),
          .amount("reduced_limit", 100), .amount("amount", 101),
        ])
    }
  }

  @Test func reducedLimitOfAnotherCurrencyLetsNothingThrough() {
    decide(1) {
      $0.missingFraudScore = .reducedLimit
      $0.reducedLimits[.aud] = 100
    }.thenDeclined(.fraudScoreStale)
  }

  @Test(arguments: [(0, true), (700, true), (701, false), (1_000, false)] as [(Int, Bool)])
  func aboveTheMaximumDeclines(_ score: Int, _ passes: Bool) {
    let decided = decide(score: (score, fresh)) { _ in }
    if passes { decided.thenAccepted() } else { decided.thenDeclined(.fraudScoreTooHigh) }
  }

  /// A stale score that is too high is still too high.
  @Test func staleAndTooHigh() {
    decide(score: (701, stale)) { _ in }.thenDeclined(.fraudScoreTooHigh, failing: [.fraudScoreTooHigh])
  }

  @Test func accountsOwnScoreCountsToo() {
    let report = ScoreReport(subject: .id(Bank.everyday), score: 900, model: "m", scoredAt: fresh)
    let scored = Event.fraudScoreRecorded(
      FraudScoreRecorded(
        terms: ScoreTerms(
          report, subject: ResolvedSubject(.account, Bank.everyday, from: .id(Bank.everyday)), superseded: false)))
    let book = given(
      Bank.opened() + [Bank.deposited(100, to: Bank.everyday), Bank.fraudScore(1, at: fresh), scored])
    book.when(.transfer(1, from: Bank.everyday, to: Bank.bobs)).thenDeclined(.fraudScoreTooHigh)
  }

  @Test func acceptedTransferKeepsTheScoreThatItWasBasedOn() {
    let decided = decide(score: (12, fresh)) { _ in }
    guard case .transferPosted(let posted) = decided.events.first else {
      Issue.record("not posted: \(decided.decision)")
      return
    }
    #expect(posted.basis.availableBefore == 1_000)
    #expect(
      posted.basis.checks == [
        Check(
          .fraudScoreTooHigh, passed: true,
          PreFlightTests.debtor + [
            .integer("score", 12), .integer("maximum", 700), .text("model", "fraud-7"),
            .text("scored_at", fresh.description),
          ])
      ])
  }

  @Test func internalAccountsSkipCustomerChecks() {
    var policies = Policies()
    policies.missingFraudScore = .block
    given(Bank.opened(policies)).when(.transfer(5, from: Bank.cash, to: Bank.fees)).thenAccepted()
  }
}
