import Commands
import Ledger
import Testing

/// Group commit: who is batched with whom, in which order, and who is answered what.
@Suite(.timeLimit(.minutes(1))) struct CommandHandlerTests {
  private let writer = GatedWriter()

  private func commands(_ range: Range<UInt64>) -> [CommandEnvelope] {
    range.map {
      CommandEnvelope(
        id: Bank.id($0), actor: .maker, instruction: .verifyCustomer(VerifyCustomer(customerID: Bank.id($0))))
    }
  }

  private func ids(_ results: [CommandResult]) -> [CommandID] {
    results.compactMap { if case .recorded(let outcome, _) = $0 { outcome.commandID } else { nil } }
  }

  private func fault(_ result: CommandResult?) -> BookFault? {
    if case .unavailable(let fault) = result { fault } else { nil }
  }

  /// Runs `body` beside a handler, which is stopped afterwards and has answered everybody by then.
  private func withHandler(
    _ options: CommandHandler.Options = CommandHandler.Options(),
    observe: @escaping @Sendable (BatchReport) -> Void = { _ in },
    _ body: (CommandHandler) async -> Void
  ) async {
    let handler = CommandHandler(writer: writer, options: options, observe: observe)
    async let running: Void = handler.run()
    await body(handler)
    writer.open()
    handler.stop()
    await running
  }

  /// Waits until so many commands are in the queue: whoever gives them runs in a task of its own.
  private func depth(_ count: Int, of handler: CommandHandler) async {
    while handler.queueDepth < count { await Task.yield() }
  }

  @Test func oneCommandIsCommittedAtOnce() async {
    writer.open()
    await withHandler { handler in
      let result = await handler.handle(commands(1..<2)[0])
      #expect(ids([result]) == [Bank.id(1)])
      #expect(writer.sizes == [1])
    }
  }

  @Test func noCommandsAreNoBatch() async {
    await withHandler { handler in
      #expect(await handler.handle([]).isEmpty)
      #expect(writer.sizes.isEmpty)
    }
  }

  @Test func whatArrivesDuringACommitIsTheNextBatch() async {
    await withHandler { handler in
      await withTaskGroup { group in
        group.addTask { _ = await handler.handle(commands(0..<1)) }
        await writer.arrival(of: 1)
        for index in 1..<50 { group.addTask { _ = await handler.handle(commands(UInt64(index)..<UInt64(index + 1))) } }
        await depth(49, of: handler)
        writer.pass()
        await writer.arrival(of: 2)
        #expect(writer.sizes == [1, 49])
        writer.pass()
      }
    }
  }

  /// Work bounds a batch too, so that nobody else waits long for the log: a large list goes alone, in its place.
  @Test func aLargeListGoesAlone() async {
    await withHandler(CommandHandler.Options(batchMaximum: 10)) { handler in
      writer.open()
      var all = commands(0..<5)
      let entries = (0..<50).map { SanctionsEntry(id: "\($0)", name: "Name \($0)") }
      all.insert(
        CommandEnvelope(
          id: Bank.id(99), actor: .maker,
          instruction: .importSanctionsList(
            ImportSanctionsList(list: "UN", version: ListVersion("1"), entries: entries))), at: 3)
      #expect(ids(await handler.handle(all)) == all.map(\.id))
      #expect(writer.sizes == [3, 1, 2])
      let postings = (0..<40).map { number in
        PostingInstruction(
          account: .id(Bank.id(number)), direction: number.isMultiple(of: 2) ? .debit : .credit, amount: 1,
          currency: .nzd)
      }
      let journals = (0..<5).map { number in
        CommandEnvelope(
          id: Bank.id(200 + number), actor: .maker,
          instruction: .postJournal(PostJournal(journalID: Bank.id(200 + number), postings: postings)))
      }
      _ = await handler.handle(journals)
      #expect(writer.sizes == [3, 1, 2, 2, 2, 1])
    }
  }

  /// A job larger than a batch is spread over several, in its order, and answered once, in its order.
  @Test func orderWithinAJob() async {
    await withHandler(CommandHandler.Options(batchMaximum: 7)) { handler in
      writer.open()
      let all = commands(0..<100)
      async let first = handler.handle(all)
      async let second = handler.handle(commands(100..<130))
      let answers = await (first, second)
      #expect(ids(answers.0) == all.map(\.id))
      #expect(ids(answers.1) == (100..<130).map { Bank.id($0) })
      #expect(writer.sizes.allSatisfy { $0 <= 7 })
      let order = writer.batches.flatMap { $0 }.map(\.id).filter { $0 < Bank.id(100) }
      #expect(order == all.map(\.id))
    }
  }

  /// Hundreds at once: everybody gets their own answer and nothing is committed twice.
  @Test func everybodyGetsTheirOwnAnswer() async {
    writer.open()
    await withHandler(CommandHandler.Options(batchMaximum: 16)) { handler in
      await withTaskGroup(of: Bool.self) { group in
        for client in 0..<300 as Range<UInt64> {
          let lane: Lane = client % 3 == 0 ? .writeBack : .interactive
          group.addTask {
            let mine = commands(client * 10..<client * 10 + 1 + client % 5)
            return ids(await handler.handle(mine, lane: lane)) == mine.map(\.id)
          }
        }
        for await isRight in group { #expect(isRight) }
      }
      let committed = writer.batches.flatMap { $0 }.map(\.id)
      #expect(committed.count == Set(committed).count)
      #expect(committed.count == (0..<300).reduce(0) { $0 + 1 + $1 % 5 })
    }
  }

  @Test func fullQueueAnswersAtOnce() async {
    await withHandler(CommandHandler.Options(batchMaximum: 4, queueMaximum: 10)) { handler in
      await withTaskGroup { group in
        group.addTask { _ = await handler.handle(commands(0..<1)) }
        await writer.arrival(of: 1)
        group.addTask { #expect(ids(await handler.handle(commands(10..<18))).count == 8) }
        await depth(8, of: handler)
        // Three don't fit any more and none of them is taken; two do.
        let refused = await handler.handle(commands(20..<23))
        #expect(refused.count == 3)
        #expect(refused.allSatisfy { fault($0) == .queueFull })
        #expect(fault(await handler.handle(commands(30..<43), lane: .writeBack).first) == .queueFull)
        group.addTask { #expect(ids(await handler.handle(commands(50..<52))).count == 2) }
        await depth(10, of: handler)
        writer.open()
      }
      #expect(writer.batches.flatMap { $0 }.count == 11)
      #expect(handler.queueDepth == 0)
    }
  }

  // MARK: Write-back

  @Test func writeBackHasItsShareAndNoMore() async {
    await withHandler(CommandHandler.Options(batchMaximum: 8, writeBackMaximum: 2)) { handler in
      await withTaskGroup { group in
        group.addTask { _ = await handler.handle(commands(0..<1)) }
        await writer.arrival(of: 1)
        group.addTask { _ = await handler.handle(commands(100..<120), lane: .writeBack) }
        await depth(20, of: handler)
        group.addTask { _ = await handler.handle(commands(10..<22)) }
        await depth(32, of: handler)
        writer.open()
      }
      let shares = writer.batches.map { batch in batch.filter { $0.id >= Bank.id(100) }.count }
      // Two of eight while people wait; as soon as nobody does, all of it.
      #expect(shares == [0, 2, 2, 8, 8])
      #expect(writer.sizes == [1, 8, 8, 8, 8])
    }
  }

  /// Large lists leave it its share too.
  @Test func writeBackHasItsShareBesideLargeLists() async {
    await withHandler(CommandHandler.Options(batchMaximum: 8, writeBackMaximum: 2)) { handler in
      let entries = (0..<20).map { SanctionsEntry(id: "\($0)", name: "Name \($0)") }
      let lists = (0..<3).map { number in
        CommandEnvelope(
          id: Bank.id(10 + number), actor: .maker,
          instruction: .importSanctionsList(
            ImportSanctionsList(list: "UN", version: ListVersion("\(number)"), entries: entries)))
      }
      await withTaskGroup { group in
        group.addTask { _ = await handler.handle(commands(0..<1)) }
        await writer.arrival(of: 1)
        group.addTask { _ = await handler.handle(commands(100..<104), lane: .writeBack) }
        await depth(4, of: handler)
        group.addTask { _ = await handler.handle(lists) }
        await depth(7, of: handler)
        writer.open()
      }
      #expect(writer.batches.map { batch in batch.filter { $0.id >= Bank.id(100) }.count } == [0, 2, 2, 0])
      #expect(writer.sizes == [1, 3, 3, 1])
    }
  }

  @Test func writeBackTakesAllWhileNobodyWaits() async {
    await withHandler(CommandHandler.Options(batchMaximum: 8, writeBackMaximum: 1)) { handler in
      writer.open()
      _ = await handler.handle(commands(0..<16), lane: .writeBack)
      #expect(writer.sizes == [8, 8])
    }
  }

  /// However small a batch is, write-back never keeps people waiting for ever.
  @Test(arguments: [1, 2, 3, 100]) func smallBatchesLeaveRoomForPeople(_ batchMaximum: Int) {
    for writeBackMaximum in [nil, 1, 250] {
      let options = CommandHandler.Options(batchMaximum: batchMaximum, writeBackMaximum: writeBackMaximum)
      #expect(options.writeBackMaximum < options.batchMaximum)
    }
    #expect(CommandHandler.Options().writeBackMaximum == 250)
    #expect(CommandHandler.Options(batchMaximum: 0, queueMaximum: -1).queueMaximum == 1)
  }

  // MARK: Stopping

  @Test func stopAnswersEveryoneAndTakesNobodyNew() async {
    await withHandler(CommandHandler.Options(batchMaximum: 5)) { handler in
      await withTaskGroup { group in
        group.addTask { #expect(ids(await handler.handle(commands(0..<1))).count == 1) }
        await writer.arrival(of: 1)
        group.addTask { #expect(ids(await handler.handle(commands(10..<22))).count == 12) }
        group.addTask { #expect(ids(await handler.handle(commands(30..<33), lane: .writeBack)).count == 3) }
        await depth(15, of: handler)
        handler.stop()
        let late = await handler.handle(commands(40..<42))
        #expect(late.count == 2)
        #expect(late.allSatisfy { fault($0) == .shuttingDown })
        writer.open()
      }
      #expect(writer.batches.flatMap { $0 }.count == 16)
    }
  }

  @Test func stopEndsAnIdleHandler() async {
    let handler = CommandHandler(writer: writer)
    async let running: Void = handler.run()
    handler.stop()
    await running
    #expect(fault(await handler.handle(commands(0..<1)[0])) == .shuttingDown)
  }

  @Test func reportsSayHowLargeTheBatchesWere() async {
    let (reports, reported) = AsyncStream.makeStream(of: BatchReport.self)
    await withHandler(CommandHandler.Options(batchMaximum: 4), observe: { reported.yield($0) }) { handler in
      writer.open()
      _ = await handler.handle(commands(0..<10))
    }
    reported.finish()
    var sizes: [Int] = []
    var queued: [Int] = []
    for await report in reports {
      sizes.append(report.size)
      queued.append(report.queued)
      #expect(report.duration >= .zero && report.waited >= .zero)
    }
    #expect(sizes == [4, 4, 2])
    #expect(queued == [6, 2, 0])
  }
}
