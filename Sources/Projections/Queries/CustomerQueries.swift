import EventStore
public import Ledger
import Postgres

extension BookQueries {
  /// A customer as decisions read it: status, scores, limits, screening state.
  public func customer(_ id: CustomerID, atLeast: Int64? = nil) async throws -> Answer<Customer> {
    try await ask(atLeast: atLeast) { session in
      let rows = try session.execute(
        "select \(CustomerRow.columns("c")), h.position from log_head h left join customers c on c.customer_id = $1",
        [.uuid(id)])
      let position = try rows.int8(0, 12)
      if try rows.isNull(0, 0) { return .unknown(.customer, reached: position) }
      return .found(try CustomerRow.customer(rows, 0), at: position)
    }
  }

  /// A customer's accounts, in the order they were opened.
  public func accounts(of id: CustomerID, atLeast: Int64? = nil) async throws -> Answer<[Account]> {
    try await askAtHead(atLeast: atLeast) { session, head in
      guard let customer = try BookQueries.customer(id, session) else {
        return .unknown(.customer, reached: head.position)
      }
      let accounts = try BookQueries.accounts(customer.accounts, session)
      let byID = Dictionary(uniqueKeysWithValues: accounts.map { ($0.id, $0) })
      return .found(customer.accounts.compactMap { byID[$0] }, at: head.position)
    }
  }

  static func customer(_ id: CustomerID, _ session: Session) throws -> Customer? {
    let rows = try session.execute(
      "select \(CustomerRow.columns("c")) from customers c where customer_id = $1", [.uuid(id)])
    return rows.count > 0 ? try CustomerRow.customer(rows, 0) : nil
  }
}
