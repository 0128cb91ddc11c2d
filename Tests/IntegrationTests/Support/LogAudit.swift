import Commands
import EventStore
import Ledger

/// What is true of every log, whatever was done to the servers that wrote it, looked at event by event.
struct LogAudit: Sendable {
  /// Where a command stands in the log, and what it led to.
  struct Command: Equatable, Sendable {
    var first: Int64
    var types: [String]
    /// The position of its last event.
    var last: Int64 { first + Int64(types.count) - 1 }
  }

  /// What isn't as it must be; empty for a sound log.
  private(set) var faults: [String] = []
  private(set) var commands: [CommandID: Command] = [:]
  private(set) var balances = NaiveBalances()
  private(set) var position: Int64 = 0
  private(set) var lastMoment = Moment(microseconds: .min)
  private var versions: [StreamID: Int64] = [:]
  private var current: CommandID?
  /// Ids that movements chose for themselves, with their positions.
  private var chosen: [Identifier: Int64] = [:]
  private var reversed: Set<TransferID> = []
  private var ended: Set<HoldID> = []

  init(_ log: [AppendedEvent]) {
    for event in log { add(event) }
    for (account, position) in balances.underFloor { faults.append("\(account) is under its floor at \(position)") }
    let total = balances.accounts.values.reduce(0) { $0 + $1.posted }
    if total != 0 { faults.append("money was made or lost: \(total)") }
  }

  private mutating func add(_ event: AppendedEvent) {
    let origin = event.origin
    position += 1
    if origin.position != position { faults.append("event \(origin.position) stands where \(position) should") }
    let version = (versions[origin.stream] ?? 0) + 1
    if origin.version != version {
      faults.append("version \(origin.version) of \(origin.stream) follows \(version - 1) at \(position)")
    }
    versions[origin.stream] = origin.version
    place(event)
    if !balances.add(event) { faults.append("decided twice, or never waited for: \(event.event) at \(position)") }
    endOnce(event.event)
  }

  /// A command's events stand together, with one moment, later than every moment before.
  private mutating func place(_ event: AppendedEvent) {
    let origin = event.origin
    if current == origin.commandID, var command = commands[origin.commandID] {
      if origin.index != command.types.count || origin.moment != lastMoment {
        faults.append("event \(origin.index) of command \(origin.commandID) at \(position)")
      }
      command.types.append(event.event.type)
      commands[origin.commandID] = command
      return
    }
    if commands[origin.commandID] != nil { faults.append("command \(origin.commandID) happened again at \(position)") }
    if origin.index != 0 { faults.append("command \(origin.commandID) begins with event \(origin.index)") }
    if origin.moment <= lastMoment { faults.append("the moment of event \(position) isn't later than those before") }
    lastMoment = origin.moment
    current = origin.commandID
    commands[origin.commandID] = Command(first: origin.position, types: [event.event.type])
    if let id = chosenID(of: event.event), id != origin.commandID { chosen[id] = position }
  }

  private func chosenID(of event: Event) -> Identifier? {
    switch event {
    case .transferPosted(let posted) where posted.approval == nil: posted.terms.transferID
    case .transferHeldForApproval(let held): held.terms.transferID
    case .journalPosted(let posted) where posted.approval == nil: posted.terms.journalID
    case .journalHeldForApproval(let held): held.terms.journalID
    default: nil
    }
  }

  /// One reversal a transfer, one end a hold.
  private mutating func endOnce(_ event: Event) {
    let isFirst =
      switch event {
      case .transferReversed(let event): reversed.insert(event.transferID).inserted
      case .holdCaptured(let event): ended.insert(event.holdID).inserted
      case .holdReleased(let event): ended.insert(event.returned.holdID).inserted
      case .holdExpired(let event): ended.insert(event.returned.holdID).inserted
      default: true
      }
    if !isFirst { faults.append("done twice: \(event) at \(position)") }
  }

  // MARK: Beside the log

  /// Compares the rows of `commands` with the log: one for each command, one for each id that a movement chose, no
  /// other.
  mutating func compare(_ rows: [CommandID: StoredCommand]) {
    for (id, row) in rows {
      if row.contentHash == nil {
        if chosen[id] != row.firstPosition { faults.append("\(id) is taken, and no movement took it") }
      } else if let command = commands[id] {
        if command.first != row.firstPosition || command.types.count != row.count {
          faults.append("command \(id) has \(command.types.count) events from \(command.first) and a row \(row)")
        }
      } else {
        faults.append("command \(id) has a row and no events")
      }
    }
    if rows.count != commands.count + chosen.count {
      faults.append("\(rows.count) rows for \(commands.count) commands and \(chosen.count) chosen ids")
    }
  }

  mutating func compare(_ head: LogHead) {
    if head.position != position { faults.append("the head says \(head.position), the log ends at \(position)") }
    if head.lastMoment < lastMoment { faults.append("the head's moment is before the log's last") }
  }

  mutating func add(_ seal: SealAudit) {
    faults += seal.faults
  }

  /// Compares what the read models keep with what the calculator makes of the log.
  mutating func compare(_ kept: [AccountID: NaiveBalances.Amounts], of model: String) {
    for (account, amounts) in balances.accounts where kept[account] != amounts {
      faults.append("\(model): \(account) has \(kept[account] ?? .init()), and \(amounts) by the log")
    }
    if kept.count != balances.accounts.count { faults.append("\(model): \(kept.count) accounts") }
  }
}
