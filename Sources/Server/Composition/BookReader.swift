import Commands
import EventStore
import Ledger
import Postgres
import Projections

/// The server's questions, put to the database.
struct BookReader: BookReading {
  let queries: BookQueries

  func head() async throws -> HeadReading { try await queries.head() }

  func account(_ account: AccountReference, at: PointInTime?, atLeast: Int64?) async throws -> Answer<Account> {
    guard let at else { return try await queries.account(account, atLeast: atLeast) }
    return try await queries.account(account, in: at, atLeast: atLeast)
  }

  func balance(_ account: AccountReference, at: PointInTime?, atLeast: Int64?) async throws -> Answer<AccountBalance> {
    try await queries.balance(account, at: at, atLeast: atLeast)
  }

  func entries(
    _ account: AccountReference, _ request: EntriesRequest, atLeast: Int64?
  ) async throws -> Answer<Page<Entry>> {
    try await queries.entries(account, request, atLeast: atLeast)
  }

  func limits(_ account: AccountReference, at: PointInTime?, atLeast: Int64?) async throws -> Answer<LimitsReading> {
    guard let at else { return try await queries.limits(account, at: .now, atLeast: atLeast) }
    return try await queries.limits(account, in: at, atLeast: atLeast)
  }

  func holds(
    _ account: AccountReference, limit: Int, cursor: String?, at: PointInTime?, atLeast: Int64?
  ) async throws -> Answer<Page<Hold>> {
    guard let at else {
      return try await queries.holds(account, activeOnly: true, limit: limit, cursor: cursor, atLeast: atLeast)
    }
    return try await queries.holds(account, in: at, limit: limit, cursor: cursor, atLeast: atLeast)
  }

  func customer(_ customer: CustomerID, at: PointInTime?, atLeast: Int64?) async throws -> Answer<Customer> {
    guard let at else { return try await queries.customer(customer, atLeast: atLeast) }
    return try await queries.customer(customer, in: at, atLeast: atLeast)
  }

  func accounts(
    of customer: CustomerID, limit: Int, cursor: String?, at: PointInTime?, atLeast: Int64?
  ) async throws -> Answer<Page<Account>> {
    guard let at else {
      return try await queries.accounts(of: customer, limit: limit, cursor: cursor, atLeast: atLeast)
    }
    return try await queries.accounts(of: customer, in: at, limit: limit, cursor: cursor, atLeast: atLeast)
  }

  func transfer(_ transfer: TransferID, atLeast: Int64?) async throws -> Answer<TransferReading> {
    try await queries.transfer(transfer, atLeast: atLeast)
  }

  func command(_ command: CommandID, atLeast: Int64?) async throws -> Answer<[AppendedEvent]> {
    try await queries.command(command, atLeast: atLeast)
  }

  func owners(of accounts: Set<AccountID>) async throws -> [AccountID: CustomerID] {
    try await queries.owners(of: accounts)
  }

  func sanctionsLists(limit: Int, cursor: String?, atLeast: Int64?) async throws -> Answer<Page<SanctionsListReading>> {
    try await queries.sanctionsLists(limit: limit, cursor: cursor, atLeast: atLeast)
  }

  func sanctionsEntries(_ id: String, list: String?, atLeast: Int64?) async throws -> Answer<[SanctionsEntryReading]> {
    try await queries.sanctionsEntries(id, list: list, atLeast: atLeast)
  }

  func approvals(limit: Int, cursor: String?, atLeast: Int64?) async throws -> Answer<Page<Approval>> {
    try await queries.approvals(limit: limit, cursor: cursor, atLeast: atLeast)
  }

  func events(
    after place: LogPlace, limit: Int, stream: StreamID?, types: Set<String>, atLeast: Int64?
  ) async throws -> Answer<LogPage> {
    try await queries.events(after: place, stream: stream, types: types, limit: limit, atLeast: atLeast)
  }

  func dueHolds(at moment: Moment, after hold: DueHold?, limit: Int) async throws -> [DueHold] {
    try await queries.dueHolds(at: moment, after: hold, limit: limit)
  }
}
