public import Ledger
public import Postgres

/// The history of every account: its entries with running balances, and what was held on it.
public struct EntriesModel: AsyncReadModel {
  public static let name = "entries"
  public static let tables = ["entries", "held_changes"]
  public static let shape = 2
  public static let eventTypes: Set<String> = Set(
    [
      AccountOpened.type, TransferPosted.type, TransferHeldForApproval.type, TransferReversed.type, JournalPosted.type,
      JournalHeldForApproval.type, HoldPlaced.type, HoldCaptured.type, HoldReleased.type, HoldExpired.type,
      ApprovalRejected.type,
    ].map(\.description))

  /// The last totals of accounts.
  public struct Memory: Sendable {
    var posted: [AccountID: Totals] = [:]
    /// Minor units.
    var held: [AccountID: MinorUnits] = [:]
  }

  /// What an account's entries come to, in minor units.
  struct Totals: Sendable {
    var balance: MinorUnits = 0
    /// What transfers and journals that nobody had to agree to first have used of limits since the account's opening, modulo
    /// 2^64, so that no account's age is the end of it: only differences say anything.
    var used: MinorUnits = 0

    mutating func add(_ posting: EntryChange.Posting) throws(CorruptRow) {
      balance = try EntriesModel.sum(balance, posting.change, posting.accountID)
      used &+= posting.used
    }
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
    _ postings: [EntryChange.Posting], to table: String, _ totals: inout [AccountID: Totals], _ session: Session
  ) throws {
    guard !postings.isEmpty else { return }
    try remember(
      postings.map(\.accountID), in: &totals, from: Totals(), session,
      """
      select wanted.account_id, last.balance, last.used from unnest($1::uuid[]) as wanted (account_id) cross join lateral
        (select balance, used from \(table) e where e.account_id = wanted.account_id
          order by position desc, leg desc limit 1) as last
      """
    ) { rows, row in Totals(balance: try rows.int8(row, 1), used: try rows.int8(row, 2)) }
    var rows = EntryColumns(reserving: postings.count)
    var lines: [(EntryChange.Posting, Totals)] = []
    lines.reserveCapacity(postings.count)
    for posting in postings {
      try totals[posting.accountID, default: Totals()].add(posting)
      lines.append((posting, totals[posting.accountID, default: Totals()]))
    }
    // Entries of one account stand together in the index, so it is filled in the order of accounts.
    lines.sort { ($0.0.accountID, $0.0.position, $0.0.leg) < ($1.0.accountID, $1.0.position, $1.0.leg) }
    for (posting, after) in lines { try rows.append(posting, after: after) }
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
      changes.map(\.accountID), in: &balances, from: 0, session,
      """
      select wanted.account_id, last.held from unnest($1::uuid[]) as wanted (account_id) cross join lateral
        (select held from \(table) h where h.account_id = wanted.account_id order by position desc limit 1) as last
      """
    ) { rows, row in try rows.int8(row, 1) }
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

  // MARK: Running totals

  /// Loads the last totals of the accounts that aren't remembered; an account without a row begins with `none`.
  private func remember<Total>(
    _ accounts: [AccountID], in totals: inout [AccountID: Total], from none: Total, _ session: Session, _ query: String,
    _ total: (Rows, Int) throws -> Total
  ) throws {
    let missing = Set(accounts).filter { totals[$0] == nil }
    guard !missing.isEmpty else { return }
    let rows = try session.execute(query, [.uuids(missing)])
    for account in missing { totals[account] = none }
    for row in 0..<rows.count { totals[try rows.identifier(row, 0)] = try total(rows, row) }
  }

  private func add(
    _ change: MinorUnits, to account: AccountID, in balances: inout [AccountID: MinorUnits]
  ) throws -> MinorUnits {
    let sum = try EntriesModel.sum(balances[account, default: 0], change, account)
    balances[account] = sum
    return sum
  }

  private static func sum(
    _ balance: MinorUnits, _ change: MinorUnits, _ account: AccountID
  ) throws(CorruptRow) -> MinorUnits {
    let (sum, overflow) = balance.addingReportingOverflow(change)
    guard !overflow else {
      throw CorruptRow(table: "entries", key: account.description, reason: "its balance leaves the range of an amount")
    }
    return sum
  }
}
