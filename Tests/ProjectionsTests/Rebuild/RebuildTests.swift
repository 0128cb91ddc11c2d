import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Synchronization
import Testing

extension OnAServer {
  @Suite struct RebuildTests {
    @Test("every model made anew is what was live, and goes on from there", arguments: [0, 1])
    func everyModel(run: Int) async throws {
      try await TestBook.with(cache: run == 0 ? 500_000 : 0) { book in
        var bank = RandomBank(book, Chance("every model made anew", run: run))
        try await bank.prepare()
        try await bank.live(commands: 300)
        try await book.catchUpAll()
        for model in ReadModel.all {
          let report = try await book.rebuild(model)
          #expect(report.switched && report.differences.isEmpty, "\(model.name): \(report.differences.shown)")
          #expect((report.oldGeneration, report.newGeneration) == (1, 2))
        }
        #expect(
          try await book.liveGenerations() == Dictionary(uniqueKeysWithValues: ReadModel.all.map { ($0.name, 2) }))

        // The writer writes to the new ones, and whoever follows the log follows it for them: made once more, they are
        // the same again.
        try await bank.live(commands: 200)
        try await book.catchUpAll()
        try await expectRightEntries(book)
        for model in ReadModel.all {
          let report = try await book.rebuild(model)
          #expect(report.switched && report.differences.isEmpty, "\(model.name): \(report.differences.shown)")
          #expect((report.oldGeneration, report.newGeneration) == (2, 3))
        }
        try await expectRightTables(book)
      }
    }

    @Test("old generations stay until they are dropped; nothing asks for them any more")
    func dropOld() async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("old generations are dropped"))
        try await bank.prepare()
        try await bank.live(commands: 60)
        try await book.catchUpAll()
        let queries = book.queries
        let account = try #require(try await book.fold().accounts.keys.first)
        _ = try await queries.account(.id(account))
        for model in ReadModel.all {
          try await book.rebuild(model)
          let before = try await book.tables()
          #expect(before.isSuperset(of: model.tables))
          #expect(try await book.dropOld(model.name) == [1])
          let after = try await book.tables()
          #expect(after.isDisjoint(with: model.tables))
        }
        // Who knows only the first generation finds the live one.
        _ = try await queries.account(.id(account))
        try await bank.live(commands: 60)
        try await book.catchUpAll()
        try await expectRightTables(book)
        try await expectRightEntries(book)
      }
    }

    /// Something that isn't as the log has it: a statement of the superuser's, and what the report must say.
    struct Tampering: Sendable, CustomTestStringConvertible {
      let model: String
      let sql: String
      let kind: RowDifference.Kind
      var column: String?
      var testDescription: String { "\(model): \(sql)" }
    }

    private static let first = "(select min(account_id::text) from balances)::uuid"

    static let tamperings = [
      Tampering(
        model: "balances",
        sql:
          "update balances set posted = posted + 1 where account_id = \(first)",
        kind: .changed, column: "posted"),
      Tampering(
        model: "balances",
        sql: "delete from balances where account_id = \(first)",
        kind: .onlyNew),
      Tampering(
        model: "accounts",
        sql:
          "update accounts set overdraft = 1000000 where account_id = \(first)",
        kind: .changed, column: "overdraft"),
      Tampering(
        model: "customers", sql: "update customers set sanctions_match = not sanctions_match", kind: .changed,
        column: "sanctions_match"),
      Tampering(
        model: "book", sql: "update book set terms = jsonb_set(terms, '{currency}', '\"AUD\"')", kind: .changed,
        column: "terms"),
      Tampering(model: "holds", sql: "update holds set amount = amount - 1", kind: .changed, column: "amount"),
      Tampering(
        model: "approvals", sql: "insert into approvals values (gen_random_uuid(), 'approved', 1, 1, 1)", kind: .onlyOld
      ),
      Tampering(
        model: "sanctions", sql: "insert into sanctions_entries values ('X', 'x', '{}', true, 1)", kind: .onlyOld),
      Tampering(
        model: "entries",
        sql:
          "update entries set text = null, balance = balance + 5 where position = (select max(position) from entries)",
        kind: .changed, column: "balance"),
      Tampering(
        model: "entries", sql: "delete from held_changes where position = (select max(position) from held_changes)",
        kind: .onlyNew),
      Tampering(
        model: "customers_overview", sql: "update customers_overview_accounts set closed = not closed", kind: .changed,
        column: "closed"),
      Tampering(
        model: "declines",
        sql: "insert into declines select 1, gen_random_uuid(), 'x', 'x', 'x', null, null, null, now(), now()",
        kind: .onlyOld),
      Tampering(
        model: "access_log", sql: "insert into access_log values (1, 'read', 'x', null, 'x', null, now())",
        kind: .onlyOld),
    ]

    @Test("what isn't as the log has it is named, and not switched to unless that is accepted", arguments: tamperings)
    func tampered(_ tampering: Tampering) async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance(tampering.testDescription))
        try await bank.prepare()
        try await bank.live(commands: 120)
        try await book.catchUpAll()
        try await book.administer { try $0.simple(tampering.sql) }

        let refused = try await book.rebuild(tampering.model)
        #expect(!refused.switched)
        #expect(try await book.liveGenerations().isEmpty)
        #expect(refused.differences.total > 0)
        #expect(
          refused.differences.shown.contains { $0.kind == tampering.kind && $0.column == tampering.column },
          "\(refused.differences)")

        let accepted = try await book.rebuild(tampering.model, accepting: true)
        #expect(accepted.switched && accepted.differences.total == refused.differences.total)
        #expect(try await book.rebuild(tampering.model).differences.isEmpty)
      }
    }

    @Test("the writer that goes on after an accepted difference goes on with the new rows")
    func cacheDropped() async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("the cache is dropped"))
        try await bank.prepare()
        let (account, till) = try await openAccount(with: 700, on: book)
        // A balance that a stray hand made, and that the writer then took into its cache.
        try await book.administer { session in
          _ = try session.execute(
            "update balances set posted = 0 where account_id = $1", [.uuid(account.high, account.low)])
        }
        let other = try book.anotherWriter()
        try await accept(.freezeAccount(FreezeAccount(account: .id(account))), book.nextID(), other)
        #expect(try await book.rebuild("balances", accepting: true).switched)
        try await accept(.unfreezeAccount(UnfreezeAccount(account: .id(account))), book.nextID(), other)
        let transfer = PostTransfer(
          transferID: book.nextID(), debit: .id(account), credit: .id(till), amount: 1, currency: .nzd)
        try await accept(.postTransfer(transfer), transfer.transferID, other)
        #expect(try await book.queries.account(.id(account)).value.balance.posted == 699)
        try await expectRightTables(book)
      }
    }

    /// Gives a command that must be accepted to a writer.
    private func accept(_ instruction: Instruction, _ id: CommandID, _ writer: PostgresBook) async throws {
      let command = CommandEnvelope(id: id, actor: TestBook.operators[0], instruction: instruction)
      let result = await writer.commit([command])[0]
      guard case .recorded(let outcome, _) = result, outcome.verdict == .accepted else {
        throw NotAccepted(result: result)
      }
    }

    private struct NotAccepted: Error {
      let result: CommandResult
    }

    /// An account that nothing happens to by chance, with money, and the one that it came from.
    private func openAccount(
      with amount: MinorUnits, on book: TestBook
    ) async throws -> (account: AccountID, till: AccountID) {
      let (customer, account, till) = (book.nextID(), book.nextID(), book.nextID())
      try await book.accept(.registerCustomer(RegisterCustomer(customerID: customer, name: PersonalText("Mere"))))
      try await book.accept(.verifyCustomer(VerifyCustomer(customerID: customer)))
      try await book.accept(
        .openAccount(OpenAccount(accountID: account, kind: .customer, customerID: customer, currency: .nzd)))
      try await book.accept(
        .openAccount(OpenAccount(accountID: till, kind: .internal, currency: .nzd, allowNegative: true)))
      let id = book.nextID()
      try await book.accept(
        .postTransfer(
          PostTransfer(
            transferID: id, debit: .id(till), credit: .id(account), amount: amount, currency: .nzd)), id: id)
      return (account, till)
    }

    @Test(
      "broken off at any step, the next one goes on, or begins again where the fold was in memory",
      arguments: [2, 60, 200])
    func brokenOff(position: Int) async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("broken off after \(position)"))
        try await bank.prepare()
        try await bank.live(commands: 200)
        try await book.catchUpAll()
        for model in ReadModel.all {
          try await book.breakOff(after: Int64(position))
          await #expect(throws: PostgresError.self, "\(model.name)") { try await book.rebuild(model) }
          #expect(try await book.liveGenerations()[model.name] == nil)
          try await book.stopBreakingOff()

          let report = try await book.rebuild(model)
          #expect(report.switched && report.differences.isEmpty, "\(model.name): \(report.differences)")
          #expect(report.newGeneration == 2)
          // Runs have seventeen positions here.
          let expected = Int64(position / 17 * 17)
          let isGoneOn = !ReadModel.inlineNames.contains(model.name) && expected > 0
          #expect(report.continuedFrom == (isGoneOn ? expected : nil), "\(model.name)")
        }
        try await expectRightTables(book)
        try await expectRightEntries(book)
      }
    }

    @Test("an incomplete log makes no read model")
    func incompleteLog() async throws {
      try await TestBook.with { book in
        try await book.administer { session in
          try session.simple(
            "alter table events detach partition events_000000; alter table events_000000 rename to gone")
        }
        await #expect(throws: RebuildFault.incompleteLog(missing: 1)) { try await book.rebuild("balances") }
        #expect(try await book.checkpoints().count == 4)
      }
    }

    @Test("a log with a hole in it makes no read model, and the hole is named")
    func hole() async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("a log with a hole"))
        try await bank.prepare()
        try await bank.live(commands: 60)
        try await book.catchUpAll()
        // As where a range in the middle isn't attached any more.
        try await book.administer { session in
          try session.simple(
            "set session_replication_role = replica; delete from events where position in (41, 42, 60)")
        }
        for model in ReadModel.all {
          await #expect(throws: RebuildFault.incompleteLog(missing: 41), "\(model.name)") {
            try await book.rebuild(model, accepting: true)
          }
        }
        #expect(try await book.liveGenerations().isEmpty)
      }
    }
  }
}

/// The tables that decisions read are what a fold of the log says.
func expectRightTables(_ book: TestBook, _ place: SourceLocation = #_sourceLocation) async throws {
  let fold = try await book.fold()
  let loaded = try await book.pool.run { [tables = book.tables, reader = book.reader] session in
    let live = tables.live(in: try reader.head(session).generations)
    var state = BookState()
    try live.loadBook(into: &state, session)
    try live.load(StateNeeds(everythingIn: fold), into: &state, session)
    return state
  }
  expectEqual(loaded, fold, place)
}

extension ReadModel {
  /// Those that decisions read.
  static let inlineNames: Set<String> = [
    "book", "customers", "accounts", "balances", "holds", "approvals", "sanctions",
  ]
}
