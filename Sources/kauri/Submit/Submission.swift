import Ledger
import LocalStack

/// Sends every command of a file and learns its outcome, whatever happens on the way.
///
/// One loop: read ahead, send what the scheduler lets go, take note of what is answered. Only the sending itself
/// happens beside it.
package final class Submission<Endpoint: CommandEndpoint> {
  package struct Options: Sendable {
    /// Batches in flight at most.
    package var connections = 8
    package var batch = OrderScheduler.Bounds(linesMaximum: 2_000, bytesMaximum: 4 << 20, linesMinimum: 500)
    /// Lines that are read ahead of the first one that isn't answered, at most.
    package var windowMaximum = 32_768
    package var patience = BatchSender<Endpoint>.Patience()
    /// How often the state is written at most.
    package var saveInterval: Duration = .milliseconds(250)

    package init() {}
  }

  /// What came of it.
  package struct Report: Sendable {
    package var tally: SubmissionTally
    /// How many lines an earlier run had answers for already.
    package var resumedAfter: Int
  }

  /// How far it is.
  package struct Progress: Sendable {
    package var answeredLines: Int
    /// Of the file, in bytes: answered, and in all.
    package var answeredBytes: Int
    package var totalBytes: Int
  }

  private let endpoint: Endpoint
  private let options: Options
  private let statePath: String
  private let sender: BatchSender<Endpoint>
  private let notice: @Sendable (String) -> Void
  private let observe: (Progress) -> Void

  private var input: InputLines
  private var rejects: RejectsFile?
  private let rejectsPath: String?
  private var reader = ReachReader()
  private var scheduler = OrderScheduler()
  /// Lines that have been read and aren't answered yet.
  private var window: [Int: InputLine] = [:]
  private var answered = AnsweredLines()
  private var state = SubmissionState()
  private var answeredBytes = 0
  private var resumedAfter = 0
  private var lastSave = ContinuousClock.now

  /// - Parameters:
  ///   - input: the file's path.
  ///   - statePath: where to keep what is known; removed when everything is answered.
  ///   - rejectsPath: where to write what was declined or refused, if anywhere.
  ///   - notice: told what a person should know meanwhile.
  ///   - observe: told how far it is, now and then.
  /// - Throws: ``InputFault`` when one of the files isn't what it has to be, and nothing was changed then.
  package init(
    of input: String, to endpoint: Endpoint, statePath: String, rejectsPath: String? = nil,
    options: Options = Options(),
    notice: @escaping @Sendable (String) -> Void = { _ in }, observe: @escaping (Progress) -> Void = { _ in }
  ) async throws {
    self.endpoint = endpoint
    self.options = options
    self.statePath = statePath
    self.rejectsPath = rejectsPath
    self.notice = notice
    self.observe = observe
    sender = BatchSender(endpoint, patience: options.patience, notice: notice)
    self.input = try InputLines(path: input)
    let found = try SubmissionFiles.check(input: input, state: statePath, rejects: rejectsPath)
    if let found {
      do throws(CannotResume) {
        try await resume(found)
        notice("going on after \(resumedAfter) answered commands")
        return
      } catch {
        // Whoever breaks it off while it asks wants to go on later, not from the first line.
        try Task.checkCancellation()
        notice("starting from the first line, because \(error.reason); nothing is done twice")
      }
      // What the attempt has read is read again.
      self.input = try InputLines(path: input)
      reader = ReachReader()
      scheduler = OrderScheduler()
      (window, answered, state, answeredBytes, resumedAfter) = ([:], AnsweredLines(), SubmissionState(), 0, 0)
    }
    if let rejectsPath {
      let known = found.flatMap { isSame($0.rejectsPath) ? $0.rejectsBytes : nil }
      rejects = try RejectsFile(path: rejectsPath, length: 0, known: known)
    }
    state.rejectsPath = rejectsPath.map { Files.resolve($0) }
    // Before the first reject is written, so that whatever is in that file belongs to a state.
    try save()
  }

  /// Whether an earlier run's rejects went where this one's are to go.
  private func isSame(_ earlier: String?) -> Bool {
    earlier.map { Files.resolve($0) } == rejectsPath.map { Files.resolve($0) }
  }

  /// Sends everything that isn't answered yet.
  ///
  /// - Throws: ``SubmissionFault`` when it can't go on, ``InputFault`` when a file can't be read or written. What was
  ///   answered is kept.
  package func run() async throws -> Report {
    try await sendAll()
    try save()
    try Files.remove(statePath)
    return Report(tally: state.tally, resumedAfter: resumedAfter)
  }

  private func sendAll() async throws {
    var failure: (any Error)?
    await withTaskGroup(of: Result<[(InputLine, LineOutcome)], any Error>.self) { group in
      var inFlight = 0
      while true {
        do {
          if failure == nil { try readAhead() }
        } catch {
          failure = error
        }
        while failure == nil, inFlight < options.connections, let batch = scheduler.nextBatch(options.batch) {
          let lines = batch.compactMap { window[$0] }
          group.addTask { [sender] in
            do {
              return .success(Array(zip(lines, try await sender.send(lines))))
            } catch {
              return .failure(error)
            }
          }
          inFlight += 1
        }
        guard let result = await group.next() else { return }
        inFlight -= 1
        do {
          try note(try result.get())
        } catch {
          // The others are stopped; what they had answered and nobody noted is asked for again by the next run.
          failure = failure ?? error
          group.cancelAll()
        }
      }
    }
    if let failure {
      try? save()
      throw failure
    }
  }

  private func readAhead() throws {
    while scheduler.count < options.windowMaximum, let line = try input.next() { admit(line) }
  }

  private func admit(_ line: InputLine) {
    // An answered line still tells what later ones reach.
    let reach = reader.reach(of: line.bytes)
    guard !answered.contains(line.index) else { return }
    window[line.index] = line
    scheduler.add(line.index, reach: reach, size: line.bytes.count + 1)
  }

  private func note(_ outcomes: [(InputLine, LineOutcome)]) throws {
    for (line, outcome) in outcomes {
      state.tally.add(outcome)
      if outcome.kind != .accepted { rejects?.add(line, outcome) }
      scheduler.answer(line.index)
      answered.insert(line.index)
      window[line.index] = nil
      answeredBytes += line.bytes.count + 1
    }
    noteNewest(outcomes)
    observe(
      Progress(
        answeredLines: state.tally.count, answeredBytes: min(answeredBytes, input.size), totalBytes: input.size))
    if ContinuousClock.now - lastSave >= options.saveInterval { try save() }
  }

  private func noteNewest(_ outcomes: [(line: InputLine, outcome: LineOutcome)]) {
    let newest = outcomes.max { ($0.outcome.position ?? 0) < ($1.outcome.position ?? 0) }
    guard let newest, let position = newest.outcome.position, position > state.newestPosition,
      let id = LineIdentity.read(newest.line.bytes)
    else { return }
    state.newestPosition = position
    state.newestCommand = id.description
  }

  private func save() throws {
    try rejects?.flush()
    state.rejectsBytes = rejects?.length ?? 0
    state.readBytes = input.offset
    state.readLines = input.count
    state.digest = input.digest
    state.answeredBefore = answered.before
    state.answeredBeyond = answered.bits
    try state.write(to: statePath)
    lastSave = ContinuousClock.now
  }
}

/// Why an earlier run can't be taken up.
private struct CannotResume: Error {
  let reason: String
}

extension Submission {
  /// Takes up an earlier run. Whenever that isn't certainly right it is left alone: to start over is always safe.
  private func resume(_ found: SubmissionState) async throws(CannotResume) {
    guard isSame(found.rejectsPath) else { throw CannotResume(reason: "the rejects go to another file now") }
    guard let newest = found.newestCommand.flatMap({ Identifier($0) }) else {
      throw CannotResume(reason: "the earlier run has recorded nothing")
    }
    try await askForOutcome(of: newest)
    answered = AnsweredLines(before: found.answeredBefore, beyond: found.answeredBeyond)
    state = found
    do {
      try rereadInput(found)
      if let rejectsPath {
        rejects = try RejectsFile(path: rejectsPath, length: found.rejectsBytes, known: found.rejectsBytes)
      }
    } catch {
      throw CannotResume(reason: "\(error)")
    }
    resumedAfter = found.tally.count
  }

  /// Makes sure that this is the book that the earlier run has sent to, and that it has lost nothing since.
  private func askForOutcome(of command: CommandID) async throws(CannotResume) {
    let patienceEnds = ContinuousClock.now + options.patience.total
    while true {
      do {
        if try await endpoint.hasOutcome(of: command) { return }
      } catch  where ContinuousClock.now < patienceEnds && !Task.isCancelled {
        notice("waiting for the server: \(error)")
        try? await Task.sleep(for: options.patience.longestWait)
        continue
      } catch {
        throw CannotResume(reason: "the server doesn't say what it has: \(error)")
      }
      throw CannotResume(reason: "this book doesn't have what the earlier run has sent")
    }
  }

  /// Reads again what the earlier run had read, and makes sure that it is the same.
  private func rereadInput(_ found: SubmissionState) throws {
    while input.count < found.readLines, let line = try input.next() {
      if answered.contains(line.index) { answeredBytes += line.bytes.count + 1 }
      admit(line)
    }
    guard input.count == found.readLines, input.offset == found.readBytes, input.digest == found.digest else {
      throw InputFault(description: "the file isn't what it was")
    }
  }
}

/// A line's own id.
enum LineIdentity {
  static func read(_ line: [UInt8]) -> CommandID? {
    guard let document = try? JSONDocument(line), var fields = try? document.root.object() else { return nil }
    return try? fields.required("id").identifier()
  }
}
