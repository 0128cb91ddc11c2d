import Commands
import Ledger
import Synchronization
import Testing

/// Commands that came together keep their order even when the database goes away in the middle of them and comes back.
@Suite(.timeLimit(.minutes(1))) struct OrderAfterFaultTests {
  @Test func nothingIsDecidedBehindWhatIsUndecided() async {
    let results = await results(failing: [2: .databaseUnavailable("gone")])
    #expect(results.prefix(4).allSatisfy(isRecorded))
    #expect(results.dropFirst(4).allSatisfy { fault($0) == .databaseUnavailable("gone") })
  }

  /// A command that can never be committed is nothing to wait for.
  @Test func whatCanNeverBeDecidedHoldsUpNobody() async {
    let results = await results(failing: [2: .commandFailed("poison")])
    #expect(results.count(where: isRecorded) == 16)
  }

  /// Whoever waits behind a job that is given up is served as if it had never been there.
  @Test func othersGoOn() async {
    let writer = FaultyWriter(failing: [1: .databaseUnavailable("gone")])
    let handler = CommandHandler(writer: writer, options: CommandHandler.Options(batchMaximum: 4))
    let (given, other) = (commands(0..<20), commands(100..<103))
    async let first = handler.handle(given)
    while handler.queueDepth < given.count { await Task.yield() }
    async let second = handler.handle(other)
    while handler.queueDepth < given.count + other.count { await Task.yield() }
    async let running: Void = handler.run()
    #expect(await first.count == 20)
    #expect(await second.allSatisfy(isRecorded))
    #expect(handler.queueDepth == 0)
    #expect(writer.committed == other.map(\.id))
    handler.stop()
    await running
  }

  private func results(failing: [Int: BookFault]) async -> [CommandResult] {
    let handler = CommandHandler(
      writer: FaultyWriter(failing: failing), options: CommandHandler.Options(batchMaximum: 4))
    async let running: Void = handler.run()
    let results = await handler.handle(commands(0..<20))
    handler.stop()
    await running
    return results
  }

  private func commands(_ range: Range<UInt64>) -> [CommandEnvelope] {
    range.map {
      CommandEnvelope(
        id: Bank.id($0), actor: .maker, instruction: .verifyCustomer(VerifyCustomer(customerID: Bank.id($0))))
    }
  }

  private func isRecorded(_ result: CommandResult) -> Bool {
    if case .recorded = result { true } else { false }
  }

  private func fault(_ result: CommandResult) -> BookFault? {
    if case .unavailable(let fault) = result { fault } else { nil }
  }
}

/// A writer that can't commit certain batches, counted from 1.
private final class FaultyWriter: BookWriter {
  private let failing: [Int: BookFault]
  private let state = Mutex<(batches: Int, committed: [CommandID])>((0, []))

  init(failing: [Int: BookFault]) { self.failing = failing }

  var committed: [CommandID] { state.withLock { $0.committed } }

  func commit(_ batch: [CommandEnvelope]) async -> [CommandResult] {
    let number = state.withLock { state in
      state.batches += 1
      return state.batches
    }
    if let fault = failing[number] { return Array(repeating: .unavailable(fault), count: batch.count) }
    state.withLock { $0.committed += batch.map(\.id) }
    return batch.map { command in
      .recorded(
        CommandOutcome(commandID: command.id, command: command.instruction.name, verdict: .accepted, events: []),
        replayed: false)
    }
  }
}
