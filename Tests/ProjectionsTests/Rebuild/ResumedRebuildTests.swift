import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Testing

extension OnAServer {
  /// What a rebuild goes on with, and what it would rather not trust.
  @Suite struct ResumedRebuildTests {
    /// A book that a rebuild of the entries can be tried on.
    private func withBook(_ what: String, _ body: (TestBook, inout RandomBank) async throws -> Void) async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance(what))
        try await bank.prepare()
        try await bank.live(commands: 120)
        try await book.catchUpAll()
        try await body(book, &bank)
      }
    }

    private static let last = "where position = (select max(position) from entries)"

    @Test("what was found different is made anew, however wrong the rows are that it left")
    func refused() async throws {
      try await withBook("refused, then right") { book, _ in
        try await book.administer { try $0.simple("update entries set balance = balance + 5 \(Self.last)") }
        #expect(try await book.rebuild("entries").switched == false)
        // The reason is found and gone; what the first build made of the log is still there, and wrong.
        try await book.administer { session in
          try session.simple(
            """
            update entries set balance = balance - 5 \(Self.last);
            update entries_2 set change = change + 1, balance = balance + 1
            where position = (select min(position) from entries_2)
            """)
        }
        let report = try await book.rebuild("entries")
        #expect(report.continuedFrom == nil && report.switched, "\(report.differences)")
        #expect(report.newGeneration == 2)
        try await expectRightEntries(book)
      }
    }

    @Test("accepted after it was refused, it is made anew too")
    func accepted() async throws {
      try await withBook("refused, then accepted") { book, _ in
        try await book.administer { try $0.simple("update entries set balance = balance + 5 \(Self.last)") }
        let refused = try await book.rebuild("entries")
        #expect(!refused.switched)
        try await book.administer { try $0.simple("update entries_2 set balance = balance + 1, change = change + 1") }
        let report = try await book.rebuild("entries", accepting: true)
        #expect(report.continuedFrom == nil && report.switched)
        #expect(report.differences == refused.differences)
        try await expectRightEntries(book)
      }
    }

    @Test("what another build began, or one that nobody knows, is made anew", arguments: ["another build", nil])
    func otherBuild(build: String?) async throws {
      try await withBook("two builds") { book, _ in
        try await book.breakOff(after: 60)
        await #expect(throws: PostgresError.self) { try await book.rebuild("entries", build: build) }
        try await book.stopBreakingOff()
        let stood = try await book.administer { session in
          try session.execute("select position from projections where model = 'entries' and generation = 2").int8(0, 0)
        }
        #expect(stood > 0)
        try await book.administer { try $0.simple("update entries_2 set balance = balance + 1, change = change + 1") }
        let report = try await book.rebuild("entries", build: build == nil ? nil : "this build")
        #expect(report.continuedFrom == nil && report.switched, "\(report.differences)")
        try await expectRightEntries(book)
      }
    }

    @Test("a database of another release makes no tables", arguments: [true, false])
    func otherSchema(isNewer: Bool) async throws {
      try await withBook("another release") { book, _ in
        let newest = try #require(Schema.migrations.last)
        let (tables, checkpoints) = (try await book.tables(), try await book.checkpoints())
        try await book.administer { session in
          if isNewer {
            try session.simple("insert into kauri_migrations values (9999, '9999-later.sql', '\\x00')")
          } else {
            _ = try session.execute("delete from kauri_migrations where number = $1", [.int4(Int32(newest.number))])
          }
        }
        let fault = RebuildFault.otherSchema(file: isNewer ? "9999-later.sql" : newest.file, isApplied: isNewer)
        for name in ["entries", "balances"] {
          await #expect(throws: fault) { try await book.rebuild(name) }
        }
        #expect(try await book.tables() == tables)
        #expect(try await book.checkpoints() == checkpoints)
      }
    }

    @Test("the overview of customers is never ahead of the entries, a backlog of theirs or not")
    func overviewStaysBehind() async throws {
      try await withBook("a backlog of entries") { book, bank in
        let stood = try await book.checkpoint(EntriesModel.self)
        let head = try await book.head()
        while try await book.head() < head + 200 { try await bank.live(commands: 20) }
        let report = try await book.rebuild("customers_overview")
        #expect(report.switched && report.differences.isEmpty, "\(report.differences)")
        #expect(report.position == stood)
        // A question is answered at once, as of where the entries stand.
        #expect(try await book.queries.customersOverview(limit: 10).position == stood)
        try await book.catchUpAll()
        #expect(try await book.rebuild("customers_overview").differences.isEmpty)
      }
    }

    @Test("keys of written rows are noted from the first question on, and not before")
    func writtenKeys() async throws {
      try await withBook("written keys") { book, _ in
        let log = try await book.log()
        let last = try #require(log.lastIndex { $0.event.type == "TransferPosted" })
        let owner = try await Connection.connect(try book.ownerConfiguration)
        try await owner.run { session in
          _ = try session.execute("select make_balances('_2')")
          let fill = InlineFill(.balances, Generation(2))
          func write(_ events: some Collection<AppendedEvent>) throws {
            _ = fill.take(fill.portion(of: events.filter { fill.eventTypes.contains($0.event.type) }))
            fill.arrange()
            try session.transaction { try fill.write(session) }
          }
          try write(log[..<last])
          #expect(fill.takeWritten() == .none)
          try write(log[last...])
          guard case .keys(let keys) = fill.takeWritten() else {
            Issue.record("nothing is known of what was written")
            return
          }
          let all = try session.execute("select count(*) from balances_2").int8(0, 0)
          #expect(!keys.isEmpty && keys.count < all)
          #expect(fill.takeWritten() == .none)
        }
        await owner.close()
      }
    }

    @Test("a rebuild whose lock went with its session doesn't switch to tables that another one makes")
    func lockLost() async throws {
      try await withBook("the lock is lost") { book, _ in
        // It waits for the head, with nothing left to take in.
        let somebody = try await Connection.connect(ConnectionConfiguration(conninfo: book.adminConninfo))
        try await somebody.run { try $0.simple("begin; select from log_head for update") }
        let first = Task { try await book.rebuild("balances") }
        try await book.rebuildWaits()
        try await book.administer { session in
          let ended = try session.execute(
            """
            select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a using (pid)
            where l.locktype = 'advisory' and l.granted and a.application_name = 'kauri rebuild' and a.datname = $1
            """, [.text(book.name)])
          #expect(ended.count == 1)
        }
        // Another one makes the same generation anew, and doesn't get far.
        try await book.breakOff(after: 0)
        await #expect(throws: PostgresError.self) { try await book.rebuild("balances") }
        try await book.stopBreakingOff()
        try await somebody.run { try $0.simple("commit") }
        await somebody.close()
        await #expect(throws: RebuildFault.overtaken(model: "balances")) { try await first.value }
        #expect(try await book.liveGenerations().isEmpty)
        #expect(try await book.rebuild("balances").switched)
        try await expectRightTables(book)
      }
    }
  }
}
