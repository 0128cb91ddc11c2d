import Commands
import Ledger
import Testing

/// What a command said and how it came out stands in the log, whatever became of it.
@Suite struct RecoveryTests {
  /// A command of each kind on a book where it is accepted.
  struct Accepted: Sendable, CustomTestStringConvertible {
    let instruction: Instruction
    let actor: Actor
    let given: Given
    var testDescription: String { instruction.name + (actor == .maker ? "" : " by \(actor)") }

    init(_ instruction: Instruction, by actor: Actor = .maker, _ given: Given) {
      self.instruction = instruction
      self.actor = actor
      self.given = given
    }
  }

  private static let thing = Bank.id(0x7816)
  private static let why = PersonalText("because \"so\"")
  private static let funded = given(Bank.opened() + [Bank.deposited(1_000, to: Bank.everyday)])
  private static let held = funded.and([
    Bank.holdPlaced(100, on: Bank.everyday, id: thing, expiresAt: CalendarDate.today.noon(plus: 60))
  ])
  private static let due = funded.and([
    Bank.holdPlaced(100, on: Bank.everyday, id: thing, expiresAt: CalendarDate.today.noon())
  ])
  private static let waiting = funded.and([Bank.held(100, from: Bank.everyday, to: Bank.bobs, id: thing)])
  private static let threshold = funded.and([Bank.limit(.approvalThreshold, 0, of: Bank.everyday)])
  private static let finding = MatchFinding(customerID: Bank.alice, list: "UN", entryID: "1", reason: why)
  private static let carol = RegisterCustomer(
    customerID: thing, name: PersonalText("Carol"), dateOfBirth: PersonalText("1990-02-03"), country: "AU")
  private static let registered = funded.and([.customerRegistered(CustomerRegistered(instruction: carol))])
  private static let number = AccountReference.number(Bank.everydayNumber)
  private static let erasable = given(Bank.opened(ErasureTests.policies(retentionDays: 0)) + [Bank.closed(Bank.bobs)])
  private static let report = ScoreReport(
    subject: number, score: 7, model: "m", scoredAt: CalendarDate.today.noon(plus: -5))
  private static let journal = Instruction.journal([(Bank.everyday, .debit, 5), (Bank.bobs, .credit, 5)])
  private static let entries = [SanctionsEntry(id: "1", name: "One"), SanctionsEntry(id: "2", name: "Two")]
  private static let listed = funded.when(
    .importSanctionsList(ImportSanctionsList(list: "UN", version: ListVersion("1"), entries: entries)), as: thing
  ).after
  private static let proposed = funded.when(.setPolicy(SetPolicy(change: .retentionDays(9))), as: thing).after
  private static let activating = funded.when(.activateRuleSet(ActivateRuleSet(ruleSet: 2)), as: thing).after
  private static let confirming = funded.when(.confirmMatch(ConfirmMatch(finding: finding)), as: thing).after
  private static let matched = funded.and([Bank.matched(Bank.alice)])
  private static let clearing = matched.when(.clearMatch(ClearMatch(finding: finding)), as: thing).after
  private static let waitingJournal = threshold.when(
    .journal([(Bank.everyday, .debit, 5), (Bank.bobs, .credit, 5)], id: thing), as: thing
  ).after
  private static let approval = Instruction.approve(Approve(commandID: thing, reason: why))

  static let accepted: [Accepted] =
    register + movements + control + [
      Accepted(approval, by: .checker, waiting), Accepted(approval, by: .checker, waitingJournal),
      Accepted(approval, by: .checker, proposed), Accepted(approval, by: .checker, confirming),
      Accepted(approval, by: .checker, clearing), Accepted(approval, by: .checker, activating),
      Accepted(.reject(Reject(commandID: thing, reason: why)), by: .checker, waiting),
    ]

  private static let register: [Accepted] = [
    Accepted(.registerCustomer(carol), funded),
    Accepted(.verifyCustomer(VerifyCustomer(customerID: thing)), registered),
    Accepted(.rejectCustomer(RejectCustomer(customerID: thing, reason: why)), registered),
    Accepted(.suspendCustomer(SuspendCustomer(customerID: Bank.alice, reason: why)), funded),
    Accepted(.eraseCustomer(EraseCustomer(customerID: Bank.bob, reason: why)), erasable),
    Accepted(
      .openAccount(
        OpenAccount(
          accountID: thing, kind: .customer, customerID: Bank.alice, currency: .aud, name: why,
          number: Bank.number("062-000 12345678"), overdraft: 5)), funded),
    Accepted(
      .openAccount(
        OpenAccount(
          accountID: thing, kind: .internal, currency: .aud, name: why, allowNegative: true, classification: .loan)),
      funded),
    Accepted(.freezeAccount(FreezeAccount(account: number, reason: why)), funded),
    Accepted(
      .unfreezeAccount(UnfreezeAccount(account: .id(Bank.everyday), reason: why)),
      funded.and([Bank.frozen(Bank.everyday)])),
    Accepted(.closeAccount(CloseAccount(account: .id(Bank.bobs), reason: why)), funded),
  ]

  private static let movements: [Accepted] = [
    Accepted(transfer, funded), Accepted(transfer, by: .customer(Bank.alice), funded), Accepted(transfer, threshold),
    Accepted(journal, funded), Accepted(journal, threshold),
    Accepted(
      .reverseTransfer(ReverseTransfer(transferID: thing, reason: why)),
      funded.and([Bank.moved(5, from: Bank.everyday, to: Bank.bobs, id: thing)])),
    Accepted(
      .placeHold(
        PlaceHold(
          holdID: thing, account: number, amount: 5, currency: .nzd, expiresAt: CalendarDate.today.noon(plus: 1))),
      funded),
    Accepted(.captureHold(CaptureHold(holdID: thing, credit: .id(Bank.bobs))), held),
    Accepted(.captureHold(CaptureHold(holdID: thing, credit: .id(Bank.bobs), amount: 100)), held),
    Accepted(.captureHold(CaptureHold(holdID: thing, credit: .id(Bank.bobs), amount: 1)), held),
    Accepted(.releaseHold(ReleaseHold(holdID: thing, reason: why)), held),
    Accepted(.expireHold(ExpireHold(holdID: thing)), by: .kauri, due),
  ]

  private static let transfer = Instruction.postTransfer(
    PostTransfer(
      transferID: Bank.id(0x7817), debit: number, credit: .id(Bank.bobs), amount: 5, currency: .nzd, reference: why,
      channel: .card, valueDate: .today, occurredAt: CalendarDate.today.noon()))

  private static let control: [Accepted] = [
    Accepted(.setLimit(SetLimit(subject: number, kind: .weekly, amount: nil, currency: .nzd)), funded),
    Accepted(.setLimit(.daily, 5, of: Bank.alice, .aud), funded),
    Accepted(.setPolicy(SetPolicy(change: .reducedLimit(.nzd, 5))), funded),
    Accepted(.recordFraudScore(RecordFraudScore(report: report)), by: .service, funded),
    Accepted(.recordRiskScore(RecordRiskScore(report: report)), by: .service, funded),
    Accepted(.recordAmlScore(RecordAmlScore(report: report)), by: .service, funded),
    Accepted(
      .importSanctionsList(
        ImportSanctionsList(
          list: "UN", version: ListVersion("2"),
          entries: [entries[0], SanctionsEntry(id: "3", name: "Three", aliases: ["III"])])), listed),
    Accepted(
      .importSanctionsList(
        ImportSanctionsList(
          list: "UN", version: ListVersion("2"), entries: [entries[0], SanctionsEntry(id: "2", name: "Too")])), listed),
    Accepted(.importSanctionsList(ImportSanctionsList(list: "UN", version: ListVersion("2"), entries: [])), listed),
    Accepted(.confirmMatch(ConfirmMatch(finding: finding)), funded),
    Accepted(.clearMatch(ClearMatch(finding: finding)), matched),
    Accepted(
      .openBook(
        OpenBook(bookID: Bank.book, timeZone: "Pacific/Auckland", currency: .nzd, policies: Policies(), ruleSet: 1)),
      by: .kauri, given([])),
    Accepted(.activateRuleSet(ActivateRuleSet(ruleSet: 2)), by: .kauri, funded),
    Accepted(.activateRuleSet(ActivateRuleSet(ruleSet: 2)), funded),
    Accepted(.recordDataRead(RecordDataRead(customerID: Bank.alice, resource: "GET /x", objectID: thing)), funded),
    Accepted(
      .recordRefusal(RecordRefusal(resource: "GET /x", objectID: thing)), by: .customer(Bank.alice), funded),
  ]

  // MARK: Every kind, accepted, declined and refused

  /// Reads the events from the very bytes of the log and asks them for everything.
  private func expectRecovered(_ decided: Decided, _ instruction: Instruction) throws {
    let events = try decided.events.map { try TestBook.read($0.type, $0.payload(.sealed(GlassVault()))) }
    let recovered = try #require(Instruction(recoveredFrom: events, on: decided.given.state))
    #expect(try recovered.clearText() == instruction.clearText())
    #expect(Verdict(recorded: events[0]) == decided.verdict)
    #expect(events[0].commandName == instruction.name)
    // Decided again with its text sealed, it leads to the same bytes.
    let again = decided.given.when(recovered, by: decided.actor)
    #expect(try again.events.map { try $0.payload(.sealed(GlassVault())) } == events.map { try $0.payload(.asHeld) })
  }

  @Test(arguments: accepted) func acceptedCommand(_ accepted: Accepted) throws {
    let decided = accepted.given.when(accepted.instruction, by: accepted.actor).thenAccepted()
    try expectRecovered(decided, accepted.instruction)
  }

  @Test func everyKindIsAccepted() {
    #expect(Set(RecoveryTests.accepted.map(\.instruction.name)) == Set(Sample.instructions.map(\.name)))
    var types = Set(RecoveryTests.accepted.flatMap { $0.given.when($0.instruction, by: $0.actor).events.map(\.type) })
    types.formUnion(["TransferDeclined", "JournalDeclined", "CommandDeclined"])
    #expect(types == Set(Event.kinds.map { $0.type.description }))
  }

  /// On an empty book everything that needs something is declined; what asks for nothing is declined where it was done
  /// already.
  @Test(arguments: accepted) func declinedCommand(_ accepted: Accepted) throws {
    let neverDeclined: Set = ["RecordDataRead", "RecordRefusal"]
    guard !neverDeclined.contains(accepted.instruction.name) else { return }
    let wanting = accepted.given.when(accepted.instruction, by: accepted.actor).after
    let actor = accepted.actor.role == .customer ? Actor.maker : accepted.actor
    for book in [given([]), wanting] {
      let decided = book.when(accepted.instruction, by: actor)
      guard case .declined = decided.verdict else { continue }
      try expectRecovered(decided, accepted.instruction)
      return
    }
    Issue.record("never declined")
  }

  @Test(arguments: accepted) func refusedCommand(_ accepted: Accepted) throws {
    guard accepted.instruction.name != "RecordRefusal" else { return }
    let decided = accepted.given.when(accepted.instruction, by: .customer(Bank.bob)).thenRefused()
    try expectRecovered(decided, accepted.instruction)
  }

  /// An approval that no longer passes was still an approval.
  @Test func approvalThatFailed() throws {
    let decided = RecoveryTests.waiting.and([Bank.frozen(Bank.bobs)]).when(RecoveryTests.approval, by: .checker)
      .thenDeclined(.accountNotOpen)
    try expectRecovered(decided, RecoveryTests.approval)
  }

  @Test func nothingIsRecoveredFromNothing() {
    #expect(Instruction(recoveredFrom: [], on: BookState()) == nil)
    let added = Event.sanctionsEntryAdded(SanctionsEntryAdded(list: "UN", entry: RecoveryTests.entries[0]))
    #expect(Instruction(recoveredFrom: [added], on: BookState()) == nil)
  }
}
