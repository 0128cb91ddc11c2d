import Commands
import Ledger

/// Decides every command again, on the state that the log before it gives, and compares what comes out with what stands
/// in the log, byte for byte.
///
/// It keeps accounts, customers, lists and what is open; the rest is recalled for the commands that ask about it. It
/// folds what the log has, not what should be there, so one difference doesn't make a difference of everything after
/// it.
struct DecisionCheck: Sendable {
  /// The book up to the last command that was taken.
  private(set) var state = BookState()
  /// Commands that were decided again.
  private(set) var decided = 0

  private let codec: EventCodec
  private let ruleSets: RuleSets
  private let keyring: PersonalKeyring?
  private var calendar: BookCalendar?
  private var recalledHolds: Set<HoldID> = []
  private var recalledApprovals: Set<CommandID> = []

  init(codec: EventCodec, ruleSets: RuleSets, keyring: PersonalKeyring?) {
    self.codec = codec
    self.ruleSets = ruleSets
    self.keyring = keyring
  }

  // MARK: What is asked about

  /// What these commands read that isn't kept.
  func needs(of commands: [CommandRows]) -> StateNeeds {
    var collector = StateNeedsCollector()
    for command in commands {
      guard let first = command.rows.first, case .success(let appended) = first.event else { continue }
      // Nearly all of a bank's traffic: it reads accounts and customers, and nothing else.
      if case .transferPosted(let posted) = appended.event, posted.approval == nil,
        posted.terms.transferID == appended.origin.commandID
      {
        continue
      }
      guard let instruction = Instruction(recoveredFrom: [appended.event], on: BookState()) else { continue }
      // The list before it is kept.
      if case .importSanctionsList = instruction { continue }
      collector.collect(
        CommandEnvelope(id: appended.origin.commandID, actor: appended.origin.actor, instruction: instruction),
        on: state)
    }
    return collector.takeMissing().past
  }

  mutating func learn(_ recall: Recall) {
    state.transfers.merge(recall.transfers) { _, new in new }
    state.claimed.merge(recall.claimed) { _, new in new }
    state.holds.merge(recall.holds) { _, new in new }
    state.approvals.merge(recall.approvals) { _, new in new }
    recalledHolds = Set(recall.holds.keys)
    recalledApprovals = Set(recall.approvals.keys)
  }

  /// Forgets what was recalled, and what has ended since.
  mutating func forgetPast() {
    state.transfers.removeAll(keepingCapacity: true)
    state.claimed.removeAll(keepingCapacity: true)
    for id in state.touched.holds.union(recalledHolds) where state.holds[id]?.status != .active {
      state.holds[id] = nil
    }
    for id in state.touched.approvals.union(recalledApprovals) where state.approvals[id]?.status != .waiting {
      state.approvals[id] = nil
    }
    state.touched = BookState.Touched()
    recalledHolds = []
    recalledApprovals = []
  }

  // MARK: Deciding again

  /// Folds a command without deciding it again.
  mutating func fold(_ command: CommandRows) {
    for prepared in command.rows {
      if case .success(let appended) = prepared.event { state.evolve(appended.event, appended.origin) }
    }
  }

  /// - Returns: what the command said, where that could be found out.
  mutating func take(_ command: CommandRows, _ differences: inout LogDifferences) -> CommandContent {
    let events = command.rows.compactMap { prepared in try? prepared.event.get() }
    // A row that can't be read has been named already.
    guard let first = events.first, events.count == command.rows.count else {
      fold(command)
      return .notHashed
    }
    guard let instruction = Instruction(recoveredFrom: events.map(\.event), on: state) else {
      differences.add(
        first.origin.position, "type", expected: "an event that a command can begin with", found: first.event.type)
      fold(command)
      return .notHashed
    }
    let content = hashedContent(instruction, first)
    guard let context = context(of: first.origin, instruction, &differences) else {
      fold(command)
      return content
    }
    let envelope = CommandEnvelope(
      id: first.origin.commandID, actor: first.origin.actor, instruction: instruction,
      correlation: command.rows[0].row.correlationID, causation: first.origin.causation)
    let decision = ruleSets.decide(envelope, on: state, in: context)
    compare(decision, of: envelope, in: context, with: command.rows, events, &differences)
    decided += 1
    return content
  }

  private func hashedContent(_ instruction: Instruction, _ first: AppendedEvent) -> CommandContent {
    guard let keyring, case .importSanctionsList = instruction else { return .notHashed }
    return (try? CommandContent(instruction, first.origin, keyring)) ?? .notHashed
  }

  /// What the decision was given. Rule set and book date follow from the log before it and the moment.
  ///
  /// - Returns: nil when this build can't decide under the recorded rule set.
  private mutating func context(
    of origin: EventOrigin, _ instruction: Instruction, _ differences: inout LogDifferences
  ) -> DecisionContext? {
    var (ruleSet, timeZone) = (state.book?.ruleSet ?? 0, state.book?.timeZone)
    if state.book == nil, case .openBook(let open) = instruction { (ruleSet, timeZone) = (open.ruleSet, open.timeZone) }
    differences.compare(origin.position, "rule_set", expected: ruleSet, found: origin.ruleSet)
    guard ruleSets.contains(origin.ruleSet) else {
      differences.add(
        origin.position, "rule_set",
        expected: "\(ruleSets.known.lowerBound) to \(ruleSets.known.upperBound), which this build knows",
        found: "\(origin.ruleSet)")
      return nil
    }
    var bookDate = origin.bookDate
    if let timeZone {
      if calendar?.timeZone != timeZone { calendar = try? BookCalendar(timeZone: timeZone) }
      if let calendar {
        bookDate = calendar.date(of: origin.moment)
      } else {
        differences.add(origin.position, "payload/time_zone", expected: "a time zone", found: timeZone)
      }
    }
    return DecisionContext(moment: origin.moment, bookDate: bookDate, ruleSet: origin.ruleSet)
  }

  // MARK: Comparing

  private mutating func compare(
    _ decision: Decision?, of command: CommandEnvelope, in context: DecisionContext, with rows: [PreparedRow],
    _ recorded: [AppendedEvent], _ differences: inout LogDifferences
  ) {
    let position = rows[0].row.position
    var decided: [Event] = []
    switch decision {
    case .record(let events, _): decided = events
    case .notDue:
      differences.add(position, "decision", expected: "nothing: the hold's time hasn't come", found: rows[0].row.type)
    case .versionConflict, nil:
      differences.add(position, "decision", expected: "nothing", found: rows[0].row.type)
    }
    if !decided.isEmpty, decided.count != rows.count {
      differences.add(position, "events of the command", expected: "\(decided.count)", found: "\(rows.count)")
    }
    for (index, prepared) in rows.enumerated() {
      if index < decided.count {
        compare(decided[index], index, of: command, in: context, with: prepared.row, recorded[index], &differences)
      }
      state.evolve(recorded[index].event, recorded[index].origin)
    }
  }

  private func compare(
    _ event: Event, _ index: Int, of command: CommandEnvelope, in context: DecisionContext, with row: LogRow,
    _ recorded: AppendedEvent, _ differences: inout LogDifferences
  ) {
    let position = row.position
    let stream = event.stream(command: command.id)
    if row.type != event.type {
      differences.add(position, "type", expected: event.type, found: row.type)
    } else {
      comparePayload(event, index, of: command, with: row, recorded, &differences)
    }
    differences.compare(position, "stream_kind", expected: stream.kind.rawValue, found: row.streamKind)
    differences.compare(position, "stream_id", expected: stream.id, found: row.streamID)
    differences.compare(
      position, "stream_version", expected: state.nextVersion(of: event, in: stream), found: row.streamVersion)
    let origin = recorded.origin
    differences.compare(position, "book_date", expected: context.bookDate, found: origin.bookDate)
    guard index > 0 else { return }
    // What one command's events have in common.
    differences.compare(position, "actor", expected: command.actor.description, found: row.actor)
    differences.compare(position, "causation_id", expected: command.causation, found: row.causationID, name)
    differences.compare(position, "correlation_id", expected: command.correlation, found: row.correlationID, name)
    differences.compare(position, "moment", expected: context.moment, found: origin.moment)
    differences.compare(position, "rule_set", expected: context.ruleSet, found: origin.ruleSet)
  }

  private func name(_ id: Identifier?) -> String { id?.description ?? "none" }

  /// What was recorded in an older shape can't be written again in that shape, so its lifted form is compared.
  private func comparePayload(
    _ event: Event, _ index: Int, of command: CommandEnvelope, with row: LogRow, _ recorded: AppendedEvent,
    _ differences: inout LogDifferences
  ) {
    do {
      let expected = try codec.encode(event, command: command.id, index: index).payload
      let isCurrent = Int(row.schemaVersion) == event.schemaVersion
      let found =
        isCurrent ? row.payload : try codec.encode(recorded.event, command: command.id, index: index).payload
      guard let difference = PayloadDifference(expected: expected, found: found) else { return }
      differences.add(
        row.position, "payload\(difference.pointer)", expected: difference.expected, found: difference.found)
    } catch {
      differences.add(row.position, "payload", expected: "sealed text", found: "text in clear (\(error))")
    }
  }
}

/// The rows of one command, all of them.
struct CommandRows: Sendable {
  var rows: [PreparedRow]

  var first: Int64 { rows.first?.row.position ?? 0 }
}
