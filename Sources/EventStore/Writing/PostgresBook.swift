public import Commands
import Ledger
public import Logging
public import Postgres

/// The writer: decides batches of commands under the head's lock and appends what they led to, in one transaction a batch.
///
/// Any number of processes may run one against the same database: the lock makes them take turns. It works on a thread and a
/// connection of its own, and makes the connection anew when it breaks.
public actor PostgresBook: BookWriter {
  private let executor: ThreadExecutor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let configuration: ConnectionConfiguration
  let keyring: PersonalKeyring
  let codec: EventCodec
  let reader: LogReader
  let readModels: any InlineReadModels
  let options: WriterOptions
  private let logger: Logger
  /// Called after each commit with the log position that it reached.
  private let committed: @Sendable (Int64) -> Void

  private var session: Session?
  var cache = StateCache()
  private var calendar: BookCalendar?
  /// Personal keys that the batch at hand made: they exist once it is committed.
  private var madeKeys: Set<Identifier> = []
  /// Partitions exist for the positions up to here.
  private var preparedUpTo: Int64 = 0

  /// - Parameter configuration: where the book's database is. The session's time-outs and plan settings are the writer's own,
  ///   whatever it says of them.
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
    while true {
      do {
        return try attempt(batch, settling: mayHaveCommitted)
      } catch let error as PostgresError {
        abandon(error)
        mayHaveCommitted = mayHaveCommitted || error.isOutcomeUnknown
        if error.kind == .server, !error.isRetryable { return await isolate(batch, error) }
        if error.sqlState == "55P03" { endFrozenWriters() }
        // Nothing was sent where no session could be made: callers are told at once. What may have been committed is worth
        // some waiting: asked under the lock, the log says which it is.
        let worthWaiting = mayHaveCommitted || error.kind != .connectFailed
        guard worthWaiting, ContinuousClock.now - started < options.settlingTime else {
          return unavailable(batch, .databaseUnavailable(error.description))
        }
        try? await Task.sleep(for: .milliseconds(50))
      } catch let fault as BookFault {
        abandon(fault)
        return unavailable(batch, fault)
      } catch {
        abandon(error)
        return await isolate(batch, error)
      }
    }
  }

  /// A batch that can't be committed, for a reason that waiting won't mend, is split until the command that is at fault stands alone.
  private func isolate(_ batch: [CommandEnvelope], _ error: any Error) async -> [CommandResult] {
    guard batch.count > 1 else {
      logger.error("a command could not be committed", metadata: ["error": "\(error)"])
      return unavailable(batch, .commandFailed(String(describing: error)))
    }
    let half = batch.count / 2
    return await commit(Array(batch[..<half])) + commit(Array(batch[half...]))
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
    logger.warning("a batch was abandoned", metadata: ["error": "\(error)"])
  }

  private func endFrozenWriters() {
    guard let session, !session.isBroken else { return }
    do {
      let ended = try FrozenWriters.end(silentFor: options.frozenAfter, session)
      if ended > 0 { logger.warning("ended \(ended) writer sessions that held the head's lock and said nothing") }
    } catch {
      logger.warning("could not look for frozen writers", metadata: ["error": "\(error)"])
    }
  }

  // MARK: One attempt

  /// - Parameter settling: whether an earlier attempt's COMMIT may have taken effect; then what is found in the log is this batch's own first
  ///   outcome, not a repetition. The lock makes sure that the earlier backend is done with it either way.
  private func attempt(_ batch: [CommandEnvelope], settling: Bool) throws -> [CommandResult] {
    let session = try openSession()
    var work = BatchWork(batch, keyring: keyring)
    let head = try lockHead(session, &work)
    if head.position > 0, !RuleSets.known.contains(head.ruleSet) { throw BookFault.unknownRuleSet(head.ruleSet) }
    try cache.bring(
      to: head, catchUpMaximum: options.catchUpMaximum, reader: reader, readModels: readModels, session)
    try load(for: batch, session, work.stored)
    try loadKeys(for: batch, session)
    try decideAll(batch, &work, from: head, settling: settling, session)
    guard work.events.count > 0 else {
      cache.state.touched = BookState.Touched()
      session.rollBack()
      return work.results(of: batch)
    }
    try append(work, session)
    madeKeys = []
    cache.committed(
      position: work.position, batchID: work.batchID, lastCommand: work.lastCommand,
      cachedAccountsMaximum: options.cachedAccountsMaximum)
    committed(work.position)
    return work.results(of: batch)
  }

  private func openSession() throws -> Session {
    if let session, !session.isBroken {
      try preparePartitions(session, from: 0)
      return session
    }
    session?.close()
    session = nil
    cache.drop()
    let opened = try Session(configuration)
    session = opened
    let head = try reader.head(opened)
    preparedUpTo = 0
    try preparePartitions(opened, from: head.position)
    return opened
  }

  /// Where the log ends now.
  ///
  /// - Throws: `PostgresError`.
  public func currentHead() throws -> LogHead {
    try reader.head(openSession())
  }

  /// Begins, locks the head, and only then, as a statement of its own with a snapshot of its own, asks which commands stand in the log.
  private func lockHead(_ session: Session, _ work: inout BatchWork) throws -> LogHead {
    let outcomes = try session.pipeline { pipeline in
      try pipeline.execute("begin")
      try pipeline.execute(LogHead.lock)
      try pipeline.execute(StoredCommand.select, [work.lookup])
    }
    for outcome in outcomes { _ = try outcome.get() }
    work.stored = try StoredCommand.decode(outcomes[2].get())
    return try LogHead(outcomes[1].get())
  }

  /// Brings the state to know everything that the batch's commands read.
  private func load(
    for batch: [CommandEnvelope], _ session: Session, _ stored: [CommandID: StoredCommand]
  ) throws {
    var collector = StateNeedsCollector()
    while true {
      for command in batch { collector.collect(command, on: cache.state) }
      let missing = collector.takeMissing()
      if missing.isEmpty { return }
      for id in missing.claims { cache.state.claimed[id] = stored[id] != nil }
      for id in missing.transfers {
        cache.state.transfers.updateValue(try transfer(id, session), forKey: id)
      }
      try readModels.load(missing, into: &cache.state, session)
    }
  }

  /// A transfer that a reversal names, folded from its own stream: no read model keeps transfers.
  private func transfer(_ id: TransferID, _ session: Session) throws -> Transfer? {
    var fold = BookState()
    fold.transfers.updateValue(nil, forKey: id)
    for event in try reader.stream(StreamID(.transfer, id), session) { fold.evolve(event.event, event.origin) }
    return fold.transfers[id] ?? nil
  }

  private func decideAll(
    _ batch: [CommandEnvelope], _ work: inout BatchWork, from head: LogHead, settling: Bool, _ session: Session
  ) throws {
    work.begin(at: head, now: options.clock())
    for (index, command) in batch.enumerated() {
      if let known = try work.known(command, at: index, settling: settling, reader, session) {
        work.answer(index, known)
        continue
      }
      let moment = work.nextMoment()
      let context = DecisionContext(
        moment: moment, bookDate: try bookDate(of: moment, command.instruction),
        ruleSet: cache.state.book?.ruleSet ?? RuleSets.newest)
      switch decide(command, on: cache.state, in: context) {
      case .notDue: work.answer(index, .notDue)
      case .versionConflict(let current): work.answer(index, .versionConflict(current: current))
      case .record(let events, let verdict):
        try record(events, verdict, command, index, context, &work, session)
      }
    }
  }

  /// Makes the keys known that most of the batch's personal text will be sealed under, at one go; a key that is missed here is loaded when
  /// it is met.
  private func loadKeys(for batch: [CommandEnvelope], _ session: Session) throws {
    var subjects: Set<Identifier> = []
    for command in batch {
      switch command.instruction {
      case .registerCustomer(let register): subjects.insert(register.customerID)
      case .postTransfer(let transfer) where transfer.reference != nil:
        let owner =
          cache.state.account(transfer.debit)?.customerID ?? cache.state.account(transfer.credit)?.customerID
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

  private func record(
    _ events: [Event], _ verdict: Verdict, _ command: CommandEnvelope, _ index: Int, _ context: DecisionContext,
    _ work: inout BatchWork, _ session: Session
  ) throws {
    var appended: [AppendedEvent] = []
    appended.reserveCapacity(events.count)
    for (eventIndex, event) in events.enumerated() {
      let encoded = try encode(event, command.id, eventIndex, session)
      let stream = event.stream(command: command.id)
      let origin = EventOrigin(
        position: work.takePosition(), stream: stream, version: cache.state.nextVersion(of: event, in: stream),
        commandID: command.id, index: eventIndex, actor: command.actor, causation: command.causation,
        correlation: command.correlation ?? command.id, moment: context.moment, bookDate: context.bookDate,
        ruleSet: context.ruleSet)
      // The state is folded from what the log keeps: where that is sealed text, so is the state's, as it would be after a restart.
      let recorded =
        encoded.sealed
        ? try codec.decode(
          type: event.type, schemaVersion: event.schemaVersion, payload: encoded.payload, command: command.id) : event
      cache.state.evolve(recorded, origin)
      work.events.append(recorded, origin, payload: encoded.payload)
      appended.append(AppendedEvent(origin: origin, event: recorded, payload: encoded.payload))
    }
    work.record(command, index, appended, verdict)
    work.ruleSet = cache.state.book?.ruleSet ?? 0
  }

  private func encode(_ event: Event, _ command: CommandID, _ index: Int, _ session: Session) throws -> EncodedEvent {
    do {
      return try codec.encode(event, command: command, index: index)
    } catch let missing as MissingPersonalKeys {
      madeKeys.formUnion(try keyring.loadKeys(for: missing.subjects, session: session, creatingMissing: true))
      return try codec.encode(event, command: command, index: index)
    }
  }

  /// The calendar day of `moment` in the book's time zone.
  private func bookDate(of moment: Moment, _ instruction: Instruction) throws -> CalendarDate {
    let timeZone: String
    if let book = cache.state.book {
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

  private func append(_ work: borrowing BatchWork, _ session: Session) throws {
    let touched = cache.state.touched
    let outcomes = try session.pipeline { pipeline in
      try pipeline.execute(EventColumns.insert, work.events.parameters)
      try pipeline.execute(CommandColumns.insert, work.commands.parameters)
      try readModels.write(touched, of: cache.state, into: &pipeline)
      try pipeline.execute(LogHead.update, work.headParameters)
      try pipeline.execute("commit")
    }
    for outcome in outcomes { _ = try outcome.get() }
  }

  /// Well before the log gets to the end of its last partition, the next is made.
  private func preparePartitions(_ session: Session, from position: Int64) throws {
    let margin: Int64 = 2_000_000
    guard max(position, cache.position) + margin > preparedUpTo else { return }
    let ahead = max(position, cache.position) + 2 * margin
    _ = try session.execute("select prepare_event_partitions($1)", [.int8(ahead)])
    preparedUpTo = ahead
  }
}
