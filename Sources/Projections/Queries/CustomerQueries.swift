import EventStore
public import Ledger
import Postgres

extension BookQueries {
  /// A customer as decisions read it: status, scores, limits, screening state.
  public func customer(_ id: CustomerID, atLeast: Int64? = nil) async throws -> Answer<Customer> {
    try await ask(atLeast: atLeast) { session in
      let (customer, position) = try live.ask(session) { live in
        let rows = try session.execute(
          """
          select \(CustomerRow.columns("c")), h.position, h.generations::text
          from log_head h left join \(live.customers) c on c.customer_id = $1
          """, [.uuid(id)])
        let customer = try rows.isNull(0, 0) ? nil : CustomerRow.customer(rows, 0)
        return LiveAnswer((customer, try rows.int8(0, 12)), generations: try rows.text(0, 13))
      }
      guard let customer else { return .unknown(.customer, reached: position) }
      return .found(customer, at: position)
    }
  }

  /// A customer's accounts, in the order they were opened.
  public func accounts(
    of id: CustomerID, limit: Int, cursor: String? = nil, atLeast: Int64? = nil
  ) async throws -> Answer<Page<Account>> {
    let limit = pageLimit(limit)
    return try await askAtHead(atLeast: atLeast) { session, head in
      guard let customer = try BookQueries.customer(id, in: head.tables, session) else {
        return .unknown(.customer, reached: head.position)
      }
      let ids = try BookQueries.accounts(of: customer, after: cursor, limit: limit + 1)
      let accounts = try BookQueries.accounts(ids, in: head.tables, session)
      let byID = Dictionary(uniqueKeysWithValues: accounts.map { ($0.id, $0) })
      return .found(BookQueries.page(ids.compactMap { byID[$0] }, of: id, limit: limit), at: head.position)
    }
  }

  /// The accounts that a customer had, in the order they were opened, with their money as it was.
  public func accounts(
    of id: CustomerID, in point: PointInTime, limit: Int, cursor: String? = nil, atLeast: Int64? = nil
  ) async throws -> Answer<Page<Account>> {
    let limit = pageLimit(limit)
    return try await ask(EntriesModel.self, atLeast: atLeast) { [reader, calendars] session, view in
      guard let today = try BookQueries.customer(id, in: view.head.tables, session) else {
        return .unknown(.customer, reached: view.reached)
      }
      let point = try PastPoint(point, view.head, calendars, session)
      guard view.reached >= point.position else { return .behind(reached: view.reached) }
      let past = AccountsPast(point, view, reader, session)
      let customer = try past.register.customer(id, accounts: today.accounts)
      let accounts = try past.accounts(BookQueries.accounts(of: customer, after: cursor, limit: limit + 1))
      return .found(point.answer(BookQueries.page(accounts, of: id, limit: limit)), reached: view.reached)
    }
  }

  /// Accounts are never taken from a customer, so that the one that a page ended with is found again.
  private static func accounts(
    of customer: Customer, after cursor: String?, limit: Int
  ) throws(QueryFault) -> [AccountID] {
    guard let cursor else { return Array(customer.accounts.prefix(limit)) }
    let words = try Cursor.read(cursor, .accounts, words: 3)
    let last = Identifier(high: words[1], low: words[2])
    guard words[0] == customer.id.mark, let index = customer.accounts.firstIndex(of: last) else { throw .badCursor }
    return Array(customer.accounts[(index + 1)...].prefix(limit))
  }

  private static func page(_ accounts: [Account], of id: CustomerID, limit: Int) -> Page<Account> {
    Page(accounts, limit: limit) { Cursor.make(.accounts, id.mark, $0.id.high, $0.id.low) }
  }

  static func customer(_ id: CustomerID, in live: LiveTables, _ session: Session) throws -> Customer? {
    let rows = try session.execute(
      "select \(CustomerRow.columns("c")) from \(live.customers) c where customer_id = $1", [.uuid(id)])
    return rows.count > 0 ? try CustomerRow.customer(rows, 0) : nil
  }
}
