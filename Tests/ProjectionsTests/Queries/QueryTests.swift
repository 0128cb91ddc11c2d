import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Testing

extension OnAServer {
  @Suite struct QueryTests {
    @Test("accounts by id and by number, balances, a customer and its accounts, at the position of the log")
    func accounts() async throws {
      try await QueryBook.with { book, world in
        let queries = book.queries
        let head = try await book.head()
        let byID = try await queries.account(.id(world.everyday))
        let byNumber = try await queries.account(.number(world.number))
        #expect(byID.value == byNumber.value && byID.position == head)
        let balance = try await queries.balance(.id(world.everyday))
        #expect(balance.value.posted == 87_500)
        #expect(balance.value.held == 10_000)
        #expect(balance.value.available == 82_500)
        #expect(balance.position == head)
        #expect(try await queries.balance(.id(world.settlement)).value.available == nil)

        let customer = try await queries.customer(world.customer)
        #expect(customer.value.accounts == [world.everyday, world.savings])
        #expect(customer.value.scores.fraud?.value == 12)
        guard case .sealed = customer.value.name.content else {
          Issue.record("the name isn't sealed")
          return
        }
        let first = try await queries.accounts(of: world.customer, limit: 1).value
        #expect(first.elements.map(\.id) == [world.everyday])
        let second = try await queries.accounts(of: world.customer, limit: 1, cursor: first.next).value
        #expect(second.elements.map(\.id) == [world.savings] && second.next == nil)
        try await book.catchUp(EntriesModel.self)
        let then = try await queries.accounts(of: world.customer, in: .position(head), limit: 1, cursor: first.next)
        #expect(then.value.elements.map(\.id) == [world.savings] && then.value.next == nil)
        await #expect(throws: QueryFault.badCursor) {
          try await queries.accounts(of: world.customer, limit: 1, cursor: "x")
        }
      }
    }

    @Test("the limits of an account: its own and its customer's, used and left in their windows")
    func limits() async throws {
      try await QueryBook.with { book, world in
        let reading = try await book.queries.limits(.id(world.everyday), at: book.clock.now).value
        // 12,500 went out of everyday and 10,000 are held there; what went out of savings came back.
        #expect(
          reading.limits.map(\.kind) == [.perTransaction, .daily, .monthly], "\(reading.limits)")
        let daily = try #require(reading.limits.first { $0.kind == .daily })
        #expect(daily.scope == .account && daily.limit == 50_000 && daily.used == 22_500 && daily.left == 27_500)
        #expect(daily.windowStart == reading.bookDate)
        let monthly = try #require(reading.limits.first { $0.kind == .monthly })
        #expect(monthly.scope == .customer && monthly.used == 22_500 && monthly.left == 0)
        #expect(monthly.windowStart == reading.bookDate.startOfMonth)
        let each = try #require(reading.limits.first { $0.kind == .perTransaction })
        #expect(each.used == nil && each.left == nil && each.windowStart == nil && each.limit == 20_000)

        // A minute past midnight in Auckland, which is still the day before in London.
        let midnight = try #require(Moment("2026-03-02T11:01:00Z"))
        let tomorrow = try await book.queries.limits(.id(world.everyday), at: midnight).value
        #expect(tomorrow.bookDate == CalendarDate("2026-03-03"))
        #expect(tomorrow.limits.first { $0.kind == .daily }?.used == 0)
      }
    }

    @Test("holds that are due by pages, the earliest first, also where several are due at one moment")
    func dueHolds() async throws {
      try await QueryBook.with { book, _ in
        let account = book.nextID()
        try await book.accept(
          .openAccount(OpenAccount(accountID: account, kind: .internal, currency: .nzd, allowNegative: true)))
        let now = book.clock.now.microseconds
        func later(_ seconds: Int64) -> Moment { Moment(microseconds: now + (60 + seconds) * 1_000_000) }
        var holds: [DueHold] = []
        for seconds in [3, 1, 1, 2, 1, 9] as [Int64] {
          let hold = DueHold(id: book.nextID(), expiresAt: later(seconds))
          try await book.accept(
            .placeHold(
              PlaceHold(
                holdID: hold.id, account: .id(account), amount: 1, currency: .nzd, expiresAt: hold.expiresAt)),
            id: hold.id)
          holds.append(hold)
        }
        let moment = later(3)
        let expected = holds.filter { $0.expiresAt <= moment }.sorted()
        #expect(expected.count == 5)
        #expect(try await book.queries.dueHolds(at: moment, after: nil, limit: 10) == expected)
        for size in 1...3 {
          var found: [DueHold] = []
          while true {
            let page = try await book.queries.dueHolds(at: moment, after: found.last, limit: size)
            if page.isEmpty { break }
            #expect(page.count <= size)
            found += page
          }
          #expect(found == expected, "pages of \(size)")
        }
        #expect(try await book.queries.dueHolds(at: later(0), after: nil, limit: 10).isEmpty)
      }
    }

    @Test("pages of holds, active ones or all")
    func holds() async throws {
      try await QueryBook.with { book, world in
        let queries = book.queries
        let all = try await everyPage {
          try await queries.holds(.id(world.everyday), activeOnly: false, limit: 1, cursor: $0)
        }
        #expect(all.map(\.id) == [world.hold, world.released].sorted())
        let active = try await queries.holds(.id(world.everyday)).value
        #expect(active.elements.map(\.id) == [world.hold] && active.next == nil)
      }
    }

    @Test("a statement: both orders, any page size, between dates, with texts sealed")
    func entries() async throws {
      try await QueryBook.with { book, world in
        try await book.catchUp(EntriesModel.self)
        let queries = book.queries
        let all = try await queries.entries(.id(world.everyday), EntriesRequest(order: .oldestFirst)).value.elements
        #expect(all.map(\.balance) == [100_000, 87_500])
        #expect(all.map(\.direction) == [.credit, .debit] && all.map(\.amount) == [100_000, 12_500])
        #expect(all.last?.counterparty == world.savings && all.last?.movementID == world.transfer)
        guard case .sealed = all.last?.text?.content else {
          Issue.record("the reference isn't sealed")
          return
        }
        for limit in [1, 2, 1_000] {
          let newest = try await everyPage {
            try await queries.entries(.id(world.everyday), EntriesRequest(limit: limit, cursor: $0))
          }
          #expect(newest == all.reversed())
        }
        let date = try #require(all.first?.bookDate)
        for (from, through, count) in [
          (date, date, 2), (date.adding(days: 1), nil, 0), (nil, date.adding(days: -1), 0),
          (date.adding(days: -9), nil, 2),
        ] as [(CalendarDate?, CalendarDate?, Int)] {
          let page = try await queries.entries(.id(world.everyday), EntriesRequest(from: from, through: through))
          #expect(page.value.elements.count == count)
        }
        let before = try #require(all.last).position - 1
        let past = try await queries.entries(.id(world.everyday), EntriesRequest(at: .position(before)))
        #expect(past.value.elements == [all[0]] && past.position == before)
      }
    }

    @Test("a balance at a moment is that of the last decision before it")
    func moments() async throws {
      try await QueryBook.with { book, world in
        try await book.catchUp(EntriesModel.self)
        let log = try await book.log()
        let posted = try #require(log.first { $0.origin.stream == StreamID(.transfer, world.transfer) })
        let at = try await book.queries.balance(.id(world.everyday), at: .moment(posted.origin.moment))
        #expect(at.value.posted == 87_500 && at.position == posted.origin.position)
        let earlier = try #require(posted.origin.moment.adding(microseconds: -1))
        let before = try await book.queries.balance(.id(world.everyday), at: .moment(earlier))
        #expect(before.value.posted == 100_000 && before.position == posted.origin.position - 1)
      }
    }

    @Test(
      "questions about the past and the future that have no answer",
      arguments: [
        (PointInTime.position(0), QueryFault.beforeTheFirst), (.position(-7), .beforeTheFirst),
        (.position(.min), .beforeTheFirst), (.position(.max), .inTheFuture(head: 0)),
        (.moment(Moment(microseconds: 0)), .beforeTheFirst), (.position(1), .notYet(.account, since: 5)),
        (.moment(Moment(microseconds: 4_102_444_800_000_000)), .inTheFuture(head: 0)),
      ])
    func noAnswer(point: PointInTime, fault: QueryFault) async throws {
      try await QueryBook.with { book, world in
        try await book.catchUp(EntriesModel.self)
        let head = try await book.head()
        let expected = fault == .inTheFuture(head: 0) ? .inTheFuture(head: head) : fault
        await #expect(throws: expected) { try await book.queries.balance(.id(world.everyday), at: point) }
        await #expect(throws: expected) {
          try await book.queries.entries(.id(world.everyday), EntriesRequest(at: point))
        }
      }
    }

    @Test("cursors that no page of the list gave")
    func cursors() async throws {
      try await QueryBook.with { book, world in
        try await book.catchUp(EntriesModel.self)
        let queries = book.queries
        let good = try #require(try await queries.entries(.id(world.everyday), EntriesRequest(limit: 1)).value.next)
        let bad = ["", "!", "AAAA", good + "A", String(good.dropLast(4)), String(repeating: "A", count: 10_000), "é"]
        for cursor in bad {
          await #expect(throws: QueryFault.badCursor) {
            try await queries.entries(.id(world.everyday), EntriesRequest(cursor: cursor))
          }
          await #expect(throws: QueryFault.badCursor) { try await queries.holds(.id(world.everyday), cursor: cursor) }
          await #expect(throws: QueryFault.badCursor) { try await queries.approvals(cursor: cursor) }
          await #expect(throws: QueryFault.badCursor) { try await queries.declines(cursor: cursor) }
        }
        // Of another account, of another order, of another list.
        await #expect(throws: QueryFault.badCursor) {
          try await queries.entries(.id(world.savings), EntriesRequest(cursor: good))
        }
        await #expect(throws: QueryFault.badCursor) {
          try await queries.entries(.id(world.everyday), EntriesRequest(order: .oldestFirst, cursor: good))
        }
        await #expect(throws: QueryFault.badCursor) { try await queries.holds(.id(world.everyday), cursor: good) }
      }
    }

    @Test("what isn't there")
    func unknown() async throws {
      try await QueryBook.with { book, world in
        let queries = book.queries
        let nobody = book.nextID()
        await #expect(throws: QueryFault.unknown(.account)) { try await queries.account(.id(nobody)) }
        await #expect(throws: QueryFault.unknown(.account)) { try await queries.balance(.id(nobody)) }
        await #expect(throws: QueryFault.unknown(.account)) { try await queries.entries(.id(nobody)) }
        await #expect(throws: QueryFault.unknown(.account)) { try await queries.holds(.id(nobody)) }
        await #expect(throws: QueryFault.unknown(.account)) {
          try await queries.limits(.id(nobody), at: book.clock.now)
        }
        await #expect(throws: QueryFault.unknown(.customer)) { try await queries.customer(nobody) }
        await #expect(throws: QueryFault.unknown(.customer)) {
          try await queries.accounts(of: world.everyday, limit: 1)
        }
        await #expect(throws: QueryFault.unknown(.transfer)) { try await queries.transfer(nobody) }
        await #expect(throws: QueryFault.unknown(.transfer)) { try await queries.transfer(world.hold) }
        await #expect(throws: QueryFault.unknown(.command)) { try await queries.command(nobody) }
        await #expect(throws: QueryFault.unknown(.sanctionsEntry)) { try await queries.sanctionsEntries("E9") }
      }
    }

    @Test("at_least waits for the log, for a model, and not for ever")
    func atLeast() async throws {
      try await QueryBook.with { book, world in
        let impatient = BookQueries(
          pool: book.pool, reader: book.reader, signal: book.signal, patience: .milliseconds(60))
        let head = try await book.head()
        await #expect(throws: QueryFault.notReached(position: head)) {
          try await impatient.account(.id(world.everyday), atLeast: head + 1)
        }
        // Nothing follows for the entries yet.
        await #expect(throws: QueryFault.notReached(position: 0)) {
          try await impatient.entries(.id(world.everyday), atLeast: head)
        }
        await #expect(throws: QueryFault.notReached(position: 0)) {
          try await impatient.balance(.id(world.everyday), at: .position(head))
        }

        let coming = book.nextID()
        async let account = book.queries.account(.id(coming), atLeast: head + 1)
        async let entries = book.queries.entries(.id(world.everyday), atLeast: head + 1)
        try await book.accept(.openAccount(OpenAccount(accountID: coming, kind: .internal, currency: .nzd)))
        #expect(try await account.value.id == coming)
        try await book.catchUp(EntriesModel.self)
        #expect(try await entries.value.elements.count == 2)
      }
    }

    @Test("a transfer's history, what a command led to, what waits, lists and the log")
    func log() async throws {
      try await QueryBook.with { book, world in
        let queries = book.queries
        let transfer = try await queries.transfer(world.reversed).value
        #expect(transfer.status == .reversed && transfer.history.map(\.status) == [.posted, .reversed])
        #expect(transfer.amount == 2_000 && transfer.debit == .id(world.savings))
        let waiting = try await queries.transfer(world.waiting).value
        #expect(waiting.status == .heldForApproval)
        let declined = try await queries.transfer(world.declined).value
        #expect(declined.status == .declined && declined.history.count == 1)

        let events = try await queries.command(world.declined).value
        guard case .transferDeclined(let content)? = events.first?.event else {
          Issue.record("not a decline")
          return
        }
        #expect(content.code == .insufficientFunds)

        let approvals = try await everyPage { try await queries.approvals(limit: 1, cursor: $0) }
        #expect(approvals.map(\.commandID) == [world.waiting, world.proposal])
        guard case .transfer(let terms)? = approvals.first?.subject else {
          Issue.record("not a transfer")
          return
        }
        #expect(terms.amount == 9_000)

        let lists = try await queries.sanctionsLists().value
        #expect(lists.map(\.list) == ["UN"] && lists.first?.entries == 1)
        let listPage = try await queries.sanctionsLists(limit: 1).value
        #expect(listPage.elements == lists && listPage.next == nil)
        await #expect(throws: QueryFault.badCursor) { try await queries.sanctionsLists(limit: 1, cursor: "x") }
        let entries = try await queries.sanctionsEntries("E1").value
        #expect(entries.map(\.removed) == [true] && entries.first?.entry.name == "Old")
        #expect(try await queries.sanctionsEntries("E2", list: "UN").value.first?.removed == false)

        let log = try await book.log()
        let page = try await queries.events(after: LogPlace(3), limit: 4)
        #expect(page.value.events == Array(log[3..<7]) && page.position == log.last?.origin.position)
        let typed = try await queries.events(after: LogPlace(0), types: ["AccountOpened"])
        #expect(typed.value.events == log.filter { $0.event.type == "AccountOpened" })
        #expect(typed.value.through == log.last?.origin.position)
        let stream = try await queries.events(after: LogPlace(0), stream: StreamID(.account, world.everyday))
        #expect(stream.value.events == log.filter { $0.origin.stream == StreamID(.account, world.everyday) })
        let head = try await queries.head()
        #expect(head.position == log.last?.origin.position && head.lastMoment == log.last?.origin.moment)
      }
    }
  }
}
