import Commands
import EventStore
import Ledger
import Logging
import Postgres
import Projections
import Synchronization

/// The engine without a server in front of it: the same handler, writer and read models, in this process.
final class BenchEngine: Sendable {
  private let handler: CommandHandler
  private let loop: Task<Void, Never>
  private let batch: Int
  private let actor: Actor

  /// - Parameters:
  ///   - database: the conninfo of the server's role.
  ///   - batch: commands in a batch at most, and in what is given at once.
  ///   - cachedAccounts: accounts in the writer's cache at most; nil for the writer's own choice.
  ///   - seals: false only on the database of `BenchStage.prepareUnsealedBook`.
  init(
    database: String, masterKey: any MasterKeySource, batch: Int, cachedAccounts: Int?, seals: Bool = true
  ) throws {
    guard let actor = Actor(role: .operator, subject: "bench") else { throw BenchFault("there is no actor") }
    self.actor = actor
    self.batch = batch
    let keyring = PersonalKeyring(masterKey: try masterKey.masterKey())
    var options = WriterOptions()
    if let cachedAccounts { options.cachedAccountsMaximum = cachedAccounts }
    options.sealsLog = seals
    var configuration = ConnectionConfiguration(conninfo: database)
    configuration.settings = InlineTables.sessionSettings
    let writer = try PostgresBook(
      configuration: configuration, keyring: keyring, readModels: InlineTables(codec: EventCodec(keyring: keyring)),
      options: options, logger: Logger(label: "kauri.bench") { _ in SwiftLogNoOpLogHandler() })
    let handler = CommandHandler(writer: writer, options: .init(batchMaximum: batch))
    self.handler = handler
    loop = Task { await handler.run() }
  }

  func stop() async {
    handler.stop()
    await loop.value
  }

  /// Makes the accounts.
  func populate(_ accounts: BenchAccounts, _ identifiers: inout TimeOrderedIdentifiers, _ progress: ProgressBar)
    async throws
  {
    try await give([accounts.fundsCommand(&identifiers)])
    // A chunk holds whole accounts, so their commands keep their order; chunks don't depend on each other.
    let perChunk = max(1, batch / 4)
    var number = 0
    while number < accounts.count {
      var chunks: [[(id: CommandID, instruction: Instruction)]] = []
      while chunks.count < 8, number < accounts.count {
        let end = min(number + perChunk, accounts.count)
        chunks.append((number..<end).flatMap { accounts.commands(for: $0, &identifiers) })
        number = end
      }
      try await giveAll(chunks)
      progress.update(fraction: Double(number) / Double(accounts.count), count: number)
    }
  }

  private func giveAll(_ chunks: [[(id: CommandID, instruction: Instruction)]]) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for chunk in chunks { group.addTask { try await self.give(chunk) } }
      try await group.waitForAll()
    }
  }

  /// Gives commands that all must be accepted.
  private func give(_ commands: [(id: CommandID, instruction: Instruction)]) async throws {
    let results = await handler.handle(
      commands.map { CommandEnvelope(id: $0.id, actor: actor, instruction: $0.instruction) })
    for result in results {
      guard case .recorded(let outcome, _) = result, outcome.verdict == .accepted else {
        throw BenchFault("a command was not accepted: \(result)")
      }
    }
  }

  /// The commands of so many transfers, in chunks of a batch each, ready to be given.
  func prepare(
    _ count: Int, _ transfers: inout BenchTransfers, _ identifiers: inout TimeOrderedIdentifiers
  ) -> [[CommandEnvelope]] {
    stride(from: 0, to: count, by: batch).map { start in
      (start..<min(start + batch, count)).map { _ in
        let (id, transfer) = (identifiers.next(), transfers.next())
        return CommandEnvelope(
          id: id, actor: actor,
          instruction: .postTransfer(
            PostTransfer(
              transferID: id, debit: .id(transfer.debit), credit: .id(transfer.credit), amount: transfer.amount,
              currency: .nzd)))
      }
    }
  }

  /// Gives commands that were due at a moment, each by itself.
  func give(_ commands: [CommandEnvelope], due: ContinuousClock.Instant) async throws -> BenchSample {
    var sample = BenchSample()
    for result in await handler.handle(commands) {
      try sample.count(result)
      sample.record(ContinuousClock.now - due)
    }
    return sample
  }

  /// Gives the chunks, `feeders` of them at once so that the writer never waits for the next, and measures.
  func run(_ chunks: [[CommandEnvelope]], feeders: Int) async throws -> BenchSample {
    let queue = ChunkQueue(chunks)
    let started = ContinuousClock.now
    let parts = try await withThrowingTaskGroup(of: BenchSample.self) { group in
      for _ in 0..<feeders {
        group.addTask {
          var part = BenchSample()
          while let chunk = queue.next() {
            try Task.checkCancellation()
            let given = ContinuousClock.now
            let results = await self.handler.handle(chunk)
            part.record(ContinuousClock.now - given)
            for result in results { try part.count(result) }
          }
          return part
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    var whole = BenchSample()
    for part in parts { whole.add(part) }
    whole.elapsed = ContinuousClock.now - started
    return whole
  }
}

/// Chunks that several feeders take from.
private final class ChunkQueue: Sendable {
  private let chunks: [[CommandEnvelope]]
  private let taken = Mutex(0)

  init(_ chunks: [[CommandEnvelope]]) { self.chunks = chunks }

  func next() -> [CommandEnvelope]? {
    taken.withLock { taken in
      guard taken < chunks.count else { return nil }
      defer { taken += 1 }
      return chunks[taken]
    }
  }
}

/// What keeps a measurement from being one.
struct BenchFault: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
