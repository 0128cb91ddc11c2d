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
          #expect(report.switched && report.differences.isEmpty, "\(model.name): \(report.differences.shown)")
          // On an idle machine some milliseconds; what matters here is that nobody was waited for.
          #expect(report.locked < .seconds(2), "\(model.name)")
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
        try await eventually {
          try await book.administer { session in
            let rows = try session.execute(
              "select from pg_stat_activity where application_name = 'kauri rebuild' and wait_event_type = 'Lock'")
            return rows.count > 0
          }
        }
        let fault = await #expect(throws: RebuildFault.self) { try await book.rebuild("entries") }
        let said = "another rebuild of entries is running (its lock is held by Postgres backend "
        #expect(fault?.description.hasPrefix(said) == true)
        #expect(try await book.rebuild("balances").switched)
        try await somebody.run { try $0.simple("commit") }
        await somebody.close()
        #expect(try await first.switched)
      }
    }

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
