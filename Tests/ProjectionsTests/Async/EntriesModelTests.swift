import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Synchronization
import Testing

extension OnAServer {
  @Suite struct EntriesModelTests {
    @Test("entries are what adding up the log gives; so is every balance of the past", arguments: [0, 1])
    func history(run: Int) async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("entries add up", run: run))
        try await bank.prepare()
        try await bank.live(commands: 300)
        try await book.catchUp(EntriesModel.self, batch: 7)
        try await expectRightEntries(book)

        var state = BookState(keepsEverything: true)
        let queries = book.queries
        for appended in try await book.log() {
          state.evolve(appended.event, appended.origin)
          let position = appended.origin.position
          guard position.isMultiple(of: 5) else { continue }
          for account in state.accounts.values {
            let then = try await queries.balance(.id(account.id), at: .position(position))
            #expect(then.position == position)
            #expect(then.value.posted == account.balance.posted, "at \(position), account \(account.id)")
            #expect(then.value.held == account.balance.held, "at \(position), account \(account.id)")
            #expect(then.value.available == account.available, "at \(position), account \(account.id)")
          }
        }
      }
    }

    /// Whoever is killed leaves one of these behind.
    enum Cut: CaseIterable {
      case afterTakingTheLease, beforeTheCheckpoint, betweenCheckpointAndRows, beforeTheCommit, afterTheCommit
    }

    @Test("killed between any two steps, nothing is lost and nothing counted twice", arguments: Cut.allCases)
    func killed(cut: Cut) async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("killed \(cut)"))
        try await bank.prepare()
        try await bank.live(commands: 60)
        let head = try await book.head()
        var rounds = 0
        while try await book.checkpoint(EntriesModel.self) < head {
          rounds += 1
          // One is killed, and nobody gives back its lease.
          let lease = try #require(try await book.take(EntriesModel.self, owner: .random(), for: .zero))
          try await die(at: cut, lease, book)
          // The next one gets a step further.
          let next = try #require(try await book.take(EntriesModel.self, owner: .random(), for: .zero))
          _ = try await book.runner(EntriesModel.self, batch: 9, lease: .zero).step(next)
        }
        #expect(rounds > 1)
        try await expectRightEntries(book)
      }
    }

    private func die(at cut: Cut, _ lease: ProjectionLease, _ book: TestBook) async throws {
      switch cut {
      case .afterTakingTheLease: break
      case .afterTheCommit: _ = try await book.runner(EntriesModel.self, batch: 9, lease: .zero).step(lease)
      case .beforeTheCheckpoint, .betweenCheckpointAndRows, .beforeTheCommit:
        let runner = book.runner(FailingEntries.self, batch: 9, lease: .zero)
        FailingEntries.cut.withLock { $0 = cut }
        var overtaken = lease
        // Its checkpoint isn't where it believes, so not even the checkpoint can move.
        if cut == .beforeTheCheckpoint { overtaken.position += 1 }
        let stale = overtaken
        await #expect(throws: (any Error).self) { _ = try await runner.step(stale) }
      }
    }

    /// The real model, killed within its transaction.
    struct FailingEntries: AsyncReadModel {
      struct Killed: Error {}

      static let cut = Mutex<Cut?>(nil)
      static let name = EntriesModel.name
      static let eventTypes = EntriesModel.eventTypes
      private let model = EntriesModel()

      init() {}

      var emptyMemory: EntriesModel.Memory { model.emptyMemory }

      func changes(for event: RecordedEvent) -> [EntryChange] { model.changes(for: event) }

      func apply(
        _ changes: [EntryChange], to generation: Generation, remembering memory: inout EntriesModel.Memory,
        _ session: Session
      ) throws {
        guard FailingEntries.cut.withLock({ $0 }) == .beforeTheCommit else { throw Killed() }
        try model.apply(changes, to: generation, remembering: &memory, session)
        throw Killed()
      }
    }

    @Test("one who was frozen and overtaken changes nothing any more")
    func overtaken() async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("overtaken"))
        try await bank.prepare()
        let runner = book.runner(EntriesModel.self, batch: 5, lease: .zero)
        var frozen = try #require(try await book.take(EntriesModel.self, owner: .random(), for: .zero))
        frozen.position = try await runner.step(frozen)
        // Its lease has run out, and the other one takes over just where it stands.
        let other = try #require(try await book.take(EntriesModel.self, owner: .random()))
        #expect(other.position == frozen.position && other.epoch == frozen.epoch + 1)
        let stale = frozen
        await #expect(throws: LeaseLost.self) { _ = try await runner.step(stale) }
        #expect(try await book.checkpoint(EntriesModel.self) == other.position)
        // And while that one lives, nobody gets it.
        #expect(try await book.take(EntriesModel.self, owner: .random()) == nil)
        try await book.pool.run { session in try other.release(session) }
        try await book.catchUp(EntriesModel.self, batch: 5)
        try await expectRightEntries(book)
      }
    }

    @Test("two runners at once, and backends killed under them, give the same entries")
    func runnersAndKills() async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("two runners"))
        try await bank.prepare()
        let runners = (0..<2).map { _ in
          book.runner(EntriesModel.self, batch: 3, lease: .milliseconds(200)) as any ProjectionRunning
        }
        let following = Task { await Projections.run(runners) }
        for _ in 0..<12 {
          try await bank.live(commands: 25)
          try await book.administer { session in
            // Those of the pool, which the runners work on; the writer's own is spared.
            _ = try session.execute(
              """
              select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and application_name = 'kauri'
                and pid <> pg_backend_pid() and usename = 'kauri_server' and random() < 0.7
              """)
          }
        }
        let head = try await retrying { try await book.head() }
        try await eventually { try await retrying { try await book.checkpoint(EntriesModel.self) } >= head }
        following.cancel()
        await following.value
        try await expectRightEntries(book)
      }
    }

    @Test("who stops gives the lease back, so that the next begins at once")
    func released() async throws {
      try await TestBook.with { book in
        let following = Task { await book.runner(EntriesModel.self, lease: .seconds(600)).run() }
        let head = try await book.head()
        try await eventually { try await book.checkpoint(EntriesModel.self) >= head }
        following.cancel()
        await following.value
        #expect(try await book.take(EntriesModel.self, owner: .random()) != nil)
      }
    }
  }
}

/// Compares every account's entries with the naive history, page by page.
func expectRightEntries(_ book: TestBook, _ place: SourceLocation = #_sourceLocation) async throws {
  let log = try await book.log()
  let history = NaiveHistory(log)
  #expect(!history.lines.isEmpty, sourceLocation: place)
  let accounts = try await book.fold().accounts
  for account in accounts.keys.sorted() {
    var lines: [NaiveHistory.Line] = []
    var request = EntriesRequest(order: .oldestFirst, limit: 50)
    repeat {
      let page = try await book.queries.entries(.id(account), request).value
      lines += page.elements.map(NaiveHistory.Line.init)
      request.cursor = page.next
    } while request.cursor != nil
    let expected = history.lines[account] ?? []
    #expect(lines == expected, "account \(account)", sourceLocation: place)
    let posted = lines.last?.balance ?? 0
    #expect(posted == accounts[account]?.balance.posted, "account \(account)", sourceLocation: place)
  }
}

struct NeverCameTrue: Error {}

/// Looks again and again until it is so, or for half a minute.
func eventually(_ condition: () async throws -> Bool) async throws {
  let limit = ContinuousClock.now + .seconds(30)
  while try await !condition() {
    guard ContinuousClock.now < limit else { throw NeverCameTrue() }
    try await Task.sleep(for: .milliseconds(5))
  }
}

/// Asks again where a connection was killed in the middle.
func retrying<Value>(_ body: () async throws -> Value) async throws -> Value {
  let limit = ContinuousClock.now + .seconds(10)
  while true {
    do {
      return try await body()
    } catch let error as PostgresError where error.isRetryable && ContinuousClock.now < limit {
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}
