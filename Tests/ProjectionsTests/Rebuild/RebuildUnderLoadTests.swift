import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Synchronization
import Testing

extension OnAServer {
  @Suite struct RebuildUnderLoadTests {
    @Test("beside a writer, runners and a reader who doesn't end, every model is switched to, and the writer goes on")
    func underLoad() async throws {
      try await TestBook.with(connections: 16) { book in
        var bank = RandomBank(book, Chance("rebuilt under load"))
        try await bank.prepare()
        let runners = Projections.runners(
          pool: book.pool, reader: book.reader, signal: book.signal,
          options: ProjectionOptions(batchMaximum: 50, pace: .milliseconds(5), poll: .milliseconds(20)), logger: quiet)
        let following = Task { await Projections.run(runners) }
        let isOver = Flag()
        let writing = Task { [bank] in
          var bank = bank
          while !isOver.isSet { try await bank.live(commands: 20) }
        }
        // Somebody reads every table in one transaction, from before the first switch to after the last.
        let reader = try await Connection.connect(ConnectionConfiguration(conninfo: book.adminConninfo))
        let before = try await reader.run { session in
          try session.simple("begin isolation level repeatable read read only")
          return try Self.rowCounts(session)
        }

        for model in ReadModel.all {
          let report = try await book.rebuild(model)
          // Whoever waited for the reader would wait in vain, and fail. How long the lock takes is in docs/performance.md:
          // a machine that runs other tests at the same time says nothing about it.
          #expect(report.switched && report.differences.isEmpty, "\(model.name): \(report.differences.shown)")
        }

        let after = try await reader.run { session in
          let counts = try Self.rowCounts(session)
          try session.simple("commit")
          return counts
        }
        #expect(before == after)
        await reader.close()
        isOver.set()
        try await writing.value
        // The runners notice by themselves, and follow the log for the new generations.
        let head = try await book.head()
        for name in ["entries", "customers_overview", "declines", "access_log"] {
          try await eventually {
            try await Projections.lag(book.pool).contains {
              $0.model == name && $0.generation == Generation(2) && $0.position >= head
            }
          }
        }
        following.cancel()
        await following.value
        try await expectRightTables(book)
        try await expectRightEntries(book)
        for model in ReadModel.all {
          #expect(try await book.rebuild(model).differences.isEmpty, "\(model.name)")
        }
      }
    }

    private static func rowCounts(_ session: Session) throws -> [Int64] {
      try ReadModel.all.flatMap(\.tables).map { try session.execute("select count(*) from \($0)").int8(0, 0) }
    }

    @Test("while a rebuild is under way, another of the same model is refused, one of another model isn't")
    func twoAtOnce() async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("two at once"))
        try await bank.prepare()
        try await book.catchUpAll()
        // The first one waits for the live checkpoint, which somebody has.
        let somebody = try await Connection.connect(ConnectionConfiguration(conninfo: book.adminConninfo))
        try await somebody.run { session in
          try session.simple("begin; select from projections where model = 'entries' for update")
        }
        async let first = book.rebuild("entries")
        try await book.rebuildWaits()
        let fault = await #expect(throws: RebuildFault.self) { try await book.rebuild("entries") }
        let said = "another rebuild of entries is running (its lock is held by Postgres backend "
        #expect(fault?.description.hasPrefix(said) == true)
        #expect(try await book.rebuild("balances").switched)
        try await somebody.run { try $0.simple("commit") }
        await somebody.close()
        #expect(try await first.switched)
      }
    }

    /// In a book that stands still there is nothing to catch up with: `cancelledCatchingUp`.
    static let phases: [RebuildProgress.Phase] = [.making, .filling, .comparing, .switching]

    @Test("cancelled in any phase, nothing of it remains", arguments: phases)
    func cancelled(phase: RebuildProgress.Phase) async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("cancelled while \(phase)"))
        try await bank.prepare()
        try await bank.live(commands: 60)
        try await book.catchUpAll()
        let (tables, checkpoints) = (try await book.tables(), try await book.checkpoints())
        for model in ReadModel.all {
          let rebuilding = Task {
            try await book.rebuild(model) { progress in
              if progress.phase == phase { withUnsafeCurrentTask { $0?.cancel() } }
            }
          }
          await #expect(throws: CancellationError.self, "\(model.name)") { try await rebuilding.value }
          #expect(try await book.tables() == tables, "\(model.name)")
          #expect(try await book.checkpoints() == checkpoints, "\(model.name)")
        }
        #expect(try await book.liveGenerations().isEmpty)
      }
    }

    @Test("cancelled while it catches up, nothing of it remains", arguments: ["balances", "entries"])
    func cancelledCatchingUp(name: String) async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("cancelled while catching up"))
        try await bank.prepare()
        try await bank.live(commands: 60)
        try await book.catchUpAll()
        let (tables, checkpoints) = (try await book.tables(), try await book.checkpoints())
        // What it has read first waits to be written until there is more than may be left for the head's lock.
        try await book.administer { session in
          try session.simple(
            """
            create function wait_filled() returns trigger language plpgsql as
              'begin perform pg_advisory_xact_lock(1, 1); return new; end';
            create trigger wait_filled before update of position on projections for each row
              when (new.generation > 1 and old.position = 0 and new.position > 0) execute function wait_filled();
            """)
        }
        let gate = try await Connection.connect(ConnectionConfiguration(conninfo: book.adminConninfo))
        try await gate.run { session in _ = try session.execute("select pg_advisory_lock(1, 1)") }
        let phases = Mutex(Set<RebuildProgress.Phase>())
        let model = try #require(ReadModel.named(name))
        let rebuilding = Task {
          try await book.rebuild(model) { progress in
            phases.withLock { _ = $0.insert(progress.phase) }
            if progress.phase == .catchingUp { withUnsafeCurrentTask { $0?.cancel() } }
          }
        }
        try await book.rebuildWaits()
        let end = try await book.head()
        while try await book.head() < end + 100 { try await bank.live(commands: 20) }
        try await book.catchUpAll()
        await gate.close()
        await #expect(throws: CancellationError.self) { try await rebuilding.value }
        #expect(phases.withLock { $0 } == [.making, .filling, .catchingUp])
        #expect(try await book.tables() == tables)
        #expect(try await book.checkpoints() == checkpoints)
      }
    }

    @Test("cancelled after the switch, it is too late: the new generation is live")
    func cancelledTooLate() async throws {
      try await TestBook.with { book in
        let rebuilding = Task {
          try await book.rebuild(try #require(ReadModel.named("balances"))) { progress in
            if progress.phase == .switched { withUnsafeCurrentTask { $0?.cancel() } }
          }
        }
        let report = try await rebuilding.value
        #expect(report.switched)
        #expect(try await book.liveGenerations() == ["balances": 2])
      }
    }
  }
}

private final class Flag: Sendable {
  private let state = Mutex(false)

  var isSet: Bool { state.withLock { $0 } }

  func set() { state.withLock { $0 = true } }
}
