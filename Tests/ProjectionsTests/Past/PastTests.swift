import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Testing

extension OnAServer {
  @Suite struct PastTests {
    @Test("every account and customer, at every position, is what the log up to there comes to", arguments: [0, 1])
    func everyPosition(run: Int) async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("the past", run: run))
        try await bank.prepare()
        try await setLimits(on: book)
        try await bank.live(commands: 320)
        try await book.catchUp(EntriesModel.self)
        var state = BookState(keepsEverything: true)
        var withUsage = 0
        for appended in try await book.log() {
          state.evolve(appended.event, appended.origin)
          guard appended.origin.position.isMultiple(of: 23) else { continue }
          let then = FoldedPast(state, appended.origin)
          for id in state.accounts.keys.sorted() {
            let past = try await book.queries.past(of: .id(id), in: .position(appended.origin.position))
            try then.expect(past, id)
            if past.value.limits.limits.contains(where: { $0.used ?? 0 > 0 }) { withUsage += 1 }
          }
          for (id, customer) in state.customers {
            let point = PointInTime.position(appended.origin.position)
            #expect(try await book.queries.customer(id, in: point).value == customer)
            let accounts = try await book.queries.accounts(of: id, in: point, limit: 1_000).value.elements
            #expect(accounts == customer.accounts.compactMap { state.accounts[$0]?.withoutUsage })
          }
        }
        // Otherwise the test would have said nothing about what was used.
        #expect(withUsage > 20)
      }
    }

    /// Limits that stop nobody, over every window, of every account and customer.
    private func setLimits(on book: TestBook) async throws {
      let state = try await book.fold()
      let windows = LimitKind.allCases.filter { $0.windowStart(on: CalendarDate(daysSince1970: 0)) != nil }
      for (number, account) in state.accounts.values.sorted(by: { $0.id < $1.id }).enumerated() {
        for subject in [account.id, account.customerID].compactMap(\.self)
        where state.customers[subject]?.status != .erased {
          let kind = windows[(number + (subject == account.id ? 0 : 1)) % windows.count]
          try await book.accept(
            .setLimit(SetLimit(subject: .id(subject), kind: kind, amount: .max, currency: account.currency)))
        }
      }
    }

    @Test("a moment is the last decision at or before it, also between two commands of one batch")
    func moments() async throws {
      try await QueryBook.with { book, world in
        let (first, second) = (book.nextID(), book.nextID())
        let operators = TestBook.operators[0]
        try await book.give([
          (first, operators, .freezeAccount(FreezeAccount(account: .id(world.savings)))),
          (second, operators, .unfreezeAccount(UnfreezeAccount(account: .id(world.savings)))),
        ])
        try await book.catchUp(EntriesModel.self)
        let log = try await book.log()
        let frozen = try #require(log.first { $0.origin.commandID == first }).origin
        let unfrozen = try #require(log.first { $0.origin.commandID == second }).origin
        #expect(unfrozen.moment.microseconds - frozen.moment.microseconds == 1)
        for (moment, status, position) in [
          (frozen.moment.adding(microseconds: -1), AccountStatus.open, frozen.position - 1),
          (frozen.moment, .frozen, frozen.position), (unfrozen.moment, .open, unfrozen.position),
        ] {
          let moment = try #require(moment)
          let then = try await book.queries.account(.id(world.savings), in: .moment(moment))
          #expect(then.value.status == status && then.position == position && then.asOf == moment)
        }
      }
    }

    @Test("a position between two events of one command")
    func withinACommand() async throws {
      try await QueryBook.with { book, world in
        try await book.catchUp(EntriesModel.self)
        let imported = try #require(try await book.log().last { $0.event.type == "SanctionsListImported" }).origin
        let then = try await book.queries.account(.id(world.everyday), in: .position(imported.position))
        #expect(then.position == imported.position && then.asOf == imported.moment)
      }
    }

    @Test("limits' windows end with the book date of the moment that is asked for")
    func windows() async throws {
      try await QueryBook.with { book, world in
        try await book.catchUp(EntriesModel.self)
        let head = try await book.head()
        let today = try await book.queries.limits(.id(world.everyday), in: .position(head)).value
        #expect(today == (try await book.queries.limits(.id(world.everyday), at: book.clock.now).value))
        #expect(today.limits.first { $0.kind == .daily }?.used == 22_500)
        // The test's clock is behind: the day after is the past of the database's clock.
        let tomorrow = try #require(book.clock.now.adding(microseconds: 86_400_000_000))
        let reading = try await book.queries.limits(.id(world.everyday), in: .moment(tomorrow)).value
        #expect(reading.bookDate == today.bookDate.adding(days: 1))
        #expect(reading.limits.first { $0.kind == .daily }?.used == 0)
        #expect(reading.limits.first { $0.kind == .monthly }?.used == 22_500)
      }
    }

    @Test("of many scores only the newest are read, unless all of those were superseded")
    func scores() async throws {
      try await QueryBook.with { book, world in
        func score(_ value: Int, at moment: Moment?) async throws {
          let report = ScoreReport(
            subject: .id(world.savings), score: value, model: "m", scoredAt: try #require(moment))
          try await book.accept(.recordFraudScore(RecordFraudScore(report: report)))
        }
        let now = book.clock.now
        for value in 1...20 { try await score(value, at: now.adding(microseconds: Int64(value))) }
        let counted = try await book.head()
        for value in 100...120 { try await score(value, at: now.adding(microseconds: -Int64(value))) }
        try await book.catchUp(EntriesModel.self)
        let head = try await book.head()
        for (position, version) in [(counted, 21), (head, 42), (counted - 5, 16)] as [(Int64, Int64)] {
          let then = try await book.queries.account(.id(world.savings), in: .position(position)).value
          #expect(then.scores.fraud?.value == Int(min(20, version - 1)))
          #expect(then.version == version)
        }
      }
    }

    @Test("pages of the holds that were active")
    func holds() async throws {
      try await QueryBook.with { book, world in
        let placed = try await book.head()
        try await book.accept(.releaseHold(ReleaseHold(holdID: world.hold)))
        // An id of the client's own choice stands in another index than a command's.
        let chosen = book.nextID()
        try await book.accept(
          .placeHold(PlaceHold(holdID: chosen, account: .id(world.everyday), amount: 5, currency: .nzd)))
        try await book.catchUp(EntriesModel.self)
        let log = try await book.log()
        let both = try #require(log.first { $0.origin.stream == StreamID(.hold, world.released) }).origin.position
        for (position, ids) in [
          (both, [world.hold, world.released]), (placed, [world.hold]), (try await book.head(), [chosen]),
          (both - 2, []),
        ] {
          let pages = try await everyPage { cursor in
            try await book.queries.holds(.id(world.everyday), in: .position(position), limit: 1, cursor: cursor)
          }
          #expect(pages.map(\.id) == ids.sorted(), "at \(position)")
          #expect(pages.allSatisfy { $0.status == .active && $0.version == 1 })
        }
      }
    }

    @Test("what entries of an earlier form don't say is refused; all else is answered")
    func outdated() async throws {
      try await QueryBook.with { book, world in
        try await book.accept(
          .setLimit(SetLimit(subject: .id(world.everyday), kind: .monthly, amount: .max, currency: .nzd)))
        try await book.catchUp(EntriesModel.self)
        let now = PointInTime.position(try await book.head())
        let queries = book.queries
        #expect(try await queries.limits(.id(world.everyday), in: now).value.limits.contains { $0.kind == .monthly })
        try await book.administer { session in
          try session.simple("update projections set shape = 1 where model = 'entries'")
        }
        let outdated = QueryFault.outdated(model: "entries")
        await #expect(throws: outdated) { try await queries.limits(.id(world.everyday), in: now) }
        await #expect(throws: outdated) { try await queries.past(of: .id(world.everyday), in: now) }
        #expect(try await queries.balance(.id(world.everyday), in: now).position > 0)
        #expect(try await queries.account(.id(world.everyday), in: now).value.limits[.monthly] == .max)
      }
    }

    @Test("what there was later only, isn't there at all, or has been archived")
    func noAnswer() async throws {
      try await QueryBook.with { book, world in
        try await book.catchUp(EntriesModel.self)
        let queries = book.queries
        let log = try await book.log()
        func first(_ stream: StreamID) throws -> Int64 {
          try #require(log.first { $0.origin.stream == stream }).origin.position
        }
        let opened = try first(StreamID(.account, world.everyday))
        let registered = try first(StreamID(.customer, world.customer))
        let before = PointInTime.position(opened - 1)
        let notYet = QueryFault.notYet(.account, since: opened)
        await #expect(throws: notYet) { try await queries.past(of: .number(world.number), in: before) }
        await #expect(throws: notYet) { try await queries.account(.id(world.everyday), in: before) }
        await #expect(throws: notYet) { try await queries.balance(.id(world.everyday), in: before) }
        await #expect(throws: notYet) { try await queries.limits(.id(world.everyday), in: before) }
        await #expect(throws: notYet) { try await queries.holds(.id(world.everyday), in: before) }
        await #expect(throws: notYet) {
          try await queries.entries(.id(world.everyday), EntriesRequest(at: before))
        }
        await #expect(throws: QueryFault.notYet(.customer, since: registered)) {
          try await queries.customer(world.customer, in: .position(registered - 1))
        }
        #expect(try await queries.account(.id(world.everyday), in: .position(opened)).value.balance.posted == 0)
        #expect(try await queries.customer(world.customer, in: .position(registered)).value.status == .registered)
        await #expect(throws: QueryFault.unknown(.account)) {
          try await queries.past(of: .id(world.customer), in: before)
        }
        await #expect(throws: QueryFault.unknown(.customer)) {
          try await queries.customer(world.everyday, in: before)
        }
        try await book.administer { session in
          try session.execute("alter table events detach partition events_000000")
          try session.execute(
            """
            create table events_rest partition of events for values from (1) to (10000001);
            """)
          try session.execute("alter table events disable trigger user")
          try session.execute("alter table events_rest disable trigger user")
          try session.execute("insert into events select * from events_000000 where position > \(opened)")
          try session.execute("grant select on events_rest to kauri_server")
        }
        await #expect(throws: QueryFault.archived) {
          try await queries.account(.id(world.everyday), in: .position(opened + 1))
        }
        await #expect(throws: QueryFault.archived) { try await queries.account(.id(world.everyday), in: before) }
        await #expect(throws: QueryFault.archived) {
          try await queries.customer(world.customer, in: .position(opened + 1))
        }
      }
    }
  }
}

/// What a point of the past should be, from a fold of the whole log.
private struct FoldedPast {
  let state: BookState
  let origin: EventOrigin

  init(_ state: BookState, _ origin: EventOrigin) {
    self.state = state
    self.origin = origin
  }

  func expect(_ past: Answer<AccountPast>, _ id: AccountID) throws {
    let account = try #require(state.accounts[id])
    let place = "at \(origin.position), account \(id)"
    #expect(past.position == origin.position && past.asOf == origin.moment)
    #expect(past.value.account == account.withoutUsage, "\(place)")
    #expect(past.value.customer == account.customerID.flatMap { state.customers[$0] }, "\(place)")
    let holds = state.holds.values.filter { $0.accountID == id && $0.status == .active }
    #expect(past.value.holds == holds.sorted { $0.id < $1.id }, "\(place)")
    #expect(past.value.limits.bookDate == origin.bookDate)
    #expect(past.value.limits.limits == limits(of: account), "\(place)")
  }

  /// Added up from the usage that the fold of everything holds.
  private func limits(of account: Account) -> [LimitReading] {
    var readings = LimitKind.allCases.compactMap { kind in
      account.limits[kind].map { reading(.account, account.id, kind, $0, [account]) }
    }
    guard let customer = account.customerID.flatMap({ state.customers[$0] }),
      let own = customer.limits[account.currency]
    else { return readings }
    let accounts = customer.accounts.compactMap { state.accounts[$0] }.filter { $0.currency == account.currency }
    for kind in LimitKind.allCases {
      if let limit = own[kind] { readings.append(reading(.customer, customer.id, kind, limit, accounts)) }
    }
    return readings

    func reading(
      _ scope: SubjectKind, _ subject: Identifier, _ kind: LimitKind, _ limit: MinorUnits, _ accounts: [Account]
    ) -> LimitReading {
      let start = kind.windowStart(on: origin.bookDate)
      let used = start.map { start in
        accounts.reduce(MinorUnits(0)) { sum, account in
          sum + account.balance.usage.days.filter { $0.date >= start }.reduce(0) { $0 + $1.amount }
        }
      }
      return LimitReading(
        scope: scope, subjectID: subject, kind: kind, currency: account.currency, limit: limit, used: used,
        left: used.map { max(0, limit - $0) }, windowStart: start)
    }
  }
}

extension Account {
  /// Of the past an account says its money; what was used of limits is asked for apart.
  fileprivate var withoutUsage: Account {
    var account = self
    account.balance.usage = LimitUsage()
    return account
  }
}
