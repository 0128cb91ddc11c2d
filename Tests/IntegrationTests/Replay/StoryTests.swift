import Commands
import Crypto
import EventStore
import Ledger
import LocalStack
import Postgres
import Projections
import Testing

/// `kauri replay command`: why a command was decided as it was.
@Suite(.serialized) struct StoryTests {
  private static func id(_ low: UInt64) -> Identifier { Identifier(high: 0x5707, low: low) }

  private static func give(_ number: UInt64, _ instruction: Instruction, by actor: Actor? = nil) -> CommandEnvelope {
    CommandEnvelope(id: id(number), actor: actor ?? Teller.staff[0], instruction: instruction)
  }

  private static func transfer(_ number: UInt64, from debit: AccountID, to credit: AccountID, _ amount: Int64)
    -> CommandEnvelope
  {
    give(
      number,
      .postTransfer(
        PostTransfer(
          transferID: id(number), debit: .id(debit), credit: .id(credit), amount: amount, currency: .nzd,
          reference: PersonalText("for the boat"))))
  }

  private func story(_ number: UInt64, in book: ReplayBook) async throws -> CommandStory? {
    let pool = Pool(
      ConnectionConfiguration(conninfo: book.book.cluster.conninfo(user: LocalStack.serverRole)), maximumSize: 1)
    let codec = EventCodec(keyring: PersonalKeyring(masterKey: SymmetricKey(size: .bits256)))
    let story = try await BookQueries(pool: pool, reader: LogReader(codec: codec)).story(of: Self.id(number))
    await pool.shutdown()
    return story
  }

  /// What the JSON form has under a name, and that it is JSON.
  private func json(_ story: CommandStory) throws -> [String: JSONValue] {
    var writer = JSONWriter()
    story.write(to: &writer)
    var fields: [String: JSONValue] = [:]
    for (name, value) in try JSONDocument(writer.bytes).root.object() { fields[name] = value }
    return fields
  }

  @Test func whyAPaymentWentThroughAndWhatBecameOfIt() async throws {
    try await ReplayBook.run(commands: 0) { book in
      let writer = try book.book.writer()
      let (payer, payee) = (book.accounts[0], book.accounts[1])
      let customer = Identifier(high: 0xC057, low: payer.low)
      let threshold = SetLimit(subject: .id(payer), kind: .approvalThreshold, amount: 100, currency: .nzd)
      let results = await writer.commit([
        Self.give(1, .setLimit(threshold)),
        Self.transfer(2, from: payer, to: payee, 150),
        Self.give(3, .approve(Approve(commandID: Self.id(2), reason: PersonalText("called her"))), by: Teller.staff[1]),
        Self.give(4, .reverseTransfer(ReverseTransfer(transferID: Self.id(2), reason: PersonalText("disputed")))),
      ])
      for result in results { #expect(try result.outcome().verdict == .accepted) }

      let story = try #require(try await story(2, in: book))
      #expect(story.instruction.name == "PostTransfer")
      #expect(story.origin.actor == Teller.staff[0])
      // Every check of the contract, in its order, and the threshold that it was above.
      #expect(story.checks.map(\.code) == RejectionCode.preFlight + [.approvalThreshold])
      let funds = try #require(story.checks.first { $0.code == .insufficientFunds })
      #expect(funds.figures.first == .amount("available", 20_000))
      // The policy that was set before, the score that was written back, the list that was imported last.
      #expect(story.policies.fraudScoreMaximum == 800)
      let party = try #require(story.parties.first { $0.id == customer })
      #expect(party.scores.fraud?.value == 700 && party.scores.fraud?.model == "fraud-7")
      #expect(party.sanctionsMatch == false)
      #expect(story.parties.filter { $0.kind == .account }.map(\.id) == [payer, payee].sorted())
      #expect(story.lists.map(\.version.text) == ["2"])
      let approval = try #require(story.approval)
      #expect(approval.outcome == .approved)
      #expect(approval.maker == Teller.staff[0] && approval.decision?.actor == Teller.staff[1])
      #expect(story.later.map(\.event.type) == ["TransferPosted", "TransferReversed"])

      let lines = story.lines
      #expect(lines.contains { $0.hasPrefix("waits for a second person") } == false)
      #expect(lines.contains { $0.hasPrefix("given by \(Teller.staff[0]) at ") && $0.contains("Pacific/Auckland") })
      #expect(lines.contains { $0.contains("passed insufficient_funds: available 20000, amount 150") })
      #expect(lines.contains { $0.contains("fraud score 700 by fraud-7, ") })
      #expect(lines.contains { $0.hasPrefix("\(Teller.staff[1]) approved it at ") })
      #expect(lines.contains { $0.hasPrefix("since then: TransferReversed by ") })
      #expect(!lines.joined().contains("boat"))

      let fields = try json(story)
      #expect(try fields["outcome"]?.string() == "accepted")
      #expect(try fields["checks"]?.array().count == RejectionCode.preFlight.count + 1)
      #expect(try fields["later"]?.array().count == 2)

      // The reversal knows what it reverses; the approval, what waited.
      let reversal = try #require(try await self.story(4, in: book))
      #expect(reversal.earlier.map(\.event.type) == ["TransferHeldForApproval", "TransferPosted"])
      #expect(reversal.later.isEmpty)
      let agreed = try #require(try await self.story(3, in: book))
      #expect(agreed.instruction.name == "Approve")
      #expect(agreed.approval?.commandID == Self.id(2))
      #expect(agreed.parties.contains { $0.id == payer })
    }
  }

  @Test func whyAPaymentWasDeclined() async throws {
    try await ReplayBook.run(commands: 0) { book in
      let writer = try book.book.writer()
      let result = await writer.commit([Self.transfer(1, from: book.accounts[0], to: book.accounts[1], 20_001)])[0]
      #expect(try result.outcome().verdict == .declined(.insufficientFunds))
      let story = try #require(try await story(1, in: book))
      let failed = story.checks.filter { !$0.passed }
      #expect(failed.map(\.code) == [.insufficientFunds])
      #expect(failed[0].figures.contains(.amount("available", 20_000)))
      #expect(story.lines.contains { $0.hasPrefix("declined, insufficient_funds: TransferDeclined") })
      #expect(try json(story)["code"]?.string() == "insufficient_funds")
      #expect(story.approval == nil && story.earlier.isEmpty && story.later.isEmpty)
      #expect(try await self.story(99, in: book) == nil)
    }
  }

  /// Every command of a busy book has a story.
  @Test func everyCommandHasAStory() async throws {
    try await ReplayBook.run(commands: 80) { book in
      let log = try await book.book.log()
      let pool = Pool(
        ConnectionConfiguration(conninfo: book.book.cluster.conninfo(user: LocalStack.serverRole)), maximumSize: 1)
      let codec = EventCodec(keyring: PersonalKeyring(masterKey: SymmetricKey(size: .bits256)))
      let queries = BookQueries(pool: pool, reader: LogReader(codec: codec))
      for command in Set(log.map(\.origin.commandID)) {
        let story = try #require(try await queries.story(of: command))
        #expect(story.events == log.filter { $0.origin.commandID == command })
        #expect(!story.lines.isEmpty)
        _ = try json(story)
      }
      await pool.shutdown()
    }
  }
}
