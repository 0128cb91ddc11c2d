import Commands
import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// The writer on a real Postgres.
@Suite(.serialized) struct WriterTests {
  @Test func sameCommandHappensOnce() async throws {
    try await WriterBook.run { book in
      let (first, second) = (try book.writer(), try book.writer())
      var teller = Teller(accounts: 2)
      let opening = teller.opening(funds: 1_000)
      // The last command of the opening twice in one batch.
      let results = await first.commit(opening + [opening[opening.count - 1]])
      for result in results.dropLast() { #expect(try recorded(result).replayed == false) }
      let original = try recorded(results[opening.count - 1])
      let repeated = try recorded(results[opening.count])
      #expect(repeated.replayed)
      #expect(repeated.outcome.events == original.outcome.events)

      // Again at another server, which has never seen it.
      let elsewhere = try recorded(await second.commit([opening[opening.count - 1]])[0])
      #expect(elsewhere.replayed)
      #expect(elsewhere.outcome.events == original.outcome.events)
      #expect(elsewhere.outcome.verdict == .accepted)

      // The same id with another content, and by another actor: nothing of the first is shown.
      var changed = opening[opening.count - 1]
      changed.actor = Teller.staff[1]
      guard case .keyReused = await first.commit([changed])[0] else {
        Issue.record("another actor's command under the same id was not refused")
        return
      }
      #expect(try await book.log().count == 1 + opening.count)
      try await book.expectSoundBook()
    }
  }

  /// A key that was made in a transaction that came to nothing is not used: what it sealed could never be opened again.
  @Test func aKeyThatWasRolledBackIsMadeAgain() async throws {
    try await WriterBook.run { book in
      let writer = try book.writer()
      let (id, other) = (Identifier(high: 1, low: 1), Identifier(high: 1, low: 2))
      func register(_ customer: Identifier, under id: Identifier) -> CommandEnvelope {
        CommandEnvelope(
          id: id, actor: Teller.staff[0],
          instruction: .registerCustomer(RegisterCustomer(customerID: customer, name: PersonalText("Aroha Ngata"))))
      }
      let (first, second) = (Identifier(high: 0xC057, low: 1), Identifier(high: 0xC057, low: 2))
      _ = try recorded(await writer.commit([register(first, under: id)])[0])
      // The id is another command's, so nothing is recorded, and what was made for it is rolled back.
      guard case .keyReused = await writer.commit([register(second, under: id)])[0] else {
        Issue.record("an id was used twice")
        return
      }
      _ = try recorded(await writer.commit([register(second, under: other)])[0])
      let kept = try await book.recorded.read { session in
        try session.execute("select from personal_keys where subject = $1", [.uuid(second.high, second.low)]).count
      }
      #expect(kept == 1)
    }
  }

  @Test func aChosenIDIsTakenForEver() async throws {
    try await WriterBook.run { book in
      let writer = try book.writer()
      var teller = Teller(accounts: 2)
      _ = await writer.commit(teller.opening(funds: 1_000))
      let chosen = Identifier(high: 7, low: 7)
      func transfer(_ id: Identifier, as transferID: Identifier, _ amount: Int64) -> CommandEnvelope {
        CommandEnvelope(
          id: id, actor: Teller.staff[0],
          instruction: .postTransfer(
            PostTransfer(
              transferID: transferID, debit: .id(teller.accounts[0]), credit: .id(teller.accounts[1]), amount: amount,
              currency: .nzd)))
      }
      // Declined under a chosen id, then accepted under it: a decline takes nothing.
      let ids = (1...5).map { Identifier(high: 8, low: $0) }
      let results = await writer.commit([
        transfer(ids[0], as: chosen, 1_000_000), transfer(ids[1], as: chosen, 10), transfer(ids[2], as: chosen, 10),
      ])
      #expect(try recorded(results[0]).outcome.verdict == .declined(.insufficientFunds))
      #expect(try recorded(results[1]).outcome.verdict == .accepted)
      #expect(try recorded(results[2]).outcome.verdict == .declined(.transferExists))
      // In another batch, by a writer that has to look it up; and as a command's own id.
      let other = try book.writer()
      #expect(
        try recorded(await other.commit([transfer(ids[3], as: chosen, 10)])[0]).outcome.verdict
          == .declined(.transferExists))
      guard case .keyReused = await other.commit([transfer(chosen, as: chosen, 10)])[0] else {
        Issue.record("a transfer's id became a command's")
        return
      }
      // It can be reversed under its own id, by a writer that has never seen it.
      let reversal = CommandEnvelope(
        id: ids[4], actor: Teller.staff[0],
        instruction: .reverseTransfer(ReverseTransfer(transferID: chosen, reason: PersonalText("wrong"))))
      #expect(try recorded(await other.commit([reversal])[0]).outcome.verdict == .accepted)
      try await book.expectSoundBook()
    }
  }

  /// Random commands in batches give the same log as one by one, with the cache on and off.
  @Test func batchesDecideAsSingles() async throws {
    var logs: [[AppendedEvent]] = []
    for (batchSize, cached) in [(1, 500_000), (64, 500_000), (64, 0), (7, 3)] {
      try await WriterBook.run { book in
        let start = Moment(microseconds: 1_790_000_000_000_000)
        let writer = try book.writer(
          WriterOptions(cachedAccountsMaximum: cached, clock: { start }, clockLeadMaximum: nil))
        var teller = Teller(accounts: 6)
        _ = await writer.commit(teller.opening(funds: 1_000))
        var commands: [CommandEnvelope] = []
        for _ in 0..<300 { commands.append(teller.next()) }
        for index in stride(from: 0, to: commands.count, by: batchSize) {
          let batch = Array(commands[index..<min(index + batchSize, commands.count)])
          for result in await writer.commit(batch) { _ = try recorded(result) }
        }
        try await book.expectSoundBook()
        logs.append(try await book.log())
      }
    }
    // Personal text is sealed under keys that differ from book to book; everything else is equal.
    func essence(_ event: AppendedEvent) -> String {
      "\(event.origin.stream) \(event.origin.version) \(event.event.type) \(event.origin.commandID)"
    }
    for log in logs.dropFirst() {
      #expect(log.dropFirst().map(essence) == logs[0].dropFirst().map(essence))
    }
  }

  /// Hundreds of clients on few accounts, through three writers at once, one of them without a cache.
  @Test func severalWritersAtOnce() async throws {
    try await WriterBook.run { book in
      var teller = Teller(accounts: 8)
      let first = try book.writer()
      _ = await first.commit(teller.opening(funds: 5_000))
      let handlers = try [WriterOptions(), WriterOptions(catchUpMaximum: 20), WriterOptions(cachedAccountsMaximum: 0)]
        .map { CommandHandler(writer: try book.writer($0), options: .init(batchMaximum: 50)) }
      var commands: [CommandEnvelope] = []
      for _ in 0..<1_500 { commands.append(teller.next()) }
      let given = commands
      let results = try await withThrowingTaskGroup(of: (Int, CommandResult).self) { group in
        for handler in handlers {
          group.addTask {
            await handler.run(); return (-1, .notDue)
          }
        }
        // Every command is given to two servers at once: it must happen once.
        for (index, command) in given.enumerated() {
          for copy in 0..<2 {
            let handler = handlers[(index + copy) % handlers.count]
            group.addTask { (index, await handler.handle(command)) }
          }
        }
        var results: [Int: [CommandResult]] = [:]
        var answered = 0
        while let (index, result) = try await group.next() {
          guard index >= 0 else { continue }
          results[index, default: []].append(result)
          answered += 1
          if answered == given.count * 2 { for handler in handlers { handler.stop() } }
        }
        return results
      }
      for index in given.indices {
        let outcomes = try (results[index] ?? []).map { try recorded($0) }
        #expect(outcomes.count == 2)
        #expect(outcomes.filter { !$0.replayed }.count == 1, "command \(index) happened once")
        #expect(outcomes[0].outcome.events == outcomes[1].outcome.events)
      }
      try await book.expectSoundBook()
      #expect(try await book.log().filter { $0.origin.index == 0 }.count == 1 + 1 + 8 * 4 + given.count)
    }
  }

  private func recorded(
    _ result: CommandResult, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> (outcome: CommandOutcome, replayed: Bool) {
    guard case .recorded(let outcome, let replayed) = result else {
      Issue.record("not recorded: \(result)", sourceLocation: sourceLocation)
      throw NotRecorded()
    }
    return (outcome, replayed)
  }

  struct NotRecorded: Error {}
}
