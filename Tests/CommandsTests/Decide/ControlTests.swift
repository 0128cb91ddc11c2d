import Commands
import Ledger
import Testing

/// Limits, scores, lists, the book itself, and what Kauri notes.
@Suite struct ControlTests {
  private var opened: Given { given(Bank.opened()) }

  // MARK: Limits

  @Test(arguments: LimitKind.allCases) func setLimit(_ kind: LimitKind) {
    for (subject, subjectKind) in [(Bank.everyday, SubjectKind.account), (Bank.alice, .customer)] {
      let decided = opened.when(.setLimit(kind, 500, of: subject))
      decided.then([Bank.limit(kind, 500, of: subject, subjectKind)])
      let limits =
        subjectKind == .account
        ? decided.after.state.accounts[subject]?.limits : decided.after.state.customers[subject]?.limits[.nzd]
      #expect(limits?[kind] == 500)
      let lifted = decided.after.when(.setLimit(kind, nil, of: subject), as: Bank.id(0x99))
      lifted.then([Bank.limit(kind, nil, of: subject, subjectKind)])
      #expect(lifted.after.state.accounts[Bank.everyday]?.limits.isEmpty == true)
      #expect(lifted.after.state.customers[Bank.alice]?.limits == [:])
    }
  }

  @Test func setLimitByNumber() {
    let instruction = SetLimit(subject: .number(Bank.everydayNumber), kind: .daily, amount: 5, currency: .nzd)
    let subject = ResolvedSubject(.account, Bank.everyday, from: .number(Bank.everydayNumber))
    opened.when(.setLimit(instruction)).then([.limitSet(LimitSet(instruction, subject: subject))])
  }

  @Test func setLimitDeclined() {
    opened.when(.setLimit(.daily, 5, of: Bank.nobodys)).thenDeclined(.unknownSubject)
    opened.when(.setLimit(.daily, 5, of: Bank.everyday, .aud)).thenDeclined(
      .currencyMismatch, [.text("account_currency", "NZD"), .text("currency", "AUD")])
    opened.when(.setLimit(.daily, 5, of: Bank.alice, .aud)).thenAccepted()
  }

  // MARK: Scores

  private typealias Recording = @Sendable (ScoreReport) -> Instruction

  private static let recordings: [(ScoreKind, Recording)] = [
    (.fraud, { .recordFraudScore(RecordFraudScore(report: $0)) }),
    (.risk, { .recordRiskScore(RecordRiskScore(report: $0)) }),
    (.aml, { .recordAmlScore(RecordAmlScore(report: $0)) }),
  ]

  private func event(_ kind: ScoreKind, _ terms: ScoreTerms) -> Event {
    switch kind {
    case .fraud: .fraudScoreRecorded(FraudScoreRecorded(terms: terms))
    case .risk: .riskScoreRecorded(RiskScoreRecorded(terms: terms))
    case .aml: .amlScoreRecorded(AmlScoreRecorded(terms: terms))
    }
  }

  @Test(arguments: [AccountReference.id(Bank.alice), .id(Bank.everyday), .number(Bank.everydayNumber)])
  func recordScores(_ reference: AccountReference) {
    let isCustomer = reference == .id(Bank.alice)
    let subject = ResolvedSubject(
      isCustomer ? .customer : .account, isCustomer ? Bank.alice : Bank.everyday, from: reference)
    for (kind, record) in ControlTests.recordings {
      let now = CalendarDate.today.noon()
      func report(_ score: Int, _ seconds: Int64) -> ScoreReport {
        ScoreReport(subject: reference, score: score, model: "m-1", scoredAt: CalendarDate.today.noon(plus: seconds))
      }
      func held(_ book: Given) -> Score? {
        isCustomer
          ? book.state.customers[Bank.alice]?.scores[kind] : book.state.accounts[Bank.everyday]?.scores[kind]
      }
      let first = opened.when(record(report(300, 0)))
      first.then([event(kind, ScoreTerms(report(300, 0), subject: subject, superseded: false))])
      #expect(held(first.after) == Score(value: 300, model: "m-1", scoredAt: now))

      // Older than the one held: accepted, marked, and nothing changes.
      let older = first.after.when(record(report(900, -1)), as: Bank.id(0x99))
      older.then([event(kind, ScoreTerms(report(900, -1), subject: subject, superseded: true))])
      #expect(held(older.after)?.value == 300)

      // As old as the one held, or newer: it counts.
      #expect(held(first.after.when(record(report(400, 0)), as: Bank.id(0x99)).after)?.value == 400)
      #expect(held(first.after.when(record(report(500, 1)), as: Bank.id(0x99)).after)?.value == 500)
    }
  }

  /// It would make every later score an older one, and would never be too old itself. Clocks may differ by five minutes.
  @Test func scoreFromTheFuture() {
    for (_, record) in ControlTests.recordings {
      func report(_ seconds: Int64) -> ScoreReport {
        ScoreReport(
          subject: .id(Bank.alice), score: 1, model: "m", scoredAt: CalendarDate.today.noon(plus: seconds))
      }
      opened.when(record(report(300))).thenAccepted()
      opened.when(record(report(301))).thenDeclined(.scoredInFuture)
    }
  }

  @Test func scoreOfNobody() {
    let report = ScoreReport(subject: .id(Bank.nobodys), score: 1, model: "m", scoredAt: CalendarDate.today.noon())
    for (_, record) in ControlTests.recordings { opened.when(record(report)).thenDeclined(.unknownSubject) }
  }

  // MARK: Lists

  private func entry(_ id: String, _ name: String) -> SanctionsEntry { SanctionsEntry(id: id, name: name) }

  private func importing(_ version: String, _ entries: [SanctionsEntry]) -> Instruction {
    .importSanctionsList(ImportSanctionsList(list: "UN", version: ListVersion(version), entries: entries))
  }

  @Test func importSanctionsList() {
    let first = opened.when(importing("9", [entry("b", "B"), entry("a", "A"), entry("c", "C")]))
    first.then([
      .sanctionsListImported(
        SanctionsListImported(list: "UN", version: ListVersion("9"), entries: 3, added: 3, changed: 0, removed: 0)),
      .sanctionsEntryAdded(SanctionsEntryAdded(list: "UN", entry: entry("a", "A"))),
      .sanctionsEntryAdded(SanctionsEntryAdded(list: "UN", entry: entry("b", "B"))),
      .sanctionsEntryAdded(SanctionsEntryAdded(list: "UN", entry: entry("c", "C"))),
    ])
    let second = first.after.when(
      importing("10", [entry("d", "D"), entry("b", "B, also known as b"), entry("a", "A")]), as: Bank.id(0x99))
    second.then([
      .sanctionsListImported(
        SanctionsListImported(list: "UN", version: ListVersion("10"), entries: 3, added: 1, changed: 1, removed: 1)),
      .sanctionsEntryChanged(SanctionsEntryChanged(list: "UN", entry: entry("b", "B, also known as b"))),
      .sanctionsEntryAdded(SanctionsEntryAdded(list: "UN", entry: entry("d", "D"))),
      .sanctionsEntryRemoved(SanctionsEntryRemoved(list: "UN", entryID: "c")),
    ])
    let list = second.after.state.lists["UN"]
    #expect(list?.list == ListVersion("10"))
    #expect(list?.version == 8)
    #expect(list?.entries == ["a": entry("a", "A"), "b": entry("b", "B, also known as b"), "d": entry("d", "D")])
  }

  @Test(arguments: [
    ("9", "9", false), ("9", "10", true), ("10", "9", false), ("2026-09-30", "2026-10-01", true),
    ("2026-10-01", "2026-09-30", false), ("1.2", "1.10", true), ("1.10", "1.2", false), ("1", "1.1", true),
    ("007", "7", false), ("7", "007", false), ("a", "b", true),
  ])
  func onlyANewerVersionIsTaken(_ held: String, _ given: String, _ newer: Bool) {
    let book = opened.when(importing(held, [])).after
    let decided = book.when(importing(given, []), as: Bank.id(0x99))
    if newer {
      decided.thenAccepted()
    } else {
      decided.thenDeclined(.versionNotNewer, [.text("held", held), .text("version", given)])
    }
  }

  // MARK: The book

  @Test func openBook() {
    guard case .bookOpened(let opened) = Bank.bookOpened() else { return }
    given([]).when(.openBook(opened.instruction), by: .kauri).then([.bookOpened(opened)])
    self.opened.when(.openBook(opened.instruction), by: .kauri).thenDeclined(.bookAlreadyOpen, [])
  }

  @Test func activateRuleSet() {
    let decided = opened.when(.activateRuleSet(ActivateRuleSet(ruleSet: 2)), by: .kauri)
    decided.then([.ruleSetActivated(RuleSetActivated(bookID: Bank.book, ruleSet: 2))])
    #expect(decided.after.state.book?.ruleSet == 2)
    for set in 1...2 {
      decided.after.when(.activateRuleSet(ActivateRuleSet(ruleSet: set)), by: .kauri, as: Bank.id(0x99))
        .thenDeclined(.ruleSetNotNewer, [.integer("active", 2)])
    }
  }

  /// What the server knows that is asked is part of the decision, and stands in the decline.
  @Test func activateARuleSetThatTheServerDoesNotKnow() {
    let sets = RuleSets([RuleSet(1) { decide($0, on: $1, in: $2) }, RuleSet(2) { decide($0, on: $1, in: $2) }])
    let context = DecisionContext(moment: CalendarDate.today.noon(), bookDate: .today, ruleSet: 1)
    func asked(_ number: Int, of sets: RuleSets) -> Decision? {
      let command = CommandEnvelope(
        id: Given.command, actor: .maker, instruction: .activateRuleSet(ActivateRuleSet(ruleSet: number)))
      return sets.decide(command, on: opened.state, in: context)
    }
    guard case .record(let events, .declined(.ruleSetNotKnown))? = asked(3, of: sets) else {
      Issue.record("it was taken at its word")
      return
    }
    guard case .commandDeclined(let declined)? = events.first else { return }
    #expect(
      declined.checks == [
        Check(.ruleSetNotKnown, passed: false, [.integer("rule_set", 3), .integer("newest_known", 2)])
      ])
    // Decided again by a build that knows it, or one that knows less, it is what it was.
    let recovered = Instruction(recoveredFrom: events, on: opened.state)
    for other in [RuleSets([RuleSet(1) { decide($0, on: $1, in: $2) }]), sets] {
      guard let recovered else { return }
      let again = CommandEnvelope(id: Given.command, actor: .maker, instruction: recovered)
      #expect(other.decide(again, on: opened.state, in: context) == .record(events, .declined(.ruleSetNotKnown)))
    }
    // So is one that was accepted, by a build that doesn't know it.
    guard case .record(let proposal, .accepted)? = asked(2, of: sets),
      let proposed = Instruction(recoveredFrom: proposal, on: opened.state)
    else {
      Issue.record("a known set wasn't taken")
      return
    }
    let again = CommandEnvelope(id: Given.command, actor: .maker, instruction: proposed)
    #expect(RuleSets.standard.decide(again, on: opened.state, in: context) == .record(proposal, .accepted))
  }

  @Test func setPolicyBeforeTheBookIsOpen() {
    given([]).when(.setPolicy(SetPolicy(change: .retentionDays(1)))).thenDeclined(.wrongState, [])
  }

  @Test func whatKauriNotes() {
    let read = RecordDataRead(customerID: Bank.alice, resource: "GET /v1/accounts/{id}", objectID: Bank.everyday)
    opened.when(.recordDataRead(read)).then([.customerDataRead(CustomerDataRead(instruction: read))])
    let refusal = Instruction.recordRefusal(RecordRefusal(resource: "GET /v1/accounts/{id}", objectID: Bank.bobs))
    for actor in [Actor.maker, .auditor, .service, .customer(Bank.alice)] {
      let decided = opened.when(refusal, by: actor)
      decided.then([.accessRefused(AccessRefused(instruction: refusal))])
      // The log alone must say the same.
      #expect(Verdict(recorded: decided.events[0]) == .accepted)
    }
  }
}
