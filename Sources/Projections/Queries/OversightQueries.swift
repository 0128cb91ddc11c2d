import EventStore
public import Ledger
import Postgres

extension BookQueries {
  /// The sanctions lists in force, by name.
  public func sanctionsLists(atLeast: Int64? = nil) async throws -> Answer<[SanctionsListReading]> {
    try await askAtHead(atLeast: atLeast) { session, head in
      let rows = try session.execute(
        "select list, list_version, entries, position from \(head.tables.sanctionsLists) order by list")
      let lists = try (0..<rows.count).map { row in
        SanctionsListReading(
          list: try rows.text(row, 0), version: ListVersion(try rows.text(row, 1)), entries: Int(try rows.int4(row, 2)),
          changedAt: try rows.int8(row, 3))
      }
      return .found(lists, at: head.position)
    }
  }

  /// As above, by pages.
  public func sanctionsLists(
    limit: Int, cursor: String? = nil, atLeast: Int64? = nil
  ) async throws -> Answer<Page<SanctionsListReading>> {
    let limit = pageLimit(limit)
    return try await askAtHead(atLeast: atLeast) { session, head in
      let rows = try session.execute(
        """
        select list, list_version, entries, position from \(head.tables.sanctionsLists)
        where $1::text is null or list > $1 order by list limit $2
        """, [.text(try cursor.map { try Cursor.readName($0, .sanctionsLists) }), .int8(Int64(limit + 1))])
      let lists = try (0..<rows.count).map { row in
        SanctionsListReading(
          list: try rows.text(row, 0), version: ListVersion(try rows.text(row, 1)), entries: Int(try rows.int4(row, 2)),
          changedAt: try rows.int8(row, 3))
      }
      return .found(Page(lists, limit: limit) { Cursor.make(.sanctionsLists, name: $0.list) }, at: head.position)
    }
  }

  /// Entries by their publisher's id, which several lists may use; at least one.
  public func sanctionsEntries(
    _ entryID: String, list: String? = nil, atLeast: Int64? = nil
  ) async throws -> Answer<[SanctionsEntryReading]> {
    try await askAtHead(atLeast: atLeast) { session, head in
      let rows = try session.execute(
        """
        select e.list, l.list_version, e.entry, e.removed
        from \(head.tables.sanctionsEntries) e join \(head.tables.sanctionsLists) l on l.list = e.list
        where e.entry_id = $1 and ($2::text is null or e.list = $2) order by e.list
        """, [.text(entryID), .text(list)])
      guard rows.count > 0 else { return .unknown(.sanctionsEntry, reached: head.position) }
      let entries = try (0..<rows.count).map { row in
        SanctionsEntryReading(
          list: try rows.text(row, 0), listVersion: ListVersion(try rows.text(row, 1)),
          entry: try SanctionsListRow.entry(rows, row, 2), removed: try rows.bool(row, 3))
      }
      return .found(entries, at: head.position)
    }
  }

  /// Every customer at a glance, in the order of their ids.
  public func customersOverview(
    limit: Int = 100, cursor: String? = nil, atLeast: Int64? = nil
  ) async throws -> Answer<Page<CustomerOverview>> {
    let limit = pageLimit(limit)
    return try await ask(CustomersOverviewModel.self, atLeast: atLeast) { session, view in
      let words = try cursor.map { try Cursor.read($0, .customers, words: 2) } ?? [0, 0]
      let rows = try session.execute(
        """
        select customer_id, status, country, sanctions_match, registered_at
        from \(view.generation.table("customers_overview")) where customer_id > $1 order by customer_id limit $2
        """, [.uuid(words[0], words[1]), .int8(Int64(limit + 1))])
      var customers = try (0..<rows.count).map { row in
        CustomerOverview(
          customerID: try rows.identifier(row, 0), status: try rows.choice(row, 1), country: try rows.textOrNil(row, 2),
          sanctionsMatch: try rows.bool(row, 3), registeredAt: try rows.moment(row, 4), totals: [])
      }
      let entries = try ModelView(EntriesModel.name, reader, session)
      // Only for a moment, after a switch to a generation of entries that wasn't quite as far.
      guard entries.reached >= view.reached else { return .behind(reached: entries.reached) }
      let totals = try BookQueries.totals(
        of: customers.map(\.customerID), view, entries: entries.generation.table("entries"), session)
      for index in customers.indices { customers[index].totals = totals[customers[index].customerID] ?? [] }
      let page = Page(customers, limit: limit) { Cursor.make(.customers, $0.customerID.high, $0.customerID.low) }
      return .found(page, at: view.reached)
    }
  }

  /// What is on the customers' accounts at the position that the view has reached.
  private static func totals(
    of customers: [CustomerID], _ view: ModelView, entries: String, _ session: Session
  ) throws -> [CustomerID: [CustomerOverview.Total]] {
    let rows = try session.execute(
      """
      select a.customer_id, a.currency, count(*), coalesce(sum(last.balance), 0)::text
      from \(view.generation.table("customers_overview_accounts")) a left join lateral
        (select balance from \(entries) e where e.account_id = a.account_id and e.position <= $2
          order by position desc, leg desc limit 1) as last on true
      where a.customer_id = any($1::uuid[]) and not a.closed group by a.customer_id, a.currency order by a.currency
      """, [.uuids(customers), .int8(view.reached)])
    var totals: [CustomerID: [CustomerOverview.Total]] = [:]
    for row in 0..<rows.count {
      totals[try rows.identifier(row, 0), default: []].append(
        CustomerOverview.Total(
          currency: try rows.currency(row, 1), accounts: Int(try rows.int8(row, 2)),
          posted: MinorUnits(try rows.text(row, 3))))
    }
    return totals
  }

  /// Declined commands, newest first; of one account, or all.
  public func declines(
    account: AccountID? = nil, limit: Int = 100, cursor: String? = nil, atLeast: Int64? = nil
  ) async throws -> Answer<Page<Decline>> {
    let limit = pageLimit(limit)
    return try await ask(DeclinesModel.self, atLeast: atLeast) { session, view in
      let rows = try session.execute(
        """
        select position, command_id, command, code, actor, account_id, amount, currency, moment, book_date
        from \(view.generation.table("declines")) where position < $1 \(account == nil ? "" : "and account_id = $3")
        order by position desc limit $2
        """,
        [.int8(try Cursor.before(cursor, .declines)), .int8(Int64(limit + 1))] + (account.map { [.uuid($0)] } ?? []))
      let declines = try (0..<rows.count).map { try Decline(rows, $0) }
      let page = Page(declines, limit: limit) { Cursor.make(.declines, UInt64(bitPattern: $0.position)) }
      return .found(page, at: view.reached)
    }
  }

  /// Who saw whose data and who was refused what, newest first; of one customer, or all.
  public func accessLog(
    customer: CustomerID? = nil, limit: Int = 100, cursor: String? = nil, atLeast: Int64? = nil
  ) async throws -> Answer<Page<AccessRecord>> {
    let limit = pageLimit(limit)
    return try await ask(AccessLogModel.self, atLeast: atLeast) { session, view in
      let rows = try session.execute(
        """
        select position, kind, actor, customer_id, resource, object_id, moment
        from \(view.generation.table("access_log")) where position < $1 \(customer == nil ? "" : "and customer_id = $3")
        order by position desc limit $2
        """,
        [.int8(try Cursor.before(cursor, .accessLog)), .int8(Int64(limit + 1))] + (customer.map { [.uuid($0)] } ?? []))
      let records = try (0..<rows.count).map { row in
        AccessRecord(
          position: try rows.int8(row, 0), kind: try rows.choice(row, 1), actor: try rows.actor(row, 2),
          customerID: try rows.identifierOrNil(row, 3), resource: try rows.text(row, 4),
          objectID: try rows.identifierOrNil(row, 5), moment: try rows.moment(row, 6))
      }
      let page = Page(records, limit: limit) { Cursor.make(.accessLog, UInt64(bitPattern: $0.position)) }
      return .found(page, at: view.reached)
    }
  }
}

extension Decline {
  fileprivate init(_ rows: Rows, _ row: Int) throws {
    self.init(
      position: try rows.int8(row, 0), commandID: try rows.identifier(row, 1), command: try rows.text(row, 2),
      code: try rows.choice(row, 3), actor: try rows.actor(row, 4), accountID: try rows.identifierOrNil(row, 5),
      amount: try rows.int8OrNil(row, 6), currency: try rows.isNull(row, 7) ? nil : rows.currency(row, 7),
      moment: try rows.moment(row, 8), bookDate: try rows.calendarDate(row, 9))
  }
}

extension Cursor {
  /// For lists by falling position: what comes before where the last page ended.
  fileprivate static func before(_ cursor: String?, _ list: List) throws(QueryFault) -> Int64 {
    guard let cursor else { return .max }
    return try position(read(cursor, list, words: 1)[0])
  }
}

extension Rows {
  fileprivate func actor(_ row: Int, _ column: Int) throws -> Actor {
    let text = try text(row, column)
    return try Actor(recorded: text).orThrow(PostgresError(.decoding, "\"\(text)\" is no actor"))
  }
}
