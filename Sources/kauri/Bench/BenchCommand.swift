import ArgumentParser
import LocalStack
import UnixSignals

/// `kauri bench`: how fast it is, on this machine.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure transfers and reads: rate and latency, medians of several rounds.",
    discussion: """
      Targets: engine (the handler and the writer in this process, no server beside it), batch (NDJSON over HTTP), \
      single (one transfer a request), read (balances), rebuild (of the balances, from a log of --preload events, alone \
      and beside a writer of --rate transfers a second, 2000 by default). By default engine, batch and single.

      It measures on a private cluster of its own, durable like any other, which it removes afterwards, unless it is \
      told to use a running local stack (--data-dir) or some other database that holds a book (--database, for the \
      engine). There, the accounts and transfers that it makes stay.
      """)

  @Argument(help: ArgumentHelp("What to measure.", valueName: "target"))
  var targets: [BenchTarget] = [.engine, .batch, .single]

  @Option(help: "Accounts to transfer between, each of a customer of its own.")
  var accounts = 100_000

  @Option(help: "Transfers, or reads, a round. (default: 200000, or what --rate makes in --seconds)")
  var transfers: Int?

  @Option(
    help: ArgumentHelp(
      "Requests that arrive a second, answered or not, for single and read. (default: as fast as answers come)",
      valueName: "per-second"))
  var rate: Double?

  @Option(help: "How long a round takes with --rate, and a round of pgbench.")
  var seconds = 10

  @Option(help: "Commands in a batch: of the writer, and of NDJSON.")
  var batch = 1_000

  @Option(help: "Connections, or for the engine feeders. (default: 64 for single and read, 4 otherwise)")
  var connections: Int?

  @Option(help: ArgumentHelp("Of a hundred transfers, so many go to one account.", valueName: "percent"))
  var hotShare = 0

  @Option(help: ArgumentHelp("Of a hundred transfers, so many are for more money than there is.", valueName: "percent"))
  var declines = 0

  @Option(help: ArgumentHelp("Events that the log holds before anything is measured, at least.", valueName: "events"))
  var preload = 0

  @Option(name: .customLong("repeat"), help: ArgumentHelp("Rounds; the median is what counts.", valueName: "rounds"))
  var rounds = 5

  @Option(help: ArgumentHelp("Accounts in the engine's cache; 0 for none. (default: 500000)", valueName: "accounts"))
  var cachedAccounts: Int?

  @Option(help: "Decides which accounts are picked.")
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("Measure pgbench's two scripts in turn with each target: pgbench.", valueName: "rival"))
  var against: Rival?

  @Option(help: ArgumentHelp("Where pgbench's scripts are.", valueName: "dir"))
  var scripts = "Benchmarks"

  @Flag(help: "With single: measure a bare Hummingbird route in turn with it.")
  var bare = false

  @Flag(help: "With engine: measure it without sealing in turn with it, on a database made for that.")
  var withoutSealing = false

  @Option(help: ArgumentHelp("Measure on the local stack that runs in this data directory.", valueName: "dir"))
  var dataDir: String?

  @Option(help: ArgumentHelp("Measure the engine on this database, which must hold a book.", valueName: "conninfo"))
  var database: String?

  @Option(help: ArgumentHelp("The book's master key, for --database.", valueName: "file"))
  var masterKey: String?

  @Flag(help: "Print the report as JSON.")
  var json = false

  enum Rival: String, ExpressibleByArgument { case pgbench }

  func validate() throws {
    guard accounts >= 2 else { throw ValidationError("--accounts takes 2 or more.") }
    guard (transfers ?? 1) >= 1, seconds >= 1, rounds >= 1, preload >= 0 else {
      throw ValidationError("--transfers, --seconds and --repeat take 1 or more, --preload 0 or more.")
    }
    guard (rate ?? 1) > 0 else { throw ValidationError("--rate takes a number above 0.") }
    guard (1...8_192).contains(batch) else { throw ValidationError("--batch takes 1 to 8192.") }
    guard (1...1_000).contains(connections ?? 1) else { throw ValidationError("--connections takes 1 to 1000.") }
    guard (0...100).contains(hotShare), (0...100).contains(declines) else {
      throw ValidationError("--hot-share and --declines take 0 to 100.")
    }
    guard (cachedAccounts ?? 0) >= 0 else { throw ValidationError("--cached-accounts takes 0 or more.") }
    try DataDirectoryOption.validate(dataDir)
    guard dataDir == nil || database == nil else { throw ValidationError("Give --data-dir or --database, not both.") }
    guard (database == nil) == (masterKey == nil) else {
      throw ValidationError("--database and --master-key go together.")
    }
    if database != nil, !targets.allSatisfy(\.isOfTheDatabase) {
      throw ValidationError("On a --database only the engine and rebuild can be measured.")
    }
    if rate != nil, targets.contains(where: { $0 == .engine || $0 == .batch }) {
      throw ValidationError("--rate is for single, read and rebuild.")
    }
    if withoutSealing {
      guard dataDir == nil, database == nil, targets.contains(.engine) else {
        throw ValidationError("--without-sealing is for the engine on a cluster of the bench's own.")
      }
    }
    if bare, !targets.contains(.single) { throw ValidationError("--bare goes with single.") }
  }

  func run() async throws {
    let run = BenchRun(
      settings: BenchSettings(
        accounts: accounts, transfers: transfers ?? rate.map { max(1, Int($0 * Double(seconds))) } ?? 200_000,
        rate: rate,
        batch: batch, connections: connections, hotShare: hotShare, declineShare: declines, preload: preload,
        rounds: rounds, cachedAccounts: cachedAccounts, seed: seed, rivalSeconds: seconds),
      rivalScripts: against == nil ? nil : scripts, measuresBare: bare,
      measuresUnsealed: withoutSealing)
    let report = try await stoppable { try await measure(run) }
    Terminal.answer(json ? report.json : report.text)
  }

  private func measure(_ run: BenchRun) async throws -> BenchReport {
    if let dataDir { return try await run.run(targets, on: try BenchStage.running(in: dataDir)) }
    if let database, let masterKey {
      return try await run.run(targets, on: BenchStage.database(database, masterKeyFile: masterKey))
    }
    return try await run.runOnOwnStages(targets)
  }

  /// Runs `body` so that Ctrl-C lets it stop what it has started.
  private func stoppable<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { return nil }
        return nil
      }
      defer { group.cancelAll() }
      if let value = try await group.next() ?? nil { return value }
      group.cancelAll()
      _ = await group.nextResult()
      throw BenchFault("stopped")
    }
  }
}
