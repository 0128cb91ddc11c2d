import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Testing

extension OnAServer {
  @Suite struct OverviewTests {
    @Test("customers, declines and the access log are what the log says", arguments: [1, 3, 2_000])
    func modelsEqualTheLog(batch: Int) async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("overview", run: batch))
        try await bank.prepare()
        try await bank.live(commands: 250)
        try await book.catchUp(CustomersOverviewModel.self, batch: batch)
        // It is never ahead of the entries, which have its totals.
        #expect(try await book.checkpoint(CustomersOverviewModel.self) == 0)
        try await book.catchUp(EntriesModel.self, batch: batch)
        try await book.catchUp(CustomersOverviewModel.self, batch: batch)
        try await book.catchUp(DeclinesModel.self, batch: batch)
        try await book.catchUp(AccessLogModel.self, batch: batch)
        let fold = try await book.fold()
        let log = try await book.log()

        let customers = try await everyPage { try await book.queries.customersOverview(limit: 3, cursor: $0) }
        #expect(customers.map(\.customerID) == fold.customers.keys.sorted())
        for overview in customers {
          let customer = try #require(fold.customers[overview.customerID])
          #expect(overview.status == customer.status)
          #expect(overview.country == customer.country)
          #expect(overview.sanctionsMatch == customer.sanctionsMatch)
          let open = customer.accounts.compactMap { fold.accounts[$0] }.filter { $0.status != .closed }
          let byCurrency = Dictionary(grouping: open, by: \.currency)
          #expect(overview.totals.map(\.currency) == byCurrency.keys.sorted())
          for total in overview.totals {
            let accounts = byCurrency[total.currency] ?? []
            #expect(total.accounts == accounts.count)
            #expect(total.posted == accounts.map(\.balance.posted).reduce(0, +))
          }
        }

        let declines = try await everyPage { try await book.queries.declines(limit: 7, cursor: $0) }
        #expect(declines.map(\.position) == declinedPositions(log).reversed())
        let some = try #require(declines.first { $0.accountID != nil })
        let ofOne = try await everyPage {
          try await book.queries.declines(account: some.accountID, limit: 2, cursor: $0)
        }
        #expect(ofOne == declines.filter { $0.accountID == some.accountID })

        let accesses = try await everyPage { try await book.queries.accessLog(limit: 2, cursor: $0) }
        let expected = log.filter { ["CustomerDataRead", "AccessRefused"].contains($0.event.type) }
        #expect(accesses.map(\.position) == expected.map(\.origin.position).reversed())
        #expect(accesses.map(\.actor) == expected.map(\.origin.actor).reversed())
      }
    }

    private func declinedPositions(_ log: [AppendedEvent]) -> [Int64] {
      log.compactMap { appended in
        switch appended.event {
        case .transferDeclined, .journalDeclined, .commandDeclined: appended.origin.position
        case .approvalRejected(let rejected): rejected.cause == .checksFailed ? appended.origin.position : nil
        default: nil
        }
      }
    }

    @Test("lag is in events and in seconds, and nothing once caught up")
    func lag() async throws {
      try await TestBook.with { book in
        book.clock.advance(seconds: -3_600)
        try await book.accept(.openAccount(OpenAccount(accountID: book.nextID(), kind: .internal, currency: .nzd)))
        let before = try await Projections.lag(book.pool)
        #expect(before.map(\.model) == ["access_log", "customers_overview", "declines", "entries"])
        for lag in before {
          #expect(lag.position == 0 && lag.positions == 2 && lag.head == 2)
          #expect(lag.seconds > 0)
        }
        try await book.catchUp(DeclinesModel.self)
        let after = try #require(try await Projections.lag(book.pool).first { $0.model == "declines" })
        #expect(after.positions == 0 && after.seconds == 0)
      }
    }
  }
}

/// All elements of a list, page by page.
func everyPage<Element: Sendable>(
  _ ask: (_ cursor: String?) async throws -> Answer<Page<Element>>
) async throws -> [Element] {
  var elements: [Element] = []
  var cursor: String?
  repeat {
    let page = try await ask(cursor).value
    elements += page.elements
    cursor = page.next
  } while cursor != nil
  return elements
}
