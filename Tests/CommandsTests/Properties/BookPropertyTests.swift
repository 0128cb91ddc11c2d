import BookByChance
import Commands
import Ledger
import Testing

/// What holds for every book, whatever commands it is given; a failure prints the seed that brings it back.
@Suite struct BookPropertyTests {
  static let books = 3
  static let commandsPerBook = 300

  /// A book after many commands; `TestBook` looks after each whether money and versions are right.
  static func fill(_ maker: inout CommandMaker, commands: Int = commandsPerBook) throws -> TestBook {
    var book = TestBook()
    for command in maker.opening() { try book.give(command, in: maker.nextContext(on: book.state)) }
    for _ in 0..<commands {
      let command = maker.next(on: book.state)
      let context = maker.nextContext(on: book.state)
      if !book.isTaken(command.id) { try book.give(command, in: context) }
    }
    return book
  }

  /// `TestBook` looks after every command; the generator is of use only if most of what can happen does.
  @Test func invariantsHoldAfterEveryCommand() throws {
    var maker = CommandMaker(Chance("invariants"))
    var types: Set<String> = []
    var codes: Set<RejectionCode> = []
    for _ in 0..<2 * BookPropertyTests.books {
      for step in try BookPropertyTests.fill(&maker).steps {
        types.formUnion(step.recorded.map(\.event.type))
        if case .declined(let code) = step.verdict { codes.insert(code) }
      }
    }
    #expect(types.count >= Event.kinds.count - 6, "\(Set(Event.kinds.map { $0.type.description }).subtracting(types))")
    #expect(codes.count >= 27, "\(Set(RejectionCode.allCases).subtracting(codes))")
  }

  /// The log alone gives the commands back, and they are decided again as they were, on a state folded from the log
  /// alone.
  @Test func everyCommandIsRecoveredAndDecidedAgain() throws {
    var maker = CommandMaker(Chance("replay"))
    for _ in 0..<BookPropertyTests.books {
      let book = try BookPropertyTests.fill(&maker)
      var replayed = BookState(keepsEverything: true)
      for step in book.steps {
        let events = try step.recorded.map { try TestBook.read($0.event.type, $0.payload) }
        let instruction = try #require(Instruction(recoveredFrom: events, on: replayed))
        #expect(try instruction.clearText() == step.command.instruction.clearText())
        let command = CommandEnvelope(id: step.command.id, actor: step.command.actor, instruction: instruction)
        #expect(decide(command, on: replayed, in: step.context) == .record(events, step.verdict))
        for appended in step.recorded { replayed.evolve(appended.event, appended.origin) }
        try expectFaithful(step)
      }
      expectSame(replayed, book.state)
    }
  }

  /// Events written, read and written again are the same bytes, say in clear what was decided, and tell how it came
  /// out.
  private func expectFaithful(_ step: TestBook.Step) throws {
    guard case .record(let decided, _) = decide(step.command, on: step.before, in: step.context) else {
      Issue.record("not decided again: \(step.command)")
      return
    }
    #expect(decided.count == step.recorded.count)
    for (event, appended) in zip(decided, step.recorded) {
      #expect(try TestBook.read(appended.event.type, appended.payload) == appended.event)
      #expect(try appended.event.payload(.asHeld) == appended.payload)
      #expect(try appended.event.payload(.clear(GlassVault())) == event.payload(.clear(GlassVault())))
    }
    let outcome = try #require(CommandOutcome(recorded: step.recorded))
    #expect(outcome.verdict == step.verdict)
    #expect(outcome.command == step.command.instruction.name)
    #expect(outcome.commandID == step.command.id)
    #expect(outcome.position == step.recorded.last?.origin.position)
  }

  /// A server that loads only what `StateNeeds` names decides a whole batch as one that holds the whole book, and
  /// changes the same rows.
  @Test func partialStateDecidesTheSame() throws {
    var maker = CommandMaker(Chance("partial state"))
    for _ in 0..<BookPropertyTests.books {
      var book = TestBook()
      for command in maker.opening() { try book.give(command, in: maker.nextContext(on: book.state)) }
      var given = 0
      while given < BookPropertyTests.commandsPerBook {
        var batch: [CommandEnvelope] = []
        for _ in 0...maker.chance.index(below: 12) { batch.append(maker.next(on: book.state)) }
        given += batch.count
        try decideBoth(batch, &book, &maker)
      }
    }
  }

  private func decideBoth(_ batch: [CommandEnvelope], _ book: inout TestBook, _ maker: inout CommandMaker) throws {
    var partial = try #require(BookState.loaded(for: batch, from: book.state), "asks without end")
    book.forgetTouched()
    for command in batch where !book.isTaken(command.id) {
      let context = maker.nextContext(on: book.state)
      let expected = decide(command, on: book.state, in: context)
      let decided = decide(command, on: partial, in: context)
      #expect(decided == expected, "\(command)")
      try book.give(command, in: context)
      guard case .record = expected, let step = book.steps.last else { continue }
      for appended in step.recorded {
        #expect(partial.nextVersion(of: appended.event, in: appended.origin.stream) == appended.origin.version)
        partial.evolve(appended.event, appended.origin)
      }
    }
    #expect(partial.touched == book.state.touched)
    for (id, account) in partial.accounts { #expect(account == book.state.accounts[id]) }
    for (id, customer) in partial.customers { #expect(customer == book.state.customers[id]) }
    for (id, hold) in partial.holds { #expect(hold == book.state.holds[id]) }
    for (id, approval) in partial.approvals { #expect(approval == book.state.approvals[id]) }
    for (id, transfer) in partial.transfers { #expect(transfer == book.state.transfers[id] ?? nil) }
    for (id, isClaimed) in partial.claimed { #expect(isClaimed == book.state.isClaimed(id)) }
    for (name, list) in partial.lists { #expect(list == book.state.lists[name]) }
    #expect(partial.book == book.state.book)
  }

  private func expectSame(_ one: BookState, _ other: BookState) {
    #expect(one.book == other.book)
    #expect(one.accounts == other.accounts)
    #expect(one.customers == other.customers)
    #expect(one.holds == other.holds)
    #expect(one.approvals == other.approvals)
    #expect(one.numbers == other.numbers)
    #expect(one.lists == other.lists)
    #expect(one.transfers == other.transfers)
    #expect(one.claimed == other.claimed)
  }
}
