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
  public func accounts(of id: CustomerID, atLeast: Int64? = nil) async throws -> Answer<[Account]> {
    try await askAtHead(atLeast: atLeast) { session, head in
      guard let customer = try BookQueries.customer(id, in: head.tables, session) else {
        return .unknown(.customer, reached: head.position)
      }
      let accounts = try BookQueries.accounts(customer.accounts, in: head.tables, session)
      let byID = Dictionary(uniqueKeysWithValues: accounts.map { ($0.id, $0) })
      return .found(customer.accounts.compactMap { byID[$0] }, at: head.position)
    }
  }

  static func customer(_ id: CustomerID, in live: LiveTables, _ session: Session) throws -> Customer? {
    let rows = try session.execute(
      "select \(CustomerRow.columns("c")) from \(live.customers) c where customer_id = $1", [.uuid(id)])
    return rows.count > 0 ? try CustomerRow.customer(rows, 0) : nil
  }
}
