import Commands
import Ledger
import Postgres

/// One batch on its way: what is known of its commands, what they are answered, and the rows that they add.
struct BatchWork {
  /// Rows that have been decided and not sent yet.
  private var events: EventColumns
  private var commands: CommandColumns
  /// The new batch's id: random, for it tells histories apart.
  let batchID: Identifier
  /// Commands and taken ids that stand in the log already.
  var stored: [CommandID: StoredCommand] = [:]
  /// The position of the last event.
  private(set) var position: Int64 = 0
  private(set) var lastCommand: CommandID = .zero
  /// Customers that the batch erases, with the positions of the events that do.
  private(set) var erasures: [(customer: CustomerID, position: Int64)] = []

  /// Begun at the head's frontier; nil where the log isn't sealed.
  private var sealer: LogSealer?
  /// The head's, as it was found.
  private var frontier: [UInt8] = []

  private let keyring: PersonalKeyring
  private var hashes: [[UInt8]?]
  private var answers: [CommandResult?]
  /// Where each command, and each id of a client's own choice, was first met in this batch.
  private var firstIndex: [Identifier: Int] = [:]
  private var moment = Moment(microseconds: 0)
  private var now = Moment(microseconds: 0)

  init(_ batch: [CommandEnvelope], keyring: PersonalKeyring) {
    events = EventColumns(reserving: batch.count)
    commands = CommandColumns(reserving: batch.count)
    var generator = SystemRandomNumberGenerator()
    batchID = Identifier(high: generator.next(), low: generator.next())
    answers = Array(repeating: nil, count: batch.count)
    hashes = Array(repeating: nil, count: batch.count)
    self.keyring = keyring
    var lookup = ArrayBuilder.uuid(reserving: batch.count)
    for command in batch {
      lookup.append(command.id.high, command.id.low)
      if let chosen = command.instruction.chosenID, chosen != command.id { lookup.append(chosen.high, chosen.low) }
    }
    self.lookup = lookup.parameter
    firstIndex.reserveCapacity(batch.count)
  }

  /// The ids to look up in `commands`.
  let lookup: Parameter

  /// - Parameter seals: false only where it is measured what sealing costs.
  /// - Throws: `BookFault.notSealed` for a log that isn't sealed to its end.
  mutating func begin(at head: LogHead, frontier: [UInt8], seals: Bool, now: Moment) throws {
    self.frontier = frontier
    if seals {
      let sealed = MerkleFrontier(encoded: frontier)
      guard let sealed, Int64(sealed.size) == head.position else {
        throw BookFault.notSealed(sealed: Int64(sealed?.size ?? 0), position: head.position)
      }
      sealer = LogSealer(sealed, gathersTiles: true)
    }
    position = head.position
    moment = head.lastMoment
    self.now = now
  }

  /// Strictly later than every moment before it in the log, whatever the clock says.
  mutating func nextMoment() -> Moment {
    moment = max(now, Moment(microseconds: moment.microseconds + 1))
    return moment
  }

  mutating func takePosition() -> Int64 {
    position += 1
    return position
  }

  mutating func answer(_ index: Int, _ result: CommandResult) {
    answers[index] = result
  }

  mutating func add(_ event: Event, _ origin: EventOrigin, payload: [UInt8]) {
    let row = events.append(event, origin, payload: payload)
    sealer?.seal(row)
    if case .customerErased(let erased) = event {
      erasures.append((erased.instruction.customerID, origin.position))
    }
  }

  mutating func record(_ command: CommandEnvelope, _ index: Int, _ appended: [AppendedEvent], _ verdict: Verdict) {
    let first = appended[0].origin.position
    commands.append(command.id, hash: hash(of: command, index), firstPosition: first, events: appended.count)
    if let chosen = appended[0].event.chosenID(command: command.id) {
      commands.append(chosen, hash: nil, firstPosition: first, events: appended.count)
      firstIndex[chosen] = index
    }
    firstIndex[command.id] = index
    lastCommand = command.id
    let outcome = CommandOutcome(
      commandID: command.id, command: command.instruction.name, verdict: verdict, events: appended)
    answers[index] = .recorded(outcome, replayed: false)
  }

  /// Sends the rows of what has been decided since it was last called.
  mutating func sendRows(into pipeline: inout Pipeline) throws {
    guard events.count > 0 else { return }
    try pipeline.execute(EventColumns.insert, events.parameters)
    try pipeline.execute(CommandColumns.insert, commands.parameters)
    events.removeAll()
    commands.removeAll()
  }

  /// Deletes the keys of the customers that the batch erases, in its own transaction: the event is there and the key is
  /// gone, or neither. The rows of the events must have been sent.
  func sendErasures(into pipeline: inout Pipeline) throws {
    guard !erasures.isEmpty else { return }
    var subjects = ArrayBuilder.uuid(reserving: erasures.count)
    var positions = ArrayBuilder.int8(reserving: erasures.count)
    for (customer, position) in erasures {
      subjects.append(customer.high, customer.low)
      positions.append(position)
    }
    try pipeline.execute("select erase_personal_keys($1, $2)", [subjects.parameter, positions.parameter])
  }

  /// Sends what the tree's tiles gained by the batch.
  mutating func sendTiles(into pipeline: inout Pipeline) throws {
    guard let runs = sealer?.takeRuns() else { return }
    try TileTable.write(runs, into: &pipeline)
  }

  /// Answers the commands that stand in the log already, from the log.
  mutating func answerStored(
    _ batch: [CommandEnvelope], settling: Bool, _ reader: LogReader, _ session: Session
  ) throws {
    if stored.isEmpty { return }
    for (index, command) in batch.enumerated() {
      guard let stored = stored[command.id] else { continue }
      if stored.contentHash == hash(of: command, index), let events = try reader.command(command.id, session),
        let outcome = CommandOutcome(recorded: events)
      {
        answers[index] = .recorded(outcome, replayed: !settling)
      } else {
        answers[index] = .keyReused
      }
    }
  }

  /// Whether the command needs no decision: it stands in the log, or was given earlier in this batch, and then is
  /// answered as that was.
  mutating func isAnswered(_ command: CommandEnvelope, _ index: Int) -> Bool {
    if answers[index] != nil { return true }
    guard let first = firstIndex[command.id] else { return false }
    if case .recorded(let outcome, _) = answers[first], outcome.commandID == command.id,
      hash(of: command, index) == hashes[first]
    {
      answers[index] = .recorded(outcome, replayed: true)
    } else {
      answers[index] = .keyReused
    }
    return true
  }

  private mutating func hash(of command: CommandEnvelope, _ index: Int) -> [UInt8] {
    if let hash = hashes[index] { return hash }
    content.json.removeAll()
    command.writeContent(to: &content)
    let hash = keyring.contentHash(of: content.json.bytes)
    hashes[index] = hash
    return hash
  }

  /// Reused for every command's content.
  private var content = RecordWriter(reserving: 512)

  func headParameters(ruleSet: Int) -> [Parameter] {
    [
      .int8(position), .uuid(batchID.high, batchID.low),
      .timestamptz(microsecondsSince1970: moment.microseconds), .int4(Int32(ruleSet)),
      .bytea(sealer?.frontier.encoded ?? frontier),
    ]
  }

  /// One result a command: each has been answered by now.
  func results(of batch: [CommandEnvelope]) -> [CommandResult] {
    answers.map { $0 ?? .unavailable(.commandFailed("the command was not decided")) }
  }
}

extension Instruction {
  /// The transfer's or journal's id, the client's own or the command's.
  var chosenID: Identifier? {
    switch self {
    case .postTransfer(let transfer): transfer.transferID
    case .postJournal(let journal): journal.journalID
    default: nil
    }
  }
}

extension LogHead {
  /// Reads the head and keeps it until the end of the transaction: nobody appends meanwhile. `columns`, and after them
  /// the frontier and the database's clock.
  package static let lock = "select \(columns), frontier, clock_timestamp() from log_head for update"
  static let update = """
    update log_head set position = $1, batch_id = $2, last_moment = $3, rule_set = $4, frontier = $5
    """
}
