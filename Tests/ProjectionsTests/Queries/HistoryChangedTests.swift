import Commands
import EventStore
import Ledger
import LocalStack
import Postgres
import Projections
import Testing

extension OnAServer {
  /// A book that was restored, and readers who had read further.
  @Suite struct HistoryChangedTests {
    @Test("who has read what wasn't kept is told, and told up to where it was kept")
    func toldOfWhatIsGone() async throws {
      try await TestBook.with { book in
        let queries = book.queries
        for _ in 0..<3 { try await book.open() }
        let kept = try await book.head()
        let beginning = try await book.asOwner { try Incarnations.begin(reason: "restored", $0) }
        #expect(beginning == Incarnations.Beginning(incarnation: 2, beginsAfter: kept))
        // The new history grows past what the old one had.
        for _ in 0..<5 { try await book.open() }

        // What was kept may be read on from, in either history.
        for place in [LogPlace(kept, incarnation: 1), LogPlace(0, incarnation: 1), LogPlace(kept + 2, incarnation: 2)] {
          let page = try await queries.events(after: place).value
          #expect(page.incarnation == 2)
          #expect(page.events.first?.origin.position == place.position + 1)
        }
        await #expect(throws: HistoryChanged(kept: kept, incarnation: 2)) {
          try await queries.events(after: LogPlace(kept + 1, incarnation: 1))
        }
        // Cut twice, what counts is the shorter of the two.
        _ = try await book.asOwner { try Incarnations.begin(reason: "again", $0) }
        await #expect(throws: HistoryChanged(kept: kept, incarnation: 3)) {
          try await queries.events(after: LogPlace(kept + 1, incarnation: 1))
        }
        let second = try await queries.events(after: LogPlace(kept + 1, incarnation: 2)).value
        #expect(second.events.count == 4 && second.incarnation == 3)
      }
    }

    @Test("a history that began in another restore of the same backup isn't given its number again")
    func restoredTwice() async throws {
      try await TestBook.with { book in
        for _ in 0..<3 { try await book.open() }
        let kept = try await book.head()
        // As if this database had been incarnation 2 and 7 before, in restores that it knows nothing of.
        let head = try await book.asOwner { try SealedHead.read($0) }
        let id = try #require(head.book)
        func signed(_ incarnation: Int, of book: Identifier) -> Checkpoint {
          Checkpoint(
            origin: Checkpoint.origin(book: book, incarnation: incarnation), size: head.size + 9, root: head.root)
        }
        let another = Identifier(high: ~id.high, low: id.low)
        for foreign in [
          signed(7, of: another), Checkpoint(origin: "kauri.\(id)/07", size: 1, root: head.root),
          Checkpoint(origin: "elsewhere/7", size: 1, root: head.root),
        ] {
          await #expect(throws: ForeignCheckpoint(origin: foreign.origin, book: id)) {
            try await book.asOwner { try Incarnations.begin(reason: "restored", after: [foreign], $0) }
          }
        }
        #expect(try await book.queries.head().incarnation == 1)
        let own = [signed(2, of: id), signed(7, of: id), signed(1, of: id)]
        let beginning = try await book.asOwner { session in
          try Incarnations.begin(reason: "restored again", after: own, known: 5, session)
        }
        #expect(beginning == Incarnations.Beginning(incarnation: 8, beginsAfter: kept))
        for _ in 0..<5 { try await book.open() }

        // What a reader of such a restore has seen, this database can't tell to be its own.
        for place in [LogPlace(kept + 1, incarnation: 2), LogPlace(kept, incarnation: 7), LogPlace(1, incarnation: 3)] {
          await #expect(throws: HistoryChanged(kept: nil, incarnation: 8)) {
            try await book.queries.events(after: place)
          }
        }
        let anew = try await book.queries.events(after: LogPlace(0, incarnation: 7)).value
        #expect(anew.events.first?.origin.position == 1)
        await #expect(throws: HistoryChanged(kept: kept, incarnation: 8)) {
          try await book.queries.events(after: LogPlace(kept + 1, incarnation: 1))
        }
        #expect(try await book.queries.events(after: LogPlace(kept, incarnation: 1)).value.incarnation == 8)

        let further = try await book.asOwner { session in
          try Incarnations.begin(reason: "what was kept elsewhere", known: 11, session)
        }
        #expect(further.incarnation == 12)
        #expect(try await book.asOwner { try Incarnations.begin(reason: "again", known: 3, $0) }.incarnation == 13)
      }
    }

    @Test("a position that this history has never had, and a history that this database doesn't know")
    func neverThere() async throws {
      try await TestBook.with { book in
        try await book.open()
        let head = try await book.head()
        for place in [LogPlace(head + 1), LogPlace(head + 1, incarnation: 1), LogPlace(1, incarnation: 2)] {
          await #expect(throws: HistoryChanged(kept: nil, incarnation: 1)) {
            try await book.queries.events(after: place)
          }
        }
        #expect(try await book.queries.events(after: LogPlace(head)).value.events.isEmpty)
      }
    }

    @Test("histories are declared by the owner, one after the other, and never changed")
    func declared() async throws {
      try await TestBook.with { book in
        await #expect(throws: PostgresError.self) {
          try await book.pool.run { session in try Incarnations.begin(reason: "not mine to say", session) }
        }
        #expect(try await book.queries.head().incarnation == 1)
        _ = try await book.asOwner { try Incarnations.begin(reason: "restored", $0) }
        for change in [
          "update incarnations set begins_after = 0", "delete from incarnations", "truncate incarnations",
        ] {
          await #expect(throws: PostgresError.self) { try await book.asOwner { _ = try $0.execute(change) } }
        }
        // The writer goes on, and leaves the incarnation as it is.
        try await book.open()
        #expect(try await book.queries.head().incarnation == 2)
      }
    }
  }
}

extension TestBook {
  fileprivate func open() async throws {
    try await accept(.openAccount(OpenAccount(accountID: nextID(), kind: .internal, currency: .nzd)))
  }

  /// Runs `body` as the role that owns the schema.
  fileprivate func asOwner<Value: Sendable>(_ body: @Sendable (Session) throws -> Value) async throws -> Value {
    let owner = try #require(TestBook.cluster).conninfo(user: LocalStack.ownerRole, database: name)
    let connection = try await Connection.connect(ConnectionConfiguration(conninfo: owner))
    let value: Result<Value, any Error>
    do {
      value = .success(try await connection.run(body))
    } catch {
      value = .failure(error)
    }
    await connection.close()
    return try value.get()
  }
}
