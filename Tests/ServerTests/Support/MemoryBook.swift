import Commands
import EventStore
import Ledger
import Projections
import Synchronization

/// A book in memory that really decides: what the server talks to in these tests instead of a database.
///
/// Its log is a list and its state the fold of that list, so that every answer follows from what was given before.
final class MemoryBook: BookWriter {
  private struct Stored {
    let content: [UInt8]
    let outcome: CommandOutcome
  }

  private struct Content {
    var state = BookState(keepsEverything: true)
    var log: [AppendedEvent] = []
    var commands: [CommandID: Stored] = [:]
    var lastMoment = Moment(microseconds: 0)
    var fault: BookFault?
    var batches: [Int] = []
    var isHeld = false
    var held: [CheckedContinuation<Void, Never>] = []
  }

  private let content = Mutex(Content())
  let signal = HeadSignal()

  init() {
    let open = OpenBook(
      bookID: Identifier(high: 1, low: 1), timeZone: "Pacific/Auckland", currency: .nzd, policies: Policies(),
      ruleSet: RuleSets.standard.newest)
    let command = CommandEnvelope(
      id: Identifier(high: 0, low: 1), actor: .kauri, instruction: .openBook(open))
    _ = content.withLock { MemoryBook.give(command, &$0) }
  }

  // MARK: What a test may do to it

  /// As if the database were gone, or the like; nil mends it.
  func fail(with fault: BookFault?) { content.withLock { $0.fault = fault } }

  var isFailing: Bool { content.withLock { $0.fault != nil } }

  /// No batch ends until `release`.
  func hold() { content.withLock { $0.isHeld = true } }

  func release() {
    let held = content.withLock { content in
      content.isHeld = false
      defer { content.held = [] }
      return content.held
    }
    for batch in held { batch.resume() }
  }

  var heldBatches: Int { content.withLock { $0.held.count } }
  var batches: [Int] { content.withLock { $0.batches } }
  var log: [AppendedEvent] { content.withLock { $0.log } }
  var state: BookState { content.withLock { $0.state } }

  func events<Event>(_ pick: (Ledger.Event) -> Event?) -> [Event] { log.compactMap { pick($0.event) } }

  // MARK: BookWriter

  func commit(_ batch: [CommandEnvelope]) async -> [CommandResult] {
    await waitWhileHeld()
    let (results, position) = content.withLock { content -> ([CommandResult], Int64) in
      if let fault = content.fault {
        return (Array(repeating: .unavailable(fault), count: batch.count), 0)
      }
      content.batches.append(batch.count)
      return (batch.map { MemoryBook.give($0, &content) }, Int64(content.log.count))
    }
    signal.advance(to: position)
    return results
  }

  private func waitWhileHeld() async {
    await withCheckedContinuation { continuation in
      let isHeld = content.withLock { content in
        if content.isHeld { content.held.append(continuation) }
        return content.isHeld
      }
      if !isHeld { continuation.resume() }
    }
  }

  private static func give(_ command: CommandEnvelope, _ content: inout Content) -> CommandResult {
    var writer = RecordWriter()
    command.writeContent(to: &writer)
    let bytes = writer.json.bytes
    if let stored = content.commands[command.id] {
      return stored.content == bytes ? .recorded(stored.outcome, replayed: true) : .keyReused
    }
    let moment = max(Moment.now, Moment(microseconds: content.lastMoment.microseconds + 1))
    let context = DecisionContext(moment: moment, bookDate: moment.dateUTC, ruleSet: RuleSets.standard.newest)
    switch decide(command, on: content.state, in: context) {
    case .notDue: return .notDue
    case .versionConflict(let current): return .versionConflict(current: current)
    case .record(let events, let verdict):
      content.lastMoment = moment
      var appended: [AppendedEvent] = []
      for (index, event) in events.enumerated() {
        let stream = event.stream(command: command.id)
        let origin = EventOrigin(
          position: Int64(content.log.count) + 1, stream: stream,
          version: content.state.nextVersion(of: event, in: stream), commandID: command.id, index: index,
          actor: command.actor, causation: command.causation, correlation: command.correlation ?? command.id,
          moment: moment, bookDate: context.bookDate, ruleSet: context.ruleSet)
        var payload = RecordWriter()
        event.write(to: &payload)
        content.state.evolve(event, origin)
        let recorded = AppendedEvent(origin: origin, event: event, payload: payload.json.bytes)
        content.log.append(recorded)
        appended.append(recorded)
      }
      let outcome = CommandOutcome(
        commandID: command.id, command: command.instruction.name, verdict: verdict, events: appended)
      content.commands[command.id] = Stored(content: bytes, outcome: outcome)
      return .recorded(outcome, replayed: false)
    }
  }
}
