import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Testing

extension OnAServer {
  @Suite struct InlineTablesTests {
    @Test("the rows equal a fold of the log", arguments: [0, 1, 2])
    func rowsEqualTheFold(run: Int) async throws {
      try await TestBook.with(cache: run == 2 ? 0 : 500_000) { book in
        var bank = RandomBank(book, Chance("rows equal the fold", run: run))
        try await bank.prepare()
        try await bank.live(commands: 600)
        let fold = try await book.fold()
        let loaded = try await book.pool.run { [tables = book.tables] session in
          var state = BookState()
          try tables.loadBook(into: &state, session)
          try tables.load(StateNeeds(everythingIn: fold), into: &state, session)
          return state
        }
        expectEqual(loaded, fold)
        #expect(fold.approvals.values.contains { $0.status == .approved })
        #expect(fold.holds.values.contains { $0.status == .captured })
      }
    }

    @Test("accounts are found by their numbers; what isn't there stays absent")
    func needs() async throws {
      try await TestBook.with { book in
        let number = try AccountNumber("012-345 12345678")
        let account = book.nextID()
        try await book.accept(
          .openAccount(
            OpenAccount(
              accountID: account, kind: .internal, currency: .aud, number: number, allowNegative: true,
              classification: .cash)))
        var needs = StateNeeds()
        needs.numbers = [number, try AccountNumber("012-345 87654321")]
        needs.accounts = [book.nextID()]
        needs.customers = [book.nextID()]
        needs.holds = [book.nextID()]
        needs.approvals = [book.nextID()]
        needs.lists = ["UN"]
        let state = try await book.pool.run { [tables = book.tables, needs] session in
          var state = BookState()
          try tables.load(needs, into: &state, session)
          return state
        }
        #expect(state.numbers == [number: account])
        #expect(Set(state.accounts.keys) == [account])
        #expect(state.customers.isEmpty && state.holds.isEmpty && state.approvals.isEmpty && state.lists.isEmpty)
      }
    }

    @Test("load gives back what write wrote, whatever it is", arguments: [0, 1, 2, 3])
    func writeAndLoad(run: Int) async throws {
      try await TestBook.with { book in
        var states = RandomStates(Chance("load gives back what write wrote", run: run))
        var state = BookState()
        state.book = try await book.fold().book
        // The second time most rows are there already, and entries go from lists.
        for _ in 0..<3 {
          states.change(&state)
          let written = state
          try await book.pool.run { [tables = book.tables] session in
            for outcome in try session.pipeline({ try tables.write(written.touched, of: written, into: &$0) }) {
              _ = try outcome.get()
            }
          }
          let loaded = try await book.pool.run { [tables = book.tables] session in
            var state = BookState()
            try tables.loadBook(into: &state, session)
            try tables.load(StateNeeds(everythingIn: written), into: &state, session)
            return state
          }
          expectEqual(loaded, written)
          state.touched = BookState.Touched()
        }
      }
    }

    @Test("a text in clear is never written")
    func clearText() async throws {
      try await TestBook.with { book in
        try await book.pool.run { [tables = book.tables, id = book.nextID()] session in
          var state = BookState()
          state.customers[id] = Customer(
            id: id, standingSince: CalendarDate(daysSince1970: 0), name: PersonalText("Ada", subject: id), version: 1,
            position: 2)
          state.touched.customers = [id]
          let written = state
          #expect(throws: (any Error).self) {
            try session.pipeline { try tables.write(written.touched, of: written, into: &$0) }
          }
          let count = try session.execute("select count(*) from customers").int8(0, 0)
          #expect(count == 0)
        }
      }
    }

    @Test("usage that isn't in order of dates, or ends early, is a corrupt row", arguments: ["\\x00", twiceOneDay])
    func corruptUsage(usage: String) async throws {
      try await TestBook.with { book in
        let account = book.nextID()
        try await book.accept(
          .openAccount(OpenAccount(accountID: account, kind: .internal, currency: .nzd, allowNegative: true)))
        try await book.administer { try $0.simple("update balances set usage = '\(usage)'") }
        await #expect(throws: CorruptRow.self) { try await book.queries.account(.id(account)) }
      }
    }

    static let twiceOneDay = "\\x" + String(repeating: "0000000a0000000000000001", count: 2)

    @Test("two thousand balances are taken by their key, whatever the statistics say")
    func plan() async throws {
      try await TestBook.with { book in
        try await book.administer { session in
          try session.simple(
            """
            insert into balances select gen_random_uuid(), 0, 0, '', 1 from generate_series(1, 5000); analyze balances;
            """)
          for (name, value) in InlineTables.sessionSettings { try session.simple("set \(name) = '\(value)'") }
          try session.simple(
            """
            prepare change (uuid[], bigint[], bigint[], bytea[], bigint[]) as \(InlineTables.balanceUpdate)
            """)
          let plan = try session.execute(
            "explain execute change ('{}', '{}', '{}', '{}', '{}')")
          let text = try (0..<plan.count).map { try plan.text($0, 0) }.joined(separator: "\n")
          #expect(text.contains("Index Scan using balances_pkey"), "\(text)")
          #expect(!text.contains("Seq Scan"), "\(text)")
        }
      }
    }
  }
}

extension StateNeeds {
  /// All that a state has.
  init(everythingIn state: BookState) {
    self.init()
    accounts = Set(state.accounts.keys)
    customers = Set(state.customers.keys)
    holds = Set(state.holds.keys)
    approvals = Set(state.approvals.keys)
    lists = Set(state.lists.keys)
  }
}

/// Compares thing by thing, so that a difference is named.
func expectEqual(_ loaded: BookState, _ expected: BookState, _ place: SourceLocation = #_sourceLocation) {
  func compare<Key: Hashable, Value: Equatable>(_ name: String, _ left: [Key: Value], _ right: [Key: Value]) {
    for key in Set(left.keys).union(right.keys) where left[key] != right[key] {
      Issue.record(
        "\(name) \(key): \(String(describing: left[key])) is not \(String(describing: right[key]))",
        sourceLocation: place)
    }
  }
  #expect(loaded.book == expected.book, sourceLocation: place)
  compare("account", loaded.accounts, expected.accounts)
  compare("customer", loaded.customers, expected.customers)
  compare("hold", loaded.holds, expected.holds)
  compare("approval", loaded.approvals, expected.approvals)
  compare("number", loaded.numbers, expected.numbers)
  compare("list", loaded.lists, expected.lists)
}
