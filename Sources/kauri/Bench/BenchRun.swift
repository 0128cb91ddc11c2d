import Commands
import EventStore
import Ledger
import LocalStack

/// Measures the targets one after the other, in rounds, each round's rivals in turn with it.
struct BenchRun: Sendable {
  let settings: BenchSettings
  /// Where the rivals' scripts are, nil when there are no rivals.
  let rivalScripts: String?
  let measuresBare: Bool
  /// Whether each round of the engine has one without sealing beside it.
  let measuresUnsealed: Bool

  /// Measures what needs a server on a stage that has one, and the engine on one that has none, so that no server's
  /// read models take from what the engine could do.
  func runOnOwnStages(_ targets: [BenchTarget]) async throws -> BenchReport {
    var report = BenchReport(settings: settings)
    let onDatabase = targets.filter(\.isOfTheDatabase)
    let onServer = targets.filter { !$0.isOfTheDatabase }
    if !onDatabase.isEmpty {
      report.add(try await BenchStage.withOwn(.database) { try await run(onDatabase, on: $0) })
    }
    if !onServer.isEmpty {
      report.add(try await BenchStage.withOwn(.server) { try await run(onServer, on: $0) })
    }
    return report
  }

  func run(_ targets: [BenchTarget], on stage: BenchStage) async throws -> BenchReport {
    let bar = ProgressBar(unit: "accounts")
    defer { bar.finish() }
    let now = Moment.now
    let accounts = BenchAccounts(count: settings.accounts, at: now)
    var identifiers = TimeOrderedIdentifiers(from: now, seed: settings.seed)
    var transfers = BenchTransfers(
      accounts, hotShare: settings.hotShare, declineShare: settings.declineShare, seed: settings.seed)
    let engine = try BenchEngine(
      database: stage.database, masterKey: MasterKeyFile(path: stage.masterKeyFile), batch: settings.batch,
      cachedAccounts: settings.cachedAccounts)
    var unsealed: BenchEngine?
    let result: Result<BenchReport, any Error>
    do {
      try await engine.populate(accounts, &identifiers, bar)
      try await preload(engine, stage, &transfers, &identifiers, bar)
      bar.finish()
      let rival = try await prepareRival(stage)
      unsealed = try await prepareUnsealed(stage, accounts, bar)
      let report = try await measure(targets, stage, engine, rival, unsealed, accounts, &transfers, &identifiers)
      if stage.server != nil { try await rival?.remove() }
      result = .success(report)
    } catch {
      result = .failure(error)
    }
    await unsealed?.stop()
    await engine.stop()
    return try result.get()
  }

  private func prepareRival(_ stage: BenchStage) async throws -> BenchRival? {
    guard let rivalScripts else { return nil }
    let rival = try BenchRival(stage, scripts: rivalScripts, accounts: settings.accounts)
    try await rival.prepare()
    return rival
  }

  /// The engine on a database of its own where nothing is sealed, with the same accounts.
  private func prepareUnsealed(_ stage: BenchStage, _ accounts: BenchAccounts, _ bar: ProgressBar) async throws
    -> BenchEngine?
  {
    guard measuresUnsealed else { return nil }
    let engine = try BenchEngine(
      database: try await stage.prepareUnsealedBook(), masterKey: MasterKeyFile(path: stage.masterKeyFile),
      batch: settings.batch, cachedAccounts: settings.cachedAccounts, seals: false)
    var identifiers = TimeOrderedIdentifiers(from: Moment.now, seed: settings.seed)
    try await engine.populate(accounts, &identifiers, bar)
    bar.finish()
    return engine
  }

  /// A round of the engine, and one without sealing, the same transfers: they take turns in being first.
  private func measureEngine(
    _ chunks: [[CommandEnvelope]], _ engine: BenchEngine, _ unsealed: BenchEngine?, round: Int,
    into report: inout BenchReport
  ) async throws -> BenchSample {
    let feeders = settings.connections(for: .engine)
    guard let unsealed else { return try await engine.run(chunks, feeders: feeders) }
    if round.isMultiple(of: 2) {
      let sample = try await engine.run(chunks, feeders: feeders)
      report.unsealed.append(try await unsealed.run(chunks, feeders: feeders).rate)
      return sample
    }
    report.unsealed.append(try await unsealed.run(chunks, feeders: feeders).rate)
    return try await engine.run(chunks, feeders: feeders)
  }

  /// Makes transfers until the log is as long as it shall be.
  private func preload(
    _ engine: BenchEngine, _ stage: BenchStage, _ transfers: inout BenchTransfers,
    _ identifiers: inout TimeOrderedIdentifiers, _ bar: ProgressBar
  ) async throws {
    var head = try await stage.head()
    while head < Int64(settings.preload) {
      let count = min(100_000, settings.preload - Int(head))
      _ = try await engine.run(engine.prepare(count, &transfers, &identifiers), feeders: 4)
      head = try await stage.head()
      bar.update(fraction: Double(head) / Double(settings.preload), count: Int(head))
    }
  }

  private func measure(
    _ targets: [BenchTarget], _ stage: BenchStage, _ engine: BenchEngine, _ rival: BenchRival?,
    _ unsealed: BenchEngine?, _ accounts: BenchAccounts,
    _ transfers: inout BenchTransfers, _ identifiers: inout TimeOrderedIdentifiers
  ) async throws -> BenchReport {
    var report = BenchReport(settings: settings)
    for target in targets {
      if target == .rebuild {
        report.series += try await measureRebuild(stage, engine, &transfers, &identifiers)
        continue
      }
      var series = BenchSeries(name: target.rawValue, unit: target == .read ? "reads" : "transfers")
      var rivals: [BenchRival.Script: [Double]] = [:]
      for round in 0..<settings.rounds {
        try Task.checkCancellation()
        let connections = settings.connections(for: target)
        switch target {
        case .engine:
          let chunks = engine.prepare(settings.transfers, &transfers, &identifiers)
          series.samples.append(
            try await measureEngine(chunks, engine, unsealed, round: round, into: &report))
        case .batch:
          series.samples.append(
            try await BenchHTTP(stage).runBatches(
              settings.transfers, of: settings.batch, connections: connections, &transfers, &identifiers))
        case .single:
          series.samples.append(
            try await BenchHTTP(stage).runSingles(
              settings.transfers, connections: connections, rate: settings.rate, &transfers, &identifiers))
        case .read:
          series.samples.append(
            try await BenchHTTP(stage).runReads(
              settings.transfers, connections: connections, rate: settings.rate, accounts,
              seed: settings.seed &+ UInt64(round)))
        case .rebuild: break
        }
        if measuresBare, target == .single {
          report.bare.append(
            try await BenchHTTP(stage).runBare(settings.transfers, connections: connections).rate)
        }
        if let rival, target != .read {
          for script in BenchRival.Script.allCases {
            rivals[script, default: []].append(try await rival.run(script, seconds: settings.rivalSeconds))
          }
        }
        Terminal.say(
          "kauri: \(target.rawValue) \(round + 1)/\(settings.rounds): \(Int(series.samples.last?.rate ?? 0).grouped)/s")
      }
      report.series.append(series)
      for script in BenchRival.Script.allCases {
        if let rates = rivals[script] { report.rivals.append((target.rawValue, script, rates)) }
      }
    }
    return report
  }
}

extension BenchRun {
  /// Rounds of a rebuild of the balances, alone and beside a writer.
  private func measureRebuild(
    _ stage: BenchStage, _ engine: BenchEngine, _ transfers: inout BenchTransfers,
    _ identifiers: inout TimeOrderedIdentifiers
  ) async throws -> [BenchSeries] {
    let bench = BenchRebuild(
      stage: stage, engine: engine, rate: settings.rate ?? 2_000, seconds: settings.rivalSeconds)
    var alone = BenchSeries(name: "rebuild", unit: "events")
    var writerAlone = BenchSeries(name: "writer", unit: "transfers")
    var beside = BenchSeries(name: "rebuild beside the writer", unit: "events")
    var writerBeside = BenchSeries(name: "writer beside the rebuild", unit: "transfers")
    var load = SteadyLoad(transfers: transfers, identifiers: identifiers)
    for round in 0..<settings.rounds {
      try Task.checkCancellation()
      let figures = try await bench.round(&load)
      alone.samples.append(figures.alone)
      writerAlone.samples.append(figures.writerAlone)
      beside.samples.append(figures.beside)
      writerBeside.samples.append(figures.writerBeside)
      Terminal.say("kauri: rebuild \(round + 1)/\(settings.rounds): \(Int(figures.alone.rate).grouped)/s")
    }
    (transfers, identifiers) = (load.transfers, load.identifiers)
    return [alone, writerAlone, beside, writerBeside]
  }
}

extension BenchReport {
  mutating func add(_ other: BenchReport) {
    unsealed += other.unsealed
    series += other.series
    rivals += other.rivals
    bare += other.bare
  }
}
