import Ledger
import LocalStack
import Synchronization
import Testing
import kauri

/// `kauri submit` against a server that answers in random order and fails in every way: what belongs together is
/// decided in the order of the file, and everything once.
@Suite struct SubmitOrderTests {
  private typealias Options = Submission<UnreliableEndpoint>.Options

  private static var options: Options {
    var options = Options()
    options.connections = 6
    options.batch = .init(linesMaximum: 16, bytesMaximum: 8_192, linesMinimum: 2)
    options.windowMaximum = 64
    options.patience = .init(total: .seconds(60), firstWait: .microseconds(100), longestWait: .milliseconds(2))
    options.saveInterval = .milliseconds(2)
    return options
  }

  @Test func everythingIsDecidedOnceAndInOrder() async throws {
    var chance = SubmitChance("order of submitted commands")
    var overlapped = 0
    for _ in 0..<30 {
      let oracle = SubmitOracle(lines: 250, chance: SubmitChance(seed: chance.next()))
      let endpoint = UnreliableEndpoint(chance: SubmitChance(seed: chance.next()))
      let files = try Scratch(oracle)
      defer { files.remove() }
      let report = try await Submission(
        of: files.input, to: endpoint, statePath: files.state, rejectsPath: files.rejects, options: Self.options
      ).run()
      #expect(oracle.firstDisorder(decided: endpoint.decided) == nil)
      expect(report.tally, files, oracle, endpoint)
      #expect(report.resumedAfter == 0)
      if endpoint.inFlightMaximum > 1 { overlapped += 1 }
    }
    #expect(overlapped > 0, "batches that have nothing in common go side by side")
  }

  /// A copy of the state taken at a random request is what a kill at that moment leaves behind.
  @Test func aKilledRunIsTakenUp() async throws {
    var chance = SubmitChance("submission killed and taken up")
    var resumed = 0
    for _ in 0..<30 {
      let oracle = SubmitOracle(lines: 250, chance: SubmitChance(seed: chance.next()))
      let files = try Scratch(oracle)
      defer { files.remove() }
      let deaths = Mutex((1...3).map { _ in chance.index(below: 80) + 1 })
      let endpoint = UnreliableEndpoint(chance: SubmitChance(seed: chance.next())) { request in
        let dies = deaths.withLock { deaths in
          guard deaths.first == request else { return false }
          deaths.removeFirst()
          return true
        }
        if dies { files.keepForTheNextRun() }
      }
      var report: Submission<UnreliableEndpoint>.Report?
      while report == nil {
        let run = Task {
          try await Submission(
            of: files.input, to: endpoint, statePath: files.state, rejectsPath: files.rejects, options: Self.options
          ).run()
        }
        files.whenKept { run.cancel() }
        let result = await run.result
        if files.takeKept() {
          resumed += 1
        } else {
          report = try result.get()
        }
      }
      #expect(oracle.firstDisorder(decided: endpoint.decided) == nil)
      if let report { expect(report.tally, files, oracle, endpoint) }
    }
    #expect(resumed > 0)
  }

  @Test func aStateOfAnotherBookOrAnotherFileIsLeftAlone() async throws {
    var chance = SubmitChance("state of another book")
    let oracle = SubmitOracle(lines: 100, chance: SubmitChance(seed: chance.next()))
    let files = try Scratch(oracle)
    defer { files.remove() }
    let first = UnreliableEndpoint(chance: SubmitChance(seed: chance.next()), isReliable: true) { request in
      if request == 8 { files.keepForTheNextRun() }
    }
    let run = Task {
      try await Submission(of: files.input, to: first, statePath: files.state, options: Self.options).run()
    }
    files.whenKept { run.cancel() }
    _ = await run.result
    #expect(files.takeKept())

    let other = UnreliableEndpoint(chance: SubmitChance(seed: chance.next()), isReliable: true)
    let report = try await Submission(of: files.input, to: other, statePath: files.state, options: Self.options).run()
    #expect(report.resumedAfter == 0)
    #expect(other.decided.count == oracle.decidableCount)
  }

  @Test func aHubInEveryTransferStillFillsItsBatches() async throws {
    var scheduler = OrderScheduler()
    let hub = OrderKey.id(Identifier(high: 0, low: 1))
    for line in 0..<5_000 {
      scheduler.add(line, reach: .only([hub, .id(Identifier(high: 1, low: UInt64(line)))]), size: 100)
    }
    let bounds = OrderScheduler.Bounds(linesMaximum: 2_000, bytesMaximum: 1 << 20, linesMinimum: 500)
    #expect(scheduler.nextBatch(bounds) == Array(0..<2_000))
    #expect(scheduler.nextBatch(bounds) == nil)
    for line in (0..<2_000).reversed() { scheduler.answer(line) }
    #expect(scheduler.nextBatch(bounds) == Array(2_000..<4_000))
  }

  /// The outcome of each line is counted once, and the rejects are exactly the lines that weren't accepted, each once.
  private func expect(
    _ tally: SubmissionTally, _ files: Scratch, _ oracle: SubmitOracle, _ endpoint: UnreliableEndpoint
  ) {
    let declined = oracle.lines.count { $0.id.low % 3 == 0 && $0.concerns != [] }
    #expect(endpoint.decided.count == oracle.decidableCount)
    #expect(tally.count == oracle.lines.count)
    #expect(tally.declined["insufficient_funds", default: 0] == declined)
    #expect(tally.refusedCount == oracle.lines.count - oracle.decidableCount)
    let rejected = files.rejectedLines
    #expect(rejected.count == Set(rejected).count)
    #expect(rejected.count == tally.declinedCount + tally.refusedCount)
    #expect(!Files.exists(files.state))
  }
}

extension SubmitOracle {
  /// Lines that hold a command.
  var decidableCount: Int { lines.count { $0.concerns != [] } }
}

/// The files of one submission.
private final class Scratch: Sendable {
  private let directory: String
  private let hook = Mutex<(isKept: Bool, action: (@Sendable () -> Void)?)>((false, nil))

  init(_ oracle: SubmitOracle) throws {
    directory = try TemporaryDirectories.make()
    // Blank lines and a missing last line end are part of life.
    let text = oracle.lines.map(\.text).enumerated().map { $0.offset % 17 == 3 ? "\n\($0.element)\r" : $0.element }
    try Files.write(text.joined(separator: "\n"), to: input, mode: 0o600)
  }

  var input: String { "\(directory)/commands.ndjson" }
  var state: String { "\(directory)/commands.ndjson.submitted" }
  var rejects: String { "\(directory)/rejects.ndjson" }

  var rejectedLines: [Int64] {
    (Files.read(rejects) ?? "").split(separator: "\n").compactMap { line in
      guard let document = try? JSONDocument(Array(line.utf8)), var fields = try? document.root.object() else {
        return nil
      }
      return try? fields.required("line").int64()
    }
  }

  /// Copies what a kill at this moment leaves.
  func keepForTheNextRun() {
    for path in [state, rejects] {
      try? Files.remove("\(path).kept")
      if let text = Files.read(path) { try? Files.write(text, to: "\(path).kept", mode: 0o600) }
    }
    let action = hook.withLock { hook in
      hook.isKept = true
      return hook.action
    }
    action?()
  }

  func whenKept(_ action: @escaping @Sendable () -> Void) {
    let isKept = hook.withLock { hook in
      hook.action = action
      return hook.isKept
    }
    if isKept { action() }
  }

  /// Puts back what was kept; false when nothing was.
  func takeKept() -> Bool {
    let isKept = hook.withLock { hook in
      defer { hook = (false, nil) }
      return hook.isKept
    }
    guard isKept else { return false }
    for path in [state, rejects] {
      try? Files.remove(path)
      if let text = Files.read("\(path).kept") { try? Files.write(text, to: path, mode: 0o600) }
    }
    return true
  }

  func remove() { try? Files.remove(directory) }
}
