import Ledger

/// Whose commands they are, as far as their share of a batch goes.
public enum Lane: Hashable, Sendable {
  /// People and services that wait for an answer.
  case interactive
  /// Results of analytics on their way back.
  case writeBack
}

/// Commands that came together and are answered together.
final class CommandJob {
  let commands: [CommandEnvelope]
  let arrived: ContinuousClock.Instant
  private let continuation: CheckedContinuation<[CommandResult], Never>
  private(set) var taken = 0
  /// Why the rest of the job isn't tried. Commands that came together are decided in their order, so none of them may be
  /// once one before it has yet to be.
  private(set) var fault: BookFault?
  private var results: [CommandResult] = []

  init(
    _ commands: [CommandEnvelope], arrived: ContinuousClock.Instant,
    _ continuation: CheckedContinuation<[CommandResult], Never>
  ) {
    self.commands = commands
    self.arrived = arrived
    self.continuation = continuation
    results.reserveCapacity(commands.count)
  }

  var remaining: Int { commands.count - taken }

  /// How much work the command is that stands `offset` after those that were taken.
  func work(at offset: Int) -> Int { commands[taken + offset].instruction.work }

  func take(_ count: Int) -> ArraySlice<CommandEnvelope> {
    defer { taken += count }
    return commands[taken..<taken + count]
  }

  /// Adds the results of commands taken earlier, and answers once the last is in.
  func add(_ results: ArraySlice<CommandResult>) {
    self.results += results
    fault = fault ?? results.lazy.compactMap(\.faultThatPasses).first
    if self.results.count == commands.count { continuation.resume(returning: self.results) }
  }

  /// Answers what hasn't been taken as what came before it was answered.
  func giveUp(_ fault: BookFault) {
    let rest = remaining
    taken += rest
    add(Array(repeating: .unavailable(fault), count: rest)[...])
  }
}

extension CommandResult {
  /// Why the command is undecided, when asking again later may settle it. One that can never be committed isn't waited for.
  fileprivate var faultThatPasses: BookFault? {
    guard case .unavailable(let fault) = self else { return nil }
    if case .commandFailed = fault { return nil }
    return fault
  }
}

/// The bounded queue in front of the writer: a value, so that its rules are tested without threads.
///
/// Write-back gets its share of every batch and no more while others wait, and all of it while nobody does.
struct CommandQueue {
  struct Batch {
    var commands: [CommandEnvelope] = []
    /// Of all of them.
    var work = 0
    /// Which jobs the commands came from, in order, and how many from each.
    var parts: [(job: CommandJob, count: Int)] = []
    var oldest: ContinuousClock.Instant?
  }

  let batchMaximum: Int
  /// Work in one batch, at most, so that nobody else waits long for the log; a command that is more by itself goes alone.
  var workMaximum: Int { 2 * batchMaximum }
  let queueMaximum: Int
  let writeBackMaximum: Int
  private var interactive = JobLane()
  private var writeBack = JobLane()

  init(batchMaximum: Int, queueMaximum: Int, writeBackMaximum: Int) {
    self.batchMaximum = batchMaximum
    self.queueMaximum = queueMaximum
    self.writeBackMaximum = writeBackMaximum
  }

  var count: Int { interactive.count + writeBack.count }

  /// Whether `count` more commands fit.
  func admits(_ count: Int) -> Bool {
    self.count + count <= queueMaximum
  }

  mutating func append(_ job: CommandJob, _ lane: Lane) {
    switch lane {
    case .interactive: interactive.append(job)
    case .writeBack: writeBack.append(job)
    }
  }

  /// The next batch; empty when nothing waits.
  mutating func takeBatch() -> Batch {
    var batch = Batch()
    batch.commands.reserveCapacity(min(batchMaximum, count))
    let reserved = min(writeBack.count, interactive.count == 0 ? batchMaximum : writeBackMaximum)
    interactive.take(batchMaximum - reserved, workMaximum, into: &batch)
    // Its share is there whatever work the others' commands are.
    writeBack.take(batchMaximum - batch.commands.count, max(workMaximum, batch.work + reserved), into: &batch)
    return batch
  }
}

/// Jobs in the order they came.
private struct JobLane {
  private var jobs: [CommandJob] = []
  /// Jobs before this one have been taken whole.
  private var head = 0
  private(set) var count = 0

  mutating func append(_ job: CommandJob) {
    jobs.append(job)
    count += job.commands.count
  }

  mutating func take(_ maximum: Int, _ workMaximum: Int, into batch: inout CommandQueue.Batch) {
    var room = maximum
    while room > 0, head < jobs.count {
      let job = jobs[head]
      if let fault = job.fault {
        count -= job.remaining
        job.giveUp(fault)
        head += 1
        continue
      }
      let taking = fitting(min(room, job.remaining), of: job, workMaximum, &batch.work)
      if taking == 0 { break }
      batch.commands += job.take(taking)
      batch.parts.append((job, taking))
      batch.oldest = min(batch.oldest ?? job.arrived, job.arrived)
      room -= taking
      count -= taking
      if job.remaining == 0 { head += 1 }
    }
    compact()
  }

  /// - Returns: how many of a job's next commands fit, `maximum` at most; one at least while there is no work yet.
  private func fitting(_ maximum: Int, of job: CommandJob, _ workMaximum: Int, _ work: inout Int) -> Int {
    for offset in 0..<maximum {
      let more = job.work(at: offset)
      if work > 0, work + more > workMaximum { return offset }
      work += more
    }
    return maximum
  }

  private mutating func compact() {
    // When half of it is spent, so that taking stays cheap however long the queue is.
    if head > jobs.count / 2 {
      jobs.removeFirst(head)
      head = 0
    }
  }
}

extension Instruction {
  /// What deciding and appending it costs, as so many transfers.
  fileprivate var work: Int {
    switch self {
    case .importSanctionsList(let list): max(1, list.entries.count)
    case .postJournal(let journal): max(1, journal.postings.count / 4)
    default: 1
    }
  }
}
