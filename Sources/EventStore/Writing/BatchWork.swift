import Commands
import Ledger
import Postgres

/// One batch on its way: what is known of its commands, what they are answered, and the rows that they add.
struct BatchWork {
  var events: EventColumns
  private(set) var commands: CommandColumns
  /// The new batch's id: random, for it tells histories apart.
  let batchID: Identifier
  /// Commands and taken ids that stand in the log already.
  var stored: [CommandID: StoredCommand] = [:]
  /// The position of the last event.
  private(set) var position: Int64 = 0
  private(set) var lastCommand: CommandID = .zero
  var ruleSet = 0

  private let hashes: [[UInt8]]
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
    var writer = RecordWriter(reserving: 512)
    hashes = batch.map { command in
      writer.json.removeAll()
      command.writeContent(to: &writer)
      return keyring.contentHash(of: writer.json.bytes)
    }
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

  mutating func begin(at head: LogHead, now: Moment) {
    position = head.position
    moment = head.lastMoment
    ruleSet = head.ruleSet
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

  mutating func record(_ command: CommandEnvelope, _ index: Int, _ appended: [AppendedEvent], _ verdict: Verdict) {
    let first = appended[0].origin.position
    commands.append(command.id, hash: hashes[index], firstPosition: first, events: appended.count)
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

  /// The answer to a command that was given before, in the log or earlier in this batch; nil when it is new.
  func known(
    _ command: CommandEnvelope, at index: Int, settling: Bool, _ reader: LogReader, _ session: Session
  ) throws -> CommandResult? {
    if let first = firstIndex[command.id] {
      guard case .recorded(let outcome, _) = answers[first], outcome.commandID == command.id,
        hashes[first] == hashes[index]
      else { return .keyReused }
      return .recorded(outcome, replayed: true)
    }
    guard let stored = stored[command.id] else { return nil }
    guard stored.contentHash == hashes[index], let events = try reader.command(command.id, session),
      let outcome = CommandOutcome(recorded: events)
    else { return .keyReused }
    return .recorded(outcome, replayed: !settling)
  }

  var headParameters: [Parameter] {
    [
      .int8(position), .uuid(batchID.high, batchID.low),
      .timestamptz(microsecondsSince1970: moment.microseconds), .int4(Int32(ruleSet)),
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
  static let lock = "select \(columns) from log_head for update"
  static let update = "update log_head set position = $1, batch_id = $2, last_moment = $3, rule_set = $4"
}
