import Commands
import Crypto
import EventStore
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
