public import Ledger
public import Postgres

/// The history of every account: its entries with running balances, and what was held on it.
public struct EntriesModel: AsyncReadModel {
  public static let name = "entries"
  public static let tables = ["entries", "held_changes"]
  public static let eventTypes: Set<String> = Set(
    [
      AccountOpened.type, TransferPosted.type, TransferHeldForApproval.type, TransferReversed.type, JournalPosted.type,
      JournalHeldForApproval.type, HoldPlaced.type, HoldCaptured.type, HoldReleased.type, HoldExpired.type,
      ApprovalRejected.type,
    ].map(\.description))

  /// The last balances of accounts, in minor units.
  public struct Memory: Sendable {
    var posted: [AccountID: MinorUnits] = [:]
    var held: [AccountID: MinorUnits] = [:]
  }

  /// Balances that are remembered before all are forgotten: some tens of megabytes.
  static let memoryMaximum = 250_000

  public init() {}

  public var emptyMemory: Memory { Memory() }

  public func changes(for event: RecordedEvent) -> [EntryChange] { EntryChanges(event).changes }

  public func apply(
    _ changes: [EntryChange], to generation: Generation, remembering memory: inout Memory, _ session: Session
  ) throws {
    if memory.posted.count > EntriesModel.memoryMaximum { memory.posted.removeAll() }
    if memory.held.count > EntriesModel.memoryMaximum { memory.held.removeAll() }
    var postings: [EntryChange.Posting] = []
    var held: [HeldChange] = []
    for change in changes {
      switch change {
      case .posting(let posting): postings.append(posting)
      case .held(let account, let amount, let command, let position):
        held.append(HeldChange(accountID: account, position: position, change: amount, waitingCommand: command))
      case .returned(let command, let position):
        held += try returned(command, at: position, among: held, generation, session)
      }
    }
    try append(postings, to: generation.table("entries"), &memory.posted, session)
    try append(held, to: generation.table("held_changes"), &memory.held, session)
  }

  // MARK: Entries

  private func append(
    _ postings: [EntryChange.Posting], to table: String, _ balances: inout [AccountID: MinorUnits], _ session: Session
  ) throws {
    guard !postings.isEmpty else { return }
    try remember(
      postings.map(\.accountID), in: &balances, session,
      """
      select wanted.account_id, last.balance from unnest($1::uuid[]) as wanted (account_id) cross join lateral
        (select balance from \(table) e where e.account_id = wanted.account_id
          order by position desc, leg desc limit 1) as last
      """)
    var rows = EntryColumns(reserving: postings.count)
    var lines: [(EntryChange.Posting, MinorUnits)] = []
    lines.reserveCapacity(postings.count)
    for posting in postings {
      lines.append((posting, try add(posting.change, to: posting.accountID, in: &balances)))
    }
    // Entries of one account stand together in the index, so it is filled in the order of accounts.
    lines.sort { ($0.0.accountID, $0.0.position, $0.0.leg) < ($1.0.accountID, $1.0.position, $1.0.leg) }
    for (posting, balance) in lines { try rows.append(posting, balance: balance) }
    try session.copyIn(into: table, rows.columns)
  }

  // MARK: Holds

  private struct HeldChange {
    var accountID: AccountID
    var position: Int64
    var change: MinorUnits
    var waitingCommand: CommandID?
  }

  /// The event that rejects says which command waited; what that one had reserved stands in the rows that it made.
  private func returned(
    _ command: CommandID, at position: Int64, among recent: [HeldChange], _ generation: Generation, _ session: Session
  ) throws -> [HeldChange] {
    var reserved = recent.filter { $0.waitingCommand == command }.map { ($0.accountID, $0.change) }
    if reserved.isEmpty {
      let rows = try session.execute(
        """
        select account_id, change from \(generation.table("held_changes"))
        where waiting_command = $1 order by account_id
        """, [.uuid(command)])
      for row in 0..<rows.count { reserved.append((try rows.identifier(row, 0), try rows.int8(row, 1))) }
    }
    return reserved.map { HeldChange(accountID: $0.0, position: position, change: -$0.1) }
  }

  private func append(
    _ changes: [HeldChange], to table: String, _ balances: inout [AccountID: MinorUnits], _ session: Session
  ) throws {
    guard !changes.isEmpty else { return }
    try remember(
      changes.map(\.accountID), in: &balances, session,
      """
      select wanted.account_id, last.held from unnest($1::uuid[]) as wanted (account_id) cross join lateral
        (select held from \(table) h where h.account_id = wanted.account_id order by position desc limit 1) as last
      """)
    var accounts = ArrayBuilder.uuid(reserving: changes.count)
    var positions = ArrayBuilder.int8(reserving: changes.count)
    var amounts = ArrayBuilder.int8(reserving: changes.count)
    var held = ArrayBuilder.int8(reserving: changes.count)
    var commands = ArrayBuilder.uuid(reserving: changes.count)
    for change in changes {
      accounts.append(change.accountID)
      positions.append(change.position)
      amounts.append(change.change)
      held.append(try add(change.change, to: change.accountID, in: &balances))
      commands.append(change.waitingCommand)
    }
    try session.copyIn(
      into: table,
      [
        ("account_id", accounts.parameter), ("position", positions.parameter), ("change", amounts.parameter),
        ("held", held.parameter), ("waiting_command", commands.parameter),
      ])
  }

  // MARK: Running balances

  /// Loads the last balances of the accounts that aren't remembered; an account without a row has zero.
  private func remember(
    _ accounts: [AccountID], in balances: inout [AccountID: MinorUnits], _ session: Session, _ query: String
  ) throws {
    let missing = Set(accounts).filter { balances[$0] == nil }
    guard !missing.isEmpty else { return }
    let rows = try session.execute(query, [.uuids(missing)])
    for account in missing { balances[account] = 0 }
    for row in 0..<rows.count { balances[try rows.identifier(row, 0)] = try rows.int8(row, 1) }
  }

  private func add(
    _ change: MinorUnits, to account: AccountID, in balances: inout [AccountID: MinorUnits]
  ) throws -> MinorUnits {
    let (sum, overflow) = balances[account, default: 0].addingReportingOverflow(change)
    guard !overflow else {
      throw CorruptRow(table: "entries", key: account.description, reason: "its balance leaves the range of an amount")
    }
    balances[account] = sum
    return sum
  }
}
