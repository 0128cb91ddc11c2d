import Commands
import EventStore
import Ledger
import Postgres

extension LogReader {
  /// All events of some types after a position and up to another that the log has reached, where nothing is missing.
  ///
  /// - Throws: `RebuildFault.incompleteLog` when the database lacks any of the events, of whatever type.
  func wholeRun(
    after position: Int64, through end: Int64, types: Set<String>, _ session: Session
  ) throws -> [AppendedEvent] {
    guard end > position else { return [] }
    let events = try events(after: position, through: end, types: types, session)
    if Int64(events.count) == end - position { return events }
    if let missing = try missingPosition(after: position, through: end, session) {
      throw RebuildFault.incompleteLog(missing: missing)
    }
    return events
  }
}

/// A part of the log, run by run: several connections read and decode ahead, and the runs come out in order. How far
/// ahead is bounded, and so is memory.
struct LogRuns<Portion: Sendable> {
  /// Reads the run after one position and up to another.
  typealias Read = @Sendable (_ after: Int64, _ through: Int64) async throws -> Portion

  private let read: Read
  private let end: Int64
  private let length: Int64
  private var begun: Int64
  private var pending: [(through: Int64, task: Task<Portion, any Error>)] = []
  private let ahead: Int

  /// - Parameters:
  ///   - length: positions in a run.
  ///   - ahead: runs that are read, or wait for their turn, at once.
  init(after position: Int64, through end: Int64, length: Int64, ahead: Int, read: @escaping Read) {
    begun = position
    self.end = end
    self.length = length
    self.ahead = ahead
    self.read = read
  }

  /// - Returns: nil after the last run.
  mutating func next() async throws -> (portion: Portion, through: Int64)? {
    while pending.count < ahead, begun < end {
      let (after, through) = (begun, min(begun + length, end))
      begun = through
      pending.append((through, Task { [read] in try await read(after, through) }))
    }
    guard let first = pending.first else { return nil }
    let portion = try await withTaskCancellationHandler {
      try await first.task.value
    } onCancel: {
      first.task.cancel()
    }
    pending.removeFirst()
    return (portion, first.through)
  }

  /// Ends what is being read ahead.
  func cancel() {
    for run in pending { run.task.cancel() }
  }
}
