public import Commands
public import EventStore
public import Ledger
public import Projections

/// What the server reads of the book. Every answer says which log position it reflects.
///
/// Where `atLeast` is given, the answer reflects that position or a later one, and waiting for it is bounded. Where `at`
/// is given, it is as it was then. Faults of a question are `QueryFault`s; those of the database, `PostgresError`s.
public protocol BookReading: Sendable {
  func head() async throws -> HeadReading
  func account(_ account: AccountReference, at: PointInTime?, atLeast: Int64?) async throws -> Answer<Account>
  func balance(_ account: AccountReference, at: PointInTime?, atLeast: Int64?) async throws -> Answer<AccountBalance>
  func entries(
    _ account: AccountReference, _ request: EntriesRequest, atLeast: Int64?
  ) async throws -> Answer<Page<Entry>>
  func limits(_ account: AccountReference, at: PointInTime?, atLeast: Int64?) async throws -> Answer<LimitsReading>
  /// Active holds.
  func holds(
    _ account: AccountReference, limit: Int, cursor: String?, at: PointInTime?, atLeast: Int64?
  ) async throws -> Answer<Page<Hold>>
  func customer(_ customer: CustomerID, at: PointInTime?, atLeast: Int64?) async throws -> Answer<Customer>
  /// In the order they were opened.
  func accounts(
    of customer: CustomerID, limit: Int, cursor: String?, at: PointInTime?, atLeast: Int64?
  ) async throws -> Answer<Page<Account>>
  func transfer(_ transfer: TransferID, atLeast: Int64?) async throws -> Answer<TransferReading>
  /// All events of a command.
  func command(_ command: CommandID, atLeast: Int64?) async throws -> Answer<[AppendedEvent]>
  /// The customers that own these accounts; internal and unknown accounts have none.
  func owners(of accounts: Set<AccountID>) async throws -> [AccountID: CustomerID]
  /// By name.
  func sanctionsLists(limit: Int, cursor: String?, atLeast: Int64?) async throws -> Answer<Page<SanctionsListReading>>
  /// What any list, or the one named, has under a publisher's id.
  func sanctionsEntries(_ id: String, list: String?, atLeast: Int64?) async throws -> Answer<[SanctionsEntryReading]>
  /// What waits for a second person, oldest first.
  func approvals(limit: Int, cursor: String?, atLeast: Int64?) async throws -> Answer<Page<Approval>>
  /// Events after a place, in order. Throws `HistoryChanged` where what was read up to there isn't what the log holds.
  func events(
    after place: LogPlace, limit: Int, stream: StreamID?, types: Set<String>, atLeast: Int64?
  ) async throws -> Answer<LogPage>
  /// Active holds whose time has come by `moment`, the earliest first, and only those that come after `hold` in that
  /// order.
  func dueHolds(at moment: Moment, after hold: DueHold?, limit: Int) async throws -> [DueHold]
}

extension BookReading {
  /// An account as it is now.
  func account(_ account: AccountReference, atLeast: Int64?) async throws -> Answer<Account> {
    try await self.account(account, at: nil, atLeast: atLeast)
  }

  /// A customer as it is now.
  func customer(_ customer: CustomerID, atLeast: Int64?) async throws -> Answer<Customer> {
    try await self.customer(customer, at: nil, atLeast: atLeast)
  }
}
