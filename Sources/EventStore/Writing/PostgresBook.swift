public import Commands
import Ledger
public import Logging
public import Postgres

/// The writer: decides batches of commands under the head's lock and appends what they led to, in one transaction a
/// batch.
///
/// Any number of processes may run one against the same database: the lock makes them take turns. It works on a thread
/// and a connection of its own, and makes the connection anew when it breaks.
public actor PostgresBook: BookWriter {
  private let executor: ThreadExecutor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let configuration: ConnectionConfiguration
  let keyring: PersonalKeyring
  let codec: EventCodec
  let reader: LogReader
  /// Those of the generations that the head named last.
  private var readModels: any InlineReadModels
  let options: WriterOptions
  private let logger: Logger
  /// Called after each commit with the log position that it reached.
  private let committed: @Sendable (Int64) -> Void

  private var session: Session?
  private var cache = StateCache()
  private var calendar: BookCalendar?
  /// Personal keys that the batch at hand made: they exist once it is committed.
  private var madeKeys: Set<Identifier> = []
  /// Personal keys that were found missing while a batch was decided; it is begun again with them.
  private var keysToLoad: Set<Identifier> = []
  /// Where the log ended when this writer last looked, whatever the cache knows.
  private var knownHead: Int64 = 0
  /// Partitions exist for the positions up to here.
  private var preparedUpTo: Int64 = 0

  /// - Parameter configuration: where the book's database is. The session's time-outs and plan settings are the
  ///   writer's own, whatever it says of them.
  /// - Throws: `PostgresError.system` when the system gives no thread. The database isn't needed yet.
  public init(
    configuration: ConnectionConfiguration, keyring: PersonalKeyring, readModels: any InlineReadModels,
    options: WriterOptions = WriterOptions(), logger: Logger = Logger(label: "kauri.writer"),
    committed: @escaping @Sendable (Int64) -> Void = { _ in }
  ) throws {
    executor = try ThreadExecutor(name: "kauri-writer")
    var configuration = configuration
    configuration.applicationName = FrozenWriters.applicationName
    configuration.settings.merge(type(of: readModels).sessionSettings) { _, own in own }
    configuration.settings.merge(PostgresBook.sessionSettings) { _, own in own }
    configuration.queryTimeout = configuration.queryTimeout ?? .seconds(20)
    self.configuration = configuration
    self.keyring = keyring
    codec = EventCodec(keyring: keyring)
    reader = LogReader(codec: codec)
    self.readModels = readModels
    self.options = options
    self.logger = logger
    self.committed = committed
  }

  /// A holder of the head's lock that freezes must not stop the bank: seconds each.
  private static let sessionSettings = [
    "idle_in_transaction_session_timeout": "3s",
    "lock_timeout": "3s",
    "statement_timeout": "15s",
    "client_connection_check_interval": "2s",
    "plan_cache_mode": "force_generic_plan",
    "synchronous_commit": "on",
  ]

  // MARK: Committing

  public func commit(_ batch: [CommandEnvelope]) async -> [CommandResult] {
    let started = ContinuousClock.now
    var mayHaveCommitted = false
    keysToLoad = []
    while true {
      do {
        return try attempt(batch, settling: mayHaveCommitted)
      } catch let error as PostgresError {
        abandon(error)
        mayHaveCommitted = mayHaveCommitted || error.isOutcomeUnknown
        if !error.isRetryable { return await isolate(batch, error) }
        if error.sqlState == "55P03" { await endFrozenWriters() }
        // Nothing was sent where no session could be made: callers are told at once. What may have been committed is
        // worth some waiting: asked under the lock, the log says which it is.
        let worthWaiting = mayHaveCommitted || error.kind != .connectFailed
        guard worthWaiting, ContinuousClock.now - started < options.settlingTime else {
          return unavailable(batch, .databaseUnavailable(error.description))
        }
        try? await Task.sleep(for: .milliseconds(50))
      } catch let missing as MissingPersonalKeys where !missing.subjects.isSubset(of: keysToLoad) {
        abandon(missing)
        keysToLoad.formUnion(missing.subjects)
      } catch let fault as BookFault {
        abandon(fault)
        return unavailable(batch, fault)
      } catch {
        abandon(error)
        return await isolate(batch, error)
      }
    }
  }

  /// A batch that can't be committed, for a reason that waiting won't mend, is split until the command that is at fault
  /// stands alone.
  private func isolate(_ batch: [CommandEnvelope], _ error: any Error) async -> [CommandResult] {
    guard batch.count > 1 else {
      logger.error("a command could not be committed", metadata: ["error": "\(error)"])
      return unavailable(batch, .commandFailed(String(describing: error)))
    }
    let half = batch.count / 2
    let first = await commit(Array(batch[..<half]))
    // Commands are decided in their order: once the database is gone, what comes later may not be, though it come back.
    if case .unavailable(let fault)? = first.last, case .databaseUnavailable = fault {
      return first + unavailable(Array(batch[half...]), fault)
    }
    return first + (await commit(Array(batch[half...])))
  }

  private func unavailable(_ batch: [CommandEnvelope], _ fault: BookFault) -> [CommandResult] {
    Array(repeating: .unavailable(fault), count: batch.count)
  }

  /// Whatever was decided didn't surely happen: nothing of it may stay in memory.
  private func abandon(_ error: any Error) {
    cache.drop()
    keyring.forget(madeKeys)
    madeKeys = []
    if let session, !session.isBroken { session.rollBack() }
    logger.log(
      level: error is MissingPersonalKeys ? .debug : .warning, "a batch was abandoned",
      metadata: ["error": "\(error)"])
  }

  private func endFrozenWriters() async {
    guard let session, !session.isBroken else { return }
    do {
      let frozen = try FrozenWriters(silentFor: options.frozenAfter, session)
      guard !frozen.isEmpty else { return }
      try await Task.sleep(for: FrozenWriters.pause)
      let ended = try frozen.end(session)
      if ended > 0 { logger.warning("ended \(ended) writer sessions that held the head's lock and said nothing") }
    } catch {
      logger.warning("could not look for frozen writers", metadata: ["error": "\(error)"])
    }
  }

  // MARK: One attempt

  /// - Parameter settling: whether an earlier attempt's COMMIT may have taken effect; then what is found in the log is
  ///   this batch's own first outcome, not a repetition. The lock makes sure that the earlier backend is done with it
  ///   either way.
  private func attempt(_ batch: [CommandEnvelope], settling: Bool) throws -> [CommandResult] {
    let session = try openSession()
    var work = BatchWork(batch, keyring: keyring)
    let (head, frontier, databaseClock) = try lockHead(session, &work)
    knownHead = head.position
    let now = options.clock()
    // A moment is never taken back: one far ahead would stop every limit and expire every hold until it is reached.
    if let lead = options.clockLeadMaximum, now > head.lastMoment,
      Duration.microseconds(now.microseconds - databaseClock.microseconds) > lead
    {
      throw BookFault.clockAhead(of: databaseClock)
    }
    if head.generations != readModels.generations {
      // Another generation has been switched to. It may say something else than the one that the cache was made of.
      readModels = readModels.live(in: head.generations)
      cache.drop()
    }
    if head.position > 0, !options.ruleSets.contains(head.ruleSet) { throw BookFault.unknownRuleSet(head.ruleSet) }

    // Taken out while it changes: nothing of it stays if this throws, and nothing is copied.
    var cache = StateCache()
    swap(&cache, &self.cache)
    try cache.bring(
      to: head, catchUpMaximum: options.catchUpMaximum, reader: reader, readModels: readModels, session)
    try load(for: batch, into: &cache.state, session, work.stored)
    try loadKeys(for: batch, cache.state, session)
    try work.answerStored(batch, settling: settling, reader, session)
    try work.begin(at: head, frontier: frontier, seals: options.sealsLog, now: now)
    try decideAndAppend(batch, &work, &cache.state, from: head, session)
    if work.position == head.position {
      cache.state.touched = BookState.Touched()
      // Keys that were made for commands which led to nothing went with the transaction: what the next command seals
      // under one of them, nobody could ever open.
      keyring.forget(madeKeys)
      madeKeys = []
    } else {
      madeKeys = []
      keyring.markErased(work.erasures.map { $0.customer })
      cache.committed(
        position: work.position, batchID: work.batchID, lastCommand: work.lastCommand,
        cachedAccountsMaximum: options.cachedAccountsMaximum)
      committed(work.position)
    }
    swap(&cache, &self.cache)
    return work.results(of: batch)
  }

  private func openSession() throws -> Session {
    if let session, !session.isBroken {
      try preparePartitions(session)
      return session
    }
    session?.close()
    session = nil
    cache.drop()
    let opened = try Session(configuration)
    session = opened
    knownHead = try reader.head(opened).position
    preparedUpTo = 0
    try preparePartitions(opened)
    return opened
  }

  /// Where the log ends now.
  ///
  /// - Throws: `PostgresError`.
  public func currentHead() throws -> LogHead {
    try reader.head(openSession())
  }

  /// Begins, locks the head, and only then, as a statement of its own with a snapshot of its own, asks which commands
  /// stand in the log.
  ///
  /// - Returns: the head with its frontier, and the database's clock.
  private func lockHead(
    _ session: Session, _ work: inout BatchWork
  ) throws -> (LogHead, frontier: [UInt8], clock: Moment) {
    let outcomes = try session.pipeline { pipeline in
      try pipeline.execute("begin")
      try pipeline.execute(LogHead.lock)
      try pipeline.execute(StoredCommand.select, [work.lookup])
    }
    for outcome in outcomes { _ = try outcome.get() }
    work.stored = try StoredCommand.decode(outcomes[2].get())
    let head = try outcomes[1].get()
    return (try LogHead(head), try head.bytes(0, 6), Moment(microseconds: try head.timestamptz(0, 7)))
  }

  /// Brings the state to know everything that the batch's commands read.
  private func load(
    for batch: [CommandEnvelope], into state: inout BookState, _ session: Session, _ stored: [CommandID: StoredCommand]
  ) throws {
    var collector = StateNeedsCollector()
    while true {
      for command in batch { collector.collect(command, on: state) }
      let missing = collector.takeMissing()
      if missing.isEmpty { return }
      for id in missing.claims { state.claimed[id] = stored[id] != nil }
      for id in missing.transfers { state.transfers.updateValue(try transfer(id, session), forKey: id) }
      try readModels.load(missing, into: &state, session)
    }
  }

  /// A transfer that a reversal names, folded from its own stream: no read model keeps transfers.
  private func transfer(_ id: TransferID, _ session: Session) throws -> Transfer? {
    var fold = BookState()
    fold.transfers.updateValue(nil, forKey: id)
    for event in try reader.stream(StreamID(.transfer, id), session) { fold.evolve(event.event, event.origin) }
    return fold.transfers[id] ?? nil
  }

  // MARK: Personal keys

  /// Makes the keys known that the batch's personal text will be sealed under. A key that is missed here is found
  /// missing when the text is sealed; then the batch is begun again with it.
  private func loadKeys(for batch: [CommandEnvelope], _ state: borrowing BookState, _ session: Session) throws {
    var subjects = keysToLoad
    for command in batch {
      switch command.instruction {
      case .registerCustomer(let register): subjects.insert(register.customerID)
      case .postTransfer(let transfer) where transfer.reference != nil:
        let owner = state.account(transfer.debit)?.customerID ?? state.account(transfer.credit)?.customerID
        subjects.insert(command.actor.customer ?? owner ?? PersonalKeyring.book)
      default: break
      }
    }
    if subjects.isEmpty { return }
    madeKeys.formUnion(try keyring.loadKeys(for: subjects, session: session, creatingMissing: true))
  }

  /// Makes sure that the book has a key of its own, and that the master key is the one that wrapped it.
  ///
  /// - Throws: `PersonalKeyFault.wrongMasterKey`, and what the database throws.
  func prepareBookKey() throws {
    let session = try openSession()
    do {
      _ = try session.transaction {
        try keyring.loadKeys(for: [PersonalKeyring.book], session: session, creatingMissing: true)
      }
    } catch {
      keyring.forget([PersonalKeyring.book])
      throw error
    }
  }

  // MARK: Deciding and appending

  /// Commands that are decided while the server appends what those before them led to.
  private static let partSize = 256

  /// Decides the batch's commands in their order and sends what they led to, all in one pipeline that ends with COMMIT.
  /// The server works on one part of the batch while the next is decided.
  private func decideAndAppend(
    _ batch: [CommandEnvelope], _ work: inout BatchWork, _ state: inout BookState, from head: LogHead,
    _ session: Session
  ) throws {
    let outcomes = try session.pipeline { pipeline in
      for start in stride(from: 0, to: batch.count, by: Self.partSize) {
        for index in start..<min(start + Self.partSize, batch.count) where !work.isAnswered(batch[index], index) {
          try decideOne(batch[index], index, &work, &state)
        }
        try work.sendRows(into: &pipeline)
      }
      guard work.position > head.position else { return try pipeline.execute("rollback") }
      try work.sendErasures(into: &pipeline)
      try work.sendTiles(into: &pipeline)
      try readModels.write(state.touched, of: state, into: &pipeline)
      try pipeline.execute(LogHead.update, work.headParameters(ruleSet: state.book?.ruleSet ?? 0))
      try pipeline.execute("commit")
    }
    for outcome in outcomes { _ = try outcome.get() }
  }

  private func decideOne(
    _ command: CommandEnvelope, _ index: Int, _ work: inout BatchWork, _ state: inout BookState
  ) throws {
    let moment = work.nextMoment()
    let context = DecisionContext(
      moment: moment, bookDate: try bookDate(of: moment, command.instruction, state.book),
      ruleSet: state.book?.ruleSet ?? options.ruleSets.newest)
    // The rule set may have been activated by a command before this one in the batch.
    guard let decision = options.ruleSets.decide(command, on: state, in: context) else {
      return work.answer(index, .unavailable(.unknownRuleSet(context.ruleSet)))
    }
    if let unknown = options.ruleSets.unknown(activatedBy: decision) {
      return work.answer(index, .unavailable(.unknownRuleSet(unknown)))
    }
    switch decision {
    case .notDue: work.answer(index, .notDue)
    case .versionConflict(let current): work.answer(index, .versionConflict(current: current))
    case .record(let events, let verdict):
      var appended: [AppendedEvent] = []
      appended.reserveCapacity(events.count)
      for (place, event) in events.enumerated() {
        appended.append(try append(event, place, of: command, in: context, &work, &state))
      }
      work.record(command, index, appended, verdict)
    }
  }

  private func append(
    _ event: Event, _ place: Int, of command: CommandEnvelope, in context: DecisionContext, _ work: inout BatchWork,
    _ state: inout BookState
  ) throws -> AppendedEvent {
    let encoded = try codec.encode(event, command: command.id, index: place)
    let stream = event.stream(command: command.id)
    let origin = EventOrigin(
      position: work.takePosition(), stream: stream, version: state.nextVersion(of: event, in: stream),
      commandID: command.id, index: place, actor: command.actor, causation: command.causation,
      correlation: command.correlation ?? command.id, moment: context.moment, bookDate: context.bookDate,
      ruleSet: context.ruleSet)
    // The state is folded from what the log keeps: where that is sealed text, so is the state's, as it would be after a
    // restart.
    let recorded =
      encoded.sealed
      ? try codec.decode(
        type: event.type, schemaVersion: event.schemaVersion, payload: encoded.payload, command: command.id) : event
    state.evolve(recorded, origin)
    work.add(recorded, origin, payload: encoded.payload)
    return AppendedEvent(origin: origin, event: recorded, payload: encoded.payload)
  }

  /// The calendar day of `moment` in the book's time zone.
  private func bookDate(of moment: Moment, _ instruction: Instruction, _ book: Book?) throws -> CalendarDate {
    let timeZone: String
    if let book {
      timeZone = book.timeZone
    } else if case .openBook(let open) = instruction {
      timeZone = open.timeZone
    } else {
      throw BookFault.notOpen
    }
    if let calendar, calendar.timeZone == timeZone { return calendar.date(of: moment) }
    let calendar = try BookCalendar(timeZone: timeZone)
    self.calendar = calendar
    return calendar.date(of: moment)
  }

  /// Well before the log gets to the end of its last partition, the next is made.
  private func preparePartitions(_ session: Session) throws {
    let margin: Int64 = 2_000_000
    guard knownHead + margin > preparedUpTo else { return }
    let ahead = knownHead + 2 * margin
    _ = try session.execute("select prepare_event_partitions($1)", [.int8(ahead)])
    preparedUpTo = ahead
  }
}
