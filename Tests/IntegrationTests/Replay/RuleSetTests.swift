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

  private static let both = RuleSets([RuleSet(1) { decide($0, on: $1, in: $2) }, second])

  private static func transfer(_ number: UInt64, _ book: ReplayBook, _ amount: Int64) -> CommandEnvelope {
    let id = Identifier(high: 0x2222, low: number)
    return CommandEnvelope(
      id: id, actor: Teller.staff[0],
      instruction: .postTransfer(
        PostTransfer(
          transferID: id, debit: .id(Teller.settlement), credit: .id(book.accounts[1]), amount: amount, currency: .nzd))
    )
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
      // Before the activation all three write, and decide by the first rule set.
      for (number, writer) in [first, second, third].enumerated() {
        let outcome = try await writer.commit([Self.transfer(UInt64(number), book, 301)])[0].outcome()
        #expect(outcome.events[0].event.type == "TransferPosted")
        #expect(outcome.events[0].origin.ruleSet == 1)
      }
      // One command of the batch activates; those after it are decided by the new rules.
      let results = await second.commit([
        Self.transfer(10, book, 301), Self.activate(2), Self.transfer(11, book, 301), Self.transfer(12, book, 300),
      ])
      let outcomes = try results.map { try $0.outcome() }
      #expect(
        outcomes.map { $0.events[0].event.type } == [
          "TransferPosted", "RuleSetActivated", "TransferHeldForApproval", "TransferPosted",
        ])
      #expect(outcomes.map { $0.events[0].origin.ruleSet } == [1, 1, 2, 2])

      // Of three servers one is too old: it refuses to write, says why, and changes nothing. The others go on.
      let before = try await book.book.log().count
      guard case .unavailable(.unknownRuleSet(2)) = await first.commit([Self.transfer(20, book, 5)])[0] else {
        Issue.record("a server that doesn't know the rules wrote")
        return
      }
      #expect(try await book.book.log().count == before)
      let gone = try await third.commit([Self.transfer(21, book, 400)])[0].outcome()
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

  /// A batch that activates rules which its own server doesn't know ends there: nothing is decided by rules that aren't
  /// there.
  @Test func whoActivatesWhatItDoesNotKnowStopsWriting() async throws {
    try await ReplayBook.run(commands: 10) { book in
      let writer = try book.book.writer()
      let results = await writer.commit([Self.activate(2), Self.transfer(1, book, 5)])
      #expect(try results[0].outcome().verdict == .accepted)
      guard case .unavailable(.unknownRuleSet(2)) = results[1] else {
        Issue.record("decided by rules that aren't known: \(results[1])")
        return
      }
      let newer = try book.book.writer(WriterOptions(ruleSets: Self.both))
      #expect(try await newer.commit([Self.transfer(1, book, 5)])[0].outcome().events[0].origin.ruleSet == 2)
      #expect(try await book.verify { $0.ruleSets = Self.both }.isSound)
    }
  }
}
