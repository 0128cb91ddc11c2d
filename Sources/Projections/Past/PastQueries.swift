import EventStore
public import Ledger
import Postgres

/// Questions about the book as it was at a point of its past. What an answer costs is what happened to the thing that
/// is asked about, not how long the log is.
///
/// They throw `QueryFault.notYet` for what there was later only, and `QueryFault.archived` where the answer would need
/// events that are no longer in the database. What was used of limits is `QueryFault.outdated` while the live entries have
/// a form that doesn't say it.
extension BookQueries {
  /// An account as it was: its state, scores and money.
  public func account(
    _ reference: AccountReference, in point: PointInTime, atLeast: Int64? = nil
  ) async throws -> Answer<Account> {
    try await askPast(reference, in: point, atLeast: atLeast) { past, id in try past.account(id) }
  }

  /// Posted from the last entry before the point, held from the last change of what was held.
  public func balance(
    _ reference: AccountReference, in point: PointInTime, atLeast: Int64? = nil
  ) async throws -> Answer<AccountBalance> {
    try await askPast(reference, in: point, atLeast: atLeast) { past, id in
      guard let balance = try past.balances([id])[id] else {
        throw try past.register.absence(of: .account, StreamID(.account, id))
      }
      // Whose it is, its currency and its overdraft are an account's for ever, so today's row says them too.
      let account = try BookQueries.accounts([id], in: past.point.live, past.session).first
        .orThrow(QueryFault.unknown(.account))
      return AccountBalance(account, balance.posted, balance.held)
    }
  }

  /// The limits that bounded an account, with what was used and left of each.
  public func limits(
    _ reference: AccountReference, in point: PointInTime, atLeast: Int64? = nil
  ) async throws -> Answer<LimitsReading> {
    try await askPast(reference, in: point, atLeast: atLeast) { past, id in
      let account = try past.account(id)
      return try past.limits(of: account, BookQueries.owner(of: account, past))
    }
  }

  /// What was held on an account, in the order of the holds' ids.
  public func holds(
    _ reference: AccountReference, in point: PointInTime, limit: Int = 100, cursor: String? = nil,
    atLeast: Int64? = nil
  ) async throws -> Answer<Page<Hold>> {
    let limit = pageLimit(limit)
    return try await askPast(reference, in: point, atLeast: atLeast) { past, id in
      guard try past.balances([id])[id] != nil else {
        throw try past.register.absence(of: .account, StreamID(.account, id))
      }
      let holds = try past.holds(of: id, after: BookQueries.lastHold(cursor, of: id), limit: limit + 1)
      return Page(holds, limit: limit) { Cursor.make(.holds, id.mark, $0.id.high, $0.id.low) }
    }
  }

  /// All of an account's past at a point, from one snapshot.
  public func past(
    of reference: AccountReference, in point: PointInTime, atLeast: Int64? = nil
  ) async throws -> Answer<AccountPast> {
    try await askPast(reference, in: point, atLeast: atLeast) { past, id in
      let account = try past.account(id)
      let customer = try BookQueries.owner(of: account, past)
      let holds = try past.holds(of: id, limit: AccountPast.holdsMaximum + 1)
      return AccountPast(
        account: account, customer: customer, limits: try past.limits(of: account, customer),
        holds: Array(holds.prefix(AccountPast.holdsMaximum)), hasMoreHolds: holds.count > AccountPast.holdsMaximum)
    }
  }

  // MARK: Customers

  /// A customer as it was: status, scores, limits, screening state, the accounts it had.
  public func customer(
    _ id: CustomerID, in point: PointInTime, atLeast: Int64? = nil
  ) async throws -> Answer<Customer> {
    try await askAtHead(atLeast: atLeast) { [reader, calendars] session, head in
      guard let today = try BookQueries.customer(id, in: head.tables, session) else {
        return .unknown(.customer, reached: head.position)
      }
      let past = RegisterPast(
        point: try PastPoint(point, head, calendars, session), reader: reader, session: session)
      let customer = try past.customer(id, accounts: today.accounts)
      return .found(past.point.answer(customer), reached: head.position)
    }
  }

  // MARK: Asking

  private func askPast<Value: Sendable>(
    _ reference: AccountReference, in point: PointInTime, atLeast: Int64?,
    _ look: @Sendable (AccountsPast, AccountID) throws -> Value
  ) async throws -> Answer<Value> {
    try await ask(EntriesModel.self, atLeast: atLeast) { [reader, calendars] session, view in
      let point = try PastPoint(point, view.head, calendars, session)
      guard let id = try BookQueries.accountID(reference, in: view.head.tables, session) else {
        return .unknown(.account, reached: view.reached)
      }
      guard view.reached >= point.position else { return .behind(reached: view.reached) }
      let past = AccountsPast(point, view, reader, session)
      return .found(point.answer(try look(past, id)), reached: view.reached)
    }
  }

  /// The customer of an account, as it was.
  private static func owner(of account: Account, _ past: AccountsPast) throws -> Customer? {
    guard let id = account.customerID else { return nil }
    let today = try customer(id, in: past.point.live, past.session).orThrow(QueryFault.unknown(.customer))
    return try past.register.customer(id, accounts: today.accounts)
  }
}
