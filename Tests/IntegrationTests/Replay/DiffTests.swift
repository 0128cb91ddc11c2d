import Commands
import Crypto
import EventStore
import Glibc
import Ledger
import LocalStack
import Logging
import Postgres
import Projections
import Testing

/// `kauri replay diff`: each row that isn't what the log gives is named.
@Suite(.serialized) struct DiffTests {
  private func owner(_ book: ReplayBook) -> ConnectionConfiguration {
    ConnectionConfiguration(conninfo: book.book.cluster.conninfo(user: LocalStack.ownerRole))
  }

  private func compare(_ model: String, in book: ReplayBook) async throws -> RebuildReport {
    let codec = EventCodec(keyring: PersonalKeyring(masterKey: SymmetricKey(size: .bits256)))
    let model = try #require(ReadModel.named(model))
    return try await Rebuild(model, database: owner(book), codec: codec).compare()
  }

  /// Brings the read models that follow the log to its end.
  private func follow(_ book: ReplayBook) async throws {
    try await book.withPool { pool in
      let reader = LogReader(codec: EventCodec(keyring: PersonalKeyring(masterKey: SymmetricKey(size: .bits256))))
      let runners = Projections.runners(pool: pool, reader: reader, signal: HeadSignal())
      let following = Task { await Projections.run(runners) }
      defer { following.cancel() }
      try await eventually("the read models reach the log's end", within: .seconds(60)) {
        try await pool.run { session in
          try session.execute(
            "select from projections p, log_head h where p.position < h.position"
          ).count == 0
        }
      }
      following.cancel()
      await following.value
    }
  }

  private func generations(_ book: ReplayBook) async throws -> Int {
    try await book.book.recorded.read { session in
      Int(try session.execute("select count(*) from projections where generation > 1").int8(0, 0))
    }
  }

  @Test func everyModelIsWhatTheLogGives() async throws {
    try await ReplayBook.run(commands: 250) { book in
      try await follow(book)
      for model in ReadModel.all {
        let report = try await compare(model.name, in: book)
        #expect(report.differences.isEmpty, "\(report.differences.shown)")
        #expect(!report.switched)
      }
      // Nothing of what was made for it remains.
      #expect(try await generations(book) == 0)
      let database = ["--database", owner(book).conninfo]
      let answer = try await KauriProcess.run(["replay", "diff"] + database)
      #expect(answer.status == 0, "\(answer.output)\(answer.errors)")
      #expect(answer.output.split(separator: "\n").count == ReadModel.all.count)
    }
  }

  /// Whoever goes on from there leaves out what is still to come.
  @Test func aCheckpointBehindTheLogsEndIsADifference() async throws {
    try await ReplayBook.run(commands: 20) { book in
      try await follow(book)
      let head = Int64(try await book.book.log().count)
      try await book.tamper("update projections set position = position + 1000000 where model = 'entries'")
      let report = try await compare("entries", in: book)
      #expect(report.differences.rows == ["projections": 1])
      #expect(report.differences.shown.first?.old == "\(head + 1_000_000)")
      #expect(report.differences.shown.first?.new == "at most \(head), the head")
      #expect(report.position == head)
    }
  }

  /// However the writer batched them, so that two folds agree on it and a diff can compare it.
  @Test func anEntryOfAListStandsWhereItsOwnEventDoes() async throws {
    try await ReplayBook.run(commands: 10) { book in
      func importing(_ number: UInt64, _ version: String, _ entries: [(String, String)]) -> CommandEnvelope {
        CommandEnvelope(
          id: Identifier(high: 0x3333, low: number), actor: Teller.staff[0],
          instruction: .importSanctionsList(
            ImportSanctionsList(
              list: "MFAT", version: ListVersion(version), entries: entries.map { SanctionsEntry(id: $0, name: $1) })))
      }
      let writer = try book.book.writer()
      // In one batch an entry is added, changed and removed; the next removes one that an earlier batch wrote.
      let batches = [
        [
          importing(1, "1", [("x", "X"), ("y", "Y"), ("z", "Z"), ("w", "W")]),
          importing(2, "2", [("x", "X"), ("y", "Why"), ("w", "W")]),
        ], [importing(3, "3", [("x", "X"), ("y", "Y")]), importing(4, "4", [("x", "Ex"), ("y", "Y")])],
      ]
      for batch in batches {
        for result in await writer.commit(batch) { #expect(try result.outcome().verdict == .accepted) }
      }
      let rows = try await book.book.recorded.read { session in
        let rows = try session.execute(
          """
          select e.entry_id, e.removed, e.position = (select max(v.position)
              from events v cross join lateral (select convert_from(v.payload, 'UTF8')::jsonb as said) p
              where v.type like 'SanctionsEntry%' and p.said ->> 'list' = e.list
                and coalesce(p.said ->> 'id', p.said ->> 'entry_id') = e.entry_id)
          from sanctions_entries e where list = 'MFAT' order by entry_id
          """)
        return try (0..<rows.count).map { (try rows.text($0, 0), try rows.bool($0, 1), try rows.bool($0, 2)) }
      }
      #expect(rows.map(\.0) == ["w", "x", "y", "z"])
      #expect(rows.map(\.1) == [true, false, false, true])
      #expect(rows.allSatisfy { $0.2 }, "\(rows)")
      #expect(try await compare("sanctions", in: book).differences.isEmpty)
    }
  }

  // MARK: Beside what others left

  private struct Left: Equatable, Sendable {
    var position: Int64
    var rows: Int64
  }

  /// What there is of generations of `entries` after the first, by number.
  private func left(_ book: ReplayBook) async throws -> [Int32: Left] {
    try await book.book.recorded.read { session in
      let found = try session.execute(
        "select generation, position from projections where model = 'entries' and generation > 1")
      var left: [Int32: Left] = [:]
      for row in 0..<found.count {
        let generation = try found.int4(row, 0)
        let rows = try session.execute("select count(*) from entries_\(generation)").int8(0, 0)
        left[generation] = Left(position: try found.int8(row, 1), rows: rows)
      }
      return left
    }
  }

  /// Kills a command once it has filled its generation of `entries`, while it waits for the live checkpoint, which
  /// somebody has.
  private func kill(_ arguments: [String], in book: ReplayBook) async throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    let somebody = try await Connection.connect(owner(book))
    try await somebody.run { session in
      try session.simple("begin; select from projections where model = 'entries' and generation = 1 for update")
    }
    let known = try await left(book)
    let process = try await KauriProcess.start(
      arguments + ["--database", owner(book).conninfo], outputFile: "\(directory)/output", logFile: "\(directory)/log")
    try await eventually("the generation is filled", within: .seconds(60)) {
      guard process.isRunning else { throw NotInTime(what: Files.read("\(directory)/log") ?? "") }
      let end = try await book.book.recorded.read { try $0.execute("select position from log_head").int8(0, 0) }
      return try await left(book).contains { known[$0.key] == nil && $0.value.position == end }
    }
    process.send(SIGKILL)
    _ = await process.waitForEnd()
    try await somebody.run { try $0.simple("rollback") }
    await somebody.close()
  }

  /// An audit changes nothing: not even what a rebuild that was killed left to be resumed.
  @Test func anInterruptedRebuildGoesOnWhereItStood() async throws {
    try await ReplayBook.run(commands: 250) { book in
      try await follow(book)
      let database = ["--database", owner(book).conninfo]
      try await kill(["rebuild", "entries"], in: book)
      let stood = try await left(book)
      let interrupted = try #require(stood[2])
      #expect(stood.count == 1 && interrupted.position > 0 && interrupted.rows > 0)

      let diff = try await KauriProcess.run(["replay", "diff", "entries"] + database)
      #expect(diff.status == 0, "\(diff.output)\(diff.errors)")
      #expect(try await left(book) == stood)
      // A diff that is killed leaves its own, which the next one takes away, and nothing else.
      try await kill(["replay", "diff", "entries"], in: book)
      let both = try await left(book)
      #expect(both.count == 2 && both[2] == interrupted, "\(both)")
      #expect(both.contains { $0.key != 2 && $0.value.rows == interrupted.rows })
      let again = try await KauriProcess.run(["replay", "diff", "entries"] + database)
      #expect(again.status == 0, "\(again.output)\(again.errors)")
      #expect(try await left(book) == stood)

      // The rebuild isn't led astray by what a killed diff left either.
      try await kill(["replay", "diff", "entries"], in: book)
      let rebuild = try await KauriProcess.run(["rebuild", "entries", "--json"] + database)
      #expect(rebuild.status == 0, "\(rebuild.output)\(rebuild.errors)")
      #expect(rebuild.output.contains(#""continued_from":\#(interrupted.position)"#), "\(rebuild.output)")
      #expect(rebuild.output.contains(#""switched":true"#) && rebuild.output.contains(#""new_generation":2"#))
      let dropped = try await KauriProcess.run(["rebuild", "entries", "--drop-old"] + database)
      #expect(dropped.status == 0, "\(dropped.errors)")
      #expect(try await Array(left(book).keys) == [2])
    }
  }

  /// A row that says it was changed after what it is compared with isn't compared yet, so whoever changes one by hand
  /// may make it say so.
  @Test(arguments: ["(select position from log_head)", "(select position + 1000000 from log_head)"])
  func aChangedRowThatSaysItIsNewerIsNamed(_ position: String) async throws {
    try await ReplayBook.run(commands: 100) { book in
      let account = book.accounts[0].description
      let changes = [
        ("balances", "posted", "update balances set posted = posted + 100000, position = \(position)"),
        ("accounts", "overdraft", "update accounts set overdraft = 999999, position = \(position)"),
      ]
      for (model, column, sql) in changes {
        try await book.tamper("\(sql) where account_id = '\(account)'")
        let report = try await compare(model, in: book)
        #expect(report.differences.shown.contains { $0.table == model && $0.column == column }, "\(report.differences)")
        let rebuild = try await KauriProcess.run(["rebuild", model, "--database", owner(book).conninfo])
        #expect(rebuild.status == 1, "\(rebuild.output)")
        #expect(rebuild.output.contains("\(account) \(column): old"), "\(rebuild.output)")
      }
      try await book.tamper(
        "insert into balances select gen_random_uuid(), posted, held, usage, \(position) from balances limit 1")
      #expect(try await compare("balances", in: book).differences.shown.contains { $0.kind == .onlyOld })
    }
  }

  @Test func eachChangedRowIsNamed() async throws {
    try await ReplayBook.run(commands: 200) { book in
      try await follow(book)
      let account = book.accounts[0].description
      let changes: [(model: String, sql: String, table: String, column: String?)] = [
        ("balances", "update balances set posted = posted + 1 where account_id = '\(account)'", "balances", "posted"),
        ("accounts", "update accounts set overdraft = 5 where account_id = '\(account)'", "accounts", "overdraft"),
        ("customers", "update customers set status = 'rejected'", "customers", "status"),
        ("holds", "delete from holds where hold_id = (select min(hold_id::text)::uuid from holds)", "holds", nil),
        ("approvals", "update approvals set status = 'waiting' where status <> 'waiting'", "approvals", "status"),
        ("book", "update book set terms = jsonb_set(terms, '{time_zone}', '\"Europe/Paris\"')", "book", "terms"),
        (
          "sanctions", "update sanctions_entries set removed = true where entry_id = 'b'", "sanctions_entries",
          "removed"
        ),
        (
          "sanctions", "update sanctions_entries set position = position - 1 where entry_id = 'b'",
          "sanctions_entries", "position"
        ),
        (
          "entries", "update entries set balance = balance - 1 where account_id = '\(account)' and leg = 1", "entries",
          "balance"
        ),
        (
          "declines",
          "insert into declines select 1, gen_random_uuid(), 'PostTransfer', 'forbidden', 'system:kauri', null, null, "
            + "null, now(), current_date", "declines", nil
        ),
      ]
      for change in changes {
        try await book.tamper(change.sql)
        let report = try await compare(change.model, in: book)
        #expect(!report.differences.isEmpty, "\(change.sql)")
        let named = report.differences.shown.first { $0.table == change.table && $0.column == change.column }
        #expect(named != nil, "\(change.sql): \(report.differences.shown)")
        if change.column != nil { #expect(named?.old != named?.new) }
      }
      let answer = try await KauriProcess.run(
        ["replay", "diff", "balances", "--json", "--database", owner(book).conninfo])
      #expect(answer.status == 1)
      #expect(answer.output.contains(#""table":"balances","key":{"account_id":"\#(account)"},"column":"posted""#))
      #expect(try await generations(book) == 0)
      #expect(try await KauriProcess.run(["replay", "diff", "nonsense", "--database", "x"]).status == 2)
    }
  }
}
