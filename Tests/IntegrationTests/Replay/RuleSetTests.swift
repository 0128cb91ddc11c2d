import Commands
import EventStore
import Ledger
import Postgres
import Testing

/// A rule that changes in code is a new rule set: activated by an event, known to new builds and not to old ones, and
/// each event is verified under its own.
@Suite(.serialized) struct RuleSetTests {
  /// The rules of a later build: a transfer of more than 300 that would have been posted waits for a second person.
  private static let second = RuleSet(2) { command, state, context in
    let decision = decide(command, on: state, in: context)
    guard case .record(let events, .accepted) = decision, case .transferPosted(let posted)? = events.first,
      posted.approval == nil, posted.terms.amount > 300
    else { return decision }
    let held = TransferHeldForApproval(terms: posted.terms, basis: posted.basis)
    return .record([.transferHeldForApproval(held)], .accepted)
  }

  static let both = RuleSets([RuleSet(1) { decide($0, on: $1, in: $2) }, second])

  /// An account that no teller freezes.
  private static let till = Identifier(high: 0x2221, low: 1)
  private static let opening = CommandEnvelope(
    id: Identifier(high: 0x2221, low: 2), actor: Teller.staff[0],
    instruction: .openAccount(OpenAccount(accountID: till, kind: .internal, currency: .nzd)))

  private static func transfer(_ number: UInt64, _ amount: Int64) -> CommandEnvelope {
    let id = Identifier(high: 0x2222, low: number)
    return CommandEnvelope(
      id: id, actor: Teller.staff[0],
      instruction: .postTransfer(
        PostTransfer(
          transferID: id, debit: .id(Teller.settlement), credit: .id(till), amount: amount, currency: .nzd)))
  }

  private static func activate(_ ruleSet: Int) -> CommandEnvelope {
    CommandEnvelope(
      id: Identifier(high: 0x2223, low: UInt64(ruleSet)), actor: .kauri,
      instruction: .activateRuleSet(ActivateRuleSet(ruleSet: ruleSet)))
  }

  @Test func theRulesChangeAndEachEventKeepsItsOwn() async throws {
    var old = WriterOptions()
    old.ruleSets = RuleSets.standard
    var new = WriterOptions()
    new.ruleSets = Self.both
    // The book was opened by the old build.
    try await ReplayBook.run(commands: 60, options: old) { book in
      let (first, second, third) = (
        try book.book.writer(old), try book.book.writer(new), try book.book.writer(new)
      )
      _ = try await first.commit([Self.opening])[0].outcome()
      // Before the activation all three write, and decide by the first rule set.
      for (number, writer) in [first, second, third].enumerated() {
        let outcome = try await writer.commit([Self.transfer(UInt64(number), 301)])[0].outcome()
        #expect(outcome.events[0].event.type == "TransferPosted")
        #expect(outcome.events[0].origin.ruleSet == 1)
      }
      // One command of the batch activates; those after it are decided by the new rules.
      let results = await second.commit([
        Self.transfer(10, 301), Self.activate(2), Self.transfer(11, 301), Self.transfer(12, 300),
      ])
      let outcomes = try results.map { try $0.outcome() }
      #expect(
        outcomes.map { $0.events[0].event.type } == [
          "TransferPosted", "RuleSetActivated", "TransferHeldForApproval", "TransferPosted",
        ])
      #expect(outcomes.map { $0.events[0].origin.ruleSet } == [1, 1, 2, 2])

      // Of three servers one is too old: it refuses to write, says why, and changes nothing. The others go on.
      let before = try await book.book.log().count
      guard case .unavailable(.unknownRuleSet(2)) = await first.commit([Self.transfer(20, 5)])[0] else {
        Issue.record("a server that doesn't know the rules wrote")
        return
      }
      #expect(try await book.book.log().count == before)
      let gone = try await third.commit([Self.transfer(21, 400)])[0].outcome()
      #expect(gone.events[0].event.type == "TransferHeldForApproval")
      #expect(gone.events[0].origin.ruleSet == 2)

      // A build that knows both verifies each under its own; one that doesn't says so, and where it begins.
      let report = try await book.verify { $0.ruleSets = Self.both }
      #expect(report.differences == [])
      let activation = outcomes[1].position
      let tooOld = try await book.verify()
      #expect(tooOld.differences.first?.position == activation + 1)
      #expect(tooOld.differences.allSatisfy { $0.position > activation && $0.field == "rule_set" })
      #expect(tooOld.total == 3)

      // Rules that were changed without a new rule set don't give what the log says.
      let changed = RuleSets([RuleSet(1, decide: Self.second.decide), Self.second])
      let fault = try await book.verify { $0.ruleSets = changed }
      #expect(
        fault.differences.contains {
          $0.field == "type" && $0.expected == "TransferHeldForApproval" && $0.found == "TransferPosted"
        })
      #expect(fault.differences.allSatisfy { $0.position < activation })
    }
  }

  /// A server doesn't activate rules that it doesn't know: the command is declined, with what its build knows, and its
  /// neighbours in the batch go on. Where only a second person is missing, that one is sent to a newer server.
  @Test func nobodyActivatesWhatItDoesNotKnow() async throws {
    try await ReplayBook.run(commands: 10) { book in
      let writer = try book.book.writer()
      let newer = try book.book.writer(WriterOptions(ruleSets: Self.both))
      _ = try await writer.commit([Self.opening])[0].outcome()
      let results = await writer.commit([Self.activate(2), Self.transfer(1, 5)])
      let declined = try results[0].outcome()
      #expect(declined.verdict == .declined(.ruleSetNotKnown))
      #expect(try results[1].outcome().events[0].origin.ruleSet == 1)

      let proposal = CommandEnvelope(
        id: Identifier(high: 0x2224, low: 1), actor: Teller.staff[0],
        instruction: .activateRuleSet(ActivateRuleSet(ruleSet: 2)))
      let approval = CommandEnvelope(
        id: Identifier(high: 0x2224, low: 2), actor: Teller.staff[1],
        instruction: .approve(Approve(commandID: proposal.id)))
      #expect(try await newer.commit([proposal])[0].outcome().events[0].event.type == "RuleSetProposed")
      let before = try await book.book.log().count
      let answers = await writer.commit([approval, Self.transfer(2, 5)])
      guard case .unavailable(.unknownRuleSet(2)) = answers[0] else {
        Issue.record("rules that aren't known were activated: \(answers[0])")
        return
      }
      // Nothing is recorded of it, so its id is free for another server; and the batch goes on.
      #expect(try answers[1].outcome().events[0].origin.ruleSet == 1)
      #expect(try await book.book.log().count == before + 1)
      let activated = try await newer.commit([approval, Self.transfer(3, 5)]).map { try $0.outcome() }
      #expect(activated.map { $0.events[0].event.type } == ["RuleSetActivated", "TransferPosted"])
      #expect(activated.map { $0.events[0].origin.ruleSet } == [1, 2])
      // The decline is decided again as it was, by a build that knows the set too.
      let report = try await book.verify { $0.ruleSets = Self.both }
      #expect(report.isSound, "\(report.differences)")
      let tooOld = try await book.verify()
      #expect(tooOld.differences.map(\.field).allSatisfy { $0 == "rule_set" } && tooOld.total == 1)
    }
  }
}
