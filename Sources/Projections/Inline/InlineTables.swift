public import Commands
public import EventStore
public import Ledger
public import Postgres

/// The tables that decisions read, kept in the same transaction as the events: the book, customers, accounts, balances,
/// holds, approvals and sanctions lists.
///
/// A row says just what the state says of its thing, so what `write` wrote `load` gives back, and both equal a fold of
/// the log. Values are absolute: writing a row twice is writing it once.
public struct InlineTables: InlineReadModels {
  private let reader: LogReader
  private let statements: InlineStatements

  /// The tables of every model's first generation; `live(in:)` gives those of others.
  /// - Parameter codec: for what waits for a second person, which stands in the log and in no table.
  public init(codec: EventCodec) {
    self.init(reader: LogReader(codec: codec), statements: InlineStatements(LiveTables()))
  }

  private init(reader: LogReader, statements: InlineStatements) {
    self.reader = reader
    self.statements = statements
  }

  public var generations: [String: Int] { statements.live.generations }

  public func live(in generations: [String: Int]) -> InlineTables {
    InlineTables(reader: reader, statements: InlineStatements(LiveTables(generations)))
  }

  /// What the writer's session must be set to. Statements here take thousands of rows by their primary keys from tables
  /// of any size, so one plan, a nested loop over an index, is right for all of them; planned anew for each batch, the
  /// planner would sooner or later read a whole table (45 ms instead of 12 for 2,000 rows), and planning itself isn't
  /// free.
  public static let sessionSettings: [String: String] = [
    "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off", "enable_bitmapscan": "off",
    "enable_hashjoin": "off", "enable_mergejoin": "off", "enable_material": "off", "enable_memoize": "off",
    "jit": "off",
  ]

  /// The statement that nearly every batch sends, for whoever wants to see how it is planned.
  package static var balanceUpdate: String { BalanceRow.Statements(LiveTables()).update }

  public func loadBook(into state: inout BookState, _ session: Session) throws {
    state.book = try BookRow.load(statements.live, session)
  }

  public func load(_ needs: StateNeeds, into state: inout BookState, _ session: Session) throws {
    let outcomes = try session.pipeline { pipeline in
      if !needs.accounts.isEmpty { try pipeline.execute(statements.accounts.selectByID, [.uuids(needs.accounts)]) }
      if !needs.numbers.isEmpty {
        try pipeline.execute(statements.accounts.selectByNumber, [.texts(needs.numbers.map(\.description))])
      }
      if !needs.customers.isEmpty { try pipeline.execute(statements.customers.select, [.uuids(needs.customers)]) }
      if !needs.holds.isEmpty { try pipeline.execute(statements.holds.select, [.uuids(needs.holds)]) }
      if !needs.approvals.isEmpty { try pipeline.execute(statements.approvals.select, [.uuids(needs.approvals)]) }
      if !needs.lists.isEmpty { try SanctionsListRow.select(needs.lists, statements.sanctions, into: &pipeline) }
    }
    var results = outcomes.makeIterator()
    func next() throws -> Rows {
      guard let outcome = results.next() else { throw PostgresError(.misuse, "a pipeline gave too few results") }
      return try outcome.get()
    }
    if !needs.accounts.isEmpty { try AccountRow.read(next(), into: &state) }
    if !needs.numbers.isEmpty { try AccountRow.read(next(), into: &state) }
    if !needs.customers.isEmpty { try CustomerRow.read(next(), into: &state) }
    if !needs.holds.isEmpty { try HoldRow.read(next(), into: &state) }
    let waiting = needs.approvals.isEmpty ? [] : try ApprovalRow.read(next())
    if !needs.lists.isEmpty {
      try SanctionsListRow.readLists(next(), into: &state)
      try SanctionsListRow.readEntries(next(), into: &state)
    }
    for row in waiting where state.approvals[row.commandID] == nil {
      state.approvals[row.commandID] = try row.approval(from: reader, session)
    }
  }

  public func write(
    _ touched: BookState.Touched, of state: borrowing BookState, into pipeline: inout Pipeline
  ) throws {
    // Nearly every batch moves money and does nothing else.
    let known = touched.accounts.isEmpty ? touched.balances : touched.balances.subtracting(touched.accounts)
    try BalanceRow.update(known, of: state, statements.balances, into: &pipeline)
    if !touched.holds.isEmpty { try HoldRow.write(touched.holds, of: state, statements.holds, into: &pipeline) }
    if !touched.accounts.isEmpty {
      try AccountRow.write(touched.accounts, of: state, statements.accounts, into: &pipeline)
      let new = touched.balances.intersection(touched.accounts)
      try BalanceRow.insert(new, of: state, statements.balances, into: &pipeline)
    }
    if !touched.customers.isEmpty {
      try CustomerRow.write(touched.customers, of: state, statements.customers, into: &pipeline)
    }
    if !touched.approvals.isEmpty {
      try ApprovalRow.write(touched.approvals, of: state, statements.approvals, into: &pipeline)
    }
    if !touched.lists.isEmpty {
      try SanctionsListRow.write(touched, of: state, statements.sanctions, into: &pipeline)
    }
    if touched.book, let book = state.book { try BookRow.write(book, statements.live, into: &pipeline) }
  }
}

/// A row of an inline read model that makes no sense: it was changed by another hand, or written by a newer build.
public struct CorruptRow: Error, Hashable, Sendable, CustomStringConvertible {
  public var table: String
  public var key: String
  public var reason: String

  public init(table: String, key: String, reason: String) {
    self.table = table
    self.key = key
    self.reason = reason
  }

  public var description: String { "\(table) \(key): \(reason)" }
}
