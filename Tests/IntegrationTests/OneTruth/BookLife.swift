import BookByChance
import Commands
import EventStore
import Ledger
import Postgres

/// A book's life by chance: commands of every kind in batches, and at random moments a crash, a person's erasure, an
/// activation of new rules. Whoever gets no answer asks again with the same ids.
struct BookLife {
  let book: CrashableBook
  private(set) var chance: Chance
  private var maker: CommandMaker
  private var writer: PostgresBook
  /// What the log comes to; it only says what a sensible command would be.
  private var state = BookState(keepsEverything: true)
  private var folded: Int64 = 0
  private var build = RuleSets.standard
  private var others: UInt64 = 0
  /// What the last batch took.
  private var pace = Duration.milliseconds(5)

  /// The position of each acknowledged command's last event.
  private(set) var acknowledged: [CommandID: Int64] = [:]
  /// The first positions of the commands of each batch that led to something, in their order.
  private(set) var batches: [[Int64]] = []
  private(set) var crashes: [CrashableBook.Crash] = []
  /// Crashes that came while their batch was under way.
  private(set) var hits: [CrashableBook.Crash] = []
  /// Commands that stood in the log already when they were asked for again.
  private(set) var foundAgain = 0

  /// A command that should stand in the log and can't.
  struct Refused: Error, CustomStringConvertible {
    let description: String
  }

  init(_ book: CrashableBook, seed: UInt64) throws {
    self.book = book
    chance = Chance(seed: seed)
    maker = CommandMaker(Chance(seed: seed ^ 0xB00C))
    writer = try book.writer(knowing: RuleSets.standard, cachedAccounts: 500_000)
  }

  // MARK: Life

  mutating func begin() async throws {
    book.clock.set(maker.moment)
    guard case .recorded(let opened, _)? = try await writer.openIfEmpty(timeZone: "Pacific/Auckland", currency: .nzd)
    else { throw Refused(description: "the book could not be opened") }
    fold(opened)
    try await give(maker.opening())
  }

  /// Gives so many batches; the crashes, two erasures and two activations fall into random ones of them.
  mutating func live(batches count: Int, _ crashes: [CrashableBook.Crash]) async throws {
    let order = (0..<count).shuffled(using: &chance)
    let crashing = Dictionary(uniqueKeysWithValues: zip(order, crashes))
    let leaving = Set((0..<count).shuffled(using: &chance).prefix(2))
    let activating = Set((0..<count).shuffled(using: &chance).prefix(2))
    for number in 0..<count {
      if activating.contains(number) { try await activate() }
      var batch = nextBatch()
      if leaving.contains(number) { batch = mixed(batch, departure()) }
      try await give(batch, crashing: crashing[number])
    }
  }

  private mutating func nextBatch() -> [CommandEnvelope] {
    book.clock.set(maker.nextContext(on: state).moment)
    return (0...chance.index(below: 14)).map { _ in maker.next(on: state) }
  }

  /// Both in their own order, one among the other.
  private mutating func mixed(_ one: [CommandEnvelope], _ other: [CommandEnvelope]) -> [CommandEnvelope] {
    var (left, right) = (one[...], other[...])
    var mixed: [CommandEnvelope] = []
    while let next = chance.oneIn(2) ? left.popFirst() ?? right.popFirst() : right.popFirst() ?? left.popFirst() {
      mixed.append(next)
    }
    return mixed
  }

  private mutating func other(_ instruction: Instruction, by actor: Actor = CommandMaker.maker) -> CommandEnvelope {
    CommandEnvelope(id: nextID(), actor: actor, instruction: instruction)
  }

  private mutating func nextID() -> Identifier {
    others += 1
    return Identifier(high: 0xE0, low: others)
  }

  /// A customer who came, moved money, went, and is erased; somebody has heard the name and asks once more.
  private mutating func departure() -> [CommandEnvelope] {
    let keepsNobody = other(.setPolicy(SetPolicy(change: .retentionDays(0))))
    let (customer, account, cash) = (nextID(), nextID(), CommandMaker.accounts[0])
    func move(_ debit: AccountID, _ credit: AccountID) -> CommandEnvelope {
      let id = nextID()
      let transfer = PostTransfer(
        transferID: id, debit: .id(debit), credit: .id(credit), amount: 40, currency: .nzd,
        reference: PersonalText("Rewi's"))
      return CommandEnvelope(id: id, actor: CommandMaker.maker, instruction: .postTransfer(transfer))
    }
    let register = Instruction.registerCustomer(
      RegisterCustomer(customerID: customer, name: PersonalText("Rewi"), dateOfBirth: PersonalText("1970-01-01")))
    return [
      keepsNobody, other(.approve(Approve(commandID: keepsNobody.id)), by: CommandMaker.checker), other(register),
      other(.verifyCustomer(VerifyCustomer(customerID: customer))),
      other(
        .openAccount(
          OpenAccount(
            accountID: account, kind: .customer, customerID: customer, currency: .nzd,
            name: PersonalText("Rainy days")))),
      move(cash, account), move(account, cash),
      other(.closeAccount(CloseAccount(account: .id(account)))),
      other(.eraseCustomer(EraseCustomer(customerID: customer, reason: PersonalText("asked")))), other(register),
    ]
  }

  /// New rules are wanted. A server that doesn't know them declines; another that does, and a second person, make them
  /// active, and the first one finds that it is too old.
  private mutating func activate() async throws {
    let next = Instruction.activateRuleSet(
      ActivateRuleSet(ruleSet: min(LaterRules.newest.newest, (state.book?.ruleSet ?? 1) + 1)))
    try await give([other(next)])
    let proposal = other(next)
    let approval = other(.approve(Approve(commandID: proposal.id)), by: CommandMaker.checker)
    let batch = mixed(nextBatch(), [proposal, approval])
    let newer = try book.writer(knowing: LaterRules.newest, cachedAccounts: chance.pick([0, 3, 500_000]))
    let first = await newer.commit(batch)
    let answers = try await settle(batch, first: first)
    try take(answers)
  }

  // MARK: Giving

  /// Gives a batch until every command of it has its answer, while something may crash.
  private mutating func give(_ batch: [CommandEnvelope], crashing crash: CrashableBook.Crash? = nil) async throws {
    guard let crash else {
      let began = ContinuousClock.now
      let first = await writer.commit(batch)
      pace = .now - began
      let answers = try await settle(batch, first: first)
      return try take(answers)
    }
    crashes.append(crash)
    // Early in the batch until one of its kind has come in time: a crash after the answer says little.
    let moment = pace * chance.index(below: 100) / (hits.contains(crash) ? 100 : 200)
    let (book, old) = (book, writer)
    let isAnswered = Flag()
    let given = Task {
      let answers = await old.commit(batch)
      isAnswered.raise()
      return answers
    }
    try await Task.sleep(for: moment)
    if !isAnswered.isRaised { hits.append(crash) }
    guard case .process = crash else {
      try await book.strike(crash)
      let answers = try await settle(batch, first: await given.value)
      return try take(answers)
    }
    writer = try book.writer(knowing: build, cachedAccounts: chance.pick([0, 3, 500_000]))
    let first = await writer.commit(batch)
    let answers = try await settle(batch, first: first)
    try take(answers)
    // What the one that is gone would have said.
    try expectSame(await given.value, answers)
  }

  /// Asks again for what wasn't answered, in its order.
  private mutating func settle(
    _ batch: [CommandEnvelope], first: [CommandResult]
  ) async throws -> [CommandResult] {
    var answers = first
    let until = ContinuousClock.now + .seconds(60)
    while true {
      let open = answers.indices.filter { answers[$0].isUnanswered }
      if open.isEmpty { return answers }
      for index in open {
        guard case .unavailable(let fault) = answers[index] else { continue }
        switch fault {
        case .databaseUnavailable: break
        // The bank deploys the build that knows the rules.
        case .unknownRuleSet(let ruleSet) where LaterRules.newest.contains(ruleSet): build = LaterRules.newest
        default: throw Refused(description: "\(batch[index].instruction.name): \(fault)")
        }
      }
      guard ContinuousClock.now < until else { throw NotInTime(what: "\(open.count) commands are answered") }
      writer = try book.writer(knowing: build, cachedAccounts: 3)
      for (index, answer) in zip(open, await writer.commit(open.map { batch[$0] })) {
        if case .recorded(_, replayed: true) = answer { foundAgain += 1 }
        answers[index] = answer
      }
    }
  }

  private mutating func take(_ answers: [CommandResult]) throws {
    let outcomes = answers.compactMap(\.recordedOutcome).sorted { $0.position < $1.position }
    let new = outcomes.filter { acknowledged[$0.commandID] == nil }
    for outcome in outcomes { acknowledged[outcome.commandID] = outcome.position }
    batches.append(new.compactMap { $0.events.first?.origin.position })
    for outcome in new { fold(outcome) }
    guard new.isEmpty || folded == new.last?.position else {
      throw Refused(description: "what was answered leaves a gap before \(new.last?.position ?? 0)")
    }
  }

  private mutating func fold(_ outcome: CommandOutcome) {
    for appended in outcome.events where appended.origin.position == folded + 1 {
      state.evolve(appended.event, appended.origin)
      folded += 1
    }
  }

  /// Nobody was told anything that isn't so.
  private func expectSame(_ answers: [CommandResult], _ others: [CommandResult]) throws {
    for (answer, other) in zip(answers, others) {
      guard let outcome = answer.recordedOutcome else { continue }
      guard let same = other.recordedOutcome, same.position == outcome.position, same.verdict == outcome.verdict else {
        throw Refused(description: "one command, two answers: \(answer) and \(other)")
      }
    }
  }
}

extension CommandResult {
  fileprivate var isUnanswered: Bool {
    if case .unavailable = self { true } else { false }
  }

  fileprivate var recordedOutcome: CommandOutcome? {
    if case .recorded(let outcome, _) = self { outcome } else { nil }
  }
}
