import Ledger
import Postgres

/// Rows of `balances`: a thousand transfers change two thousand of them, so this is where the writer's time goes.
enum BalanceRow {
  /// For one set of live generations.
  struct Statements: Sendable {
    let table: String
    let update: String
    let insert: String

    init(_ live: LiveTables) {
      table = live.balances
      update = """
        update \(table) as old set posted = new.posted, held = new.held, usage = new.usage, position = new.position
        from (select unnest($1::uuid[]) as account_id, unnest($2::bigint[]) as posted, unnest($3::bigint[]) as held,
            unnest($4::bytea[]) as usage, unnest($5::bigint[]) as position) as new
        where old.account_id = new.account_id
        """
      insert = """
        insert into \(table) (account_id, posted, held, usage, position)
        select unnest($1::uuid[]), unnest($2::bigint[]), unnest($3::bigint[]), unnest($4::bytea[]),
          unnest($5::bigint[])
        on conflict (account_id) do update set
          posted = excluded.posted, held = excluded.held, usage = excluded.usage, position = excluded.position
        """
    }
  }

  /// Changes rows that are there.
  ///
  /// The keys go in order, so that neighbouring rows share pages and index leaves. The arrays are unnested in the
  /// select list: there they advance together, a row at a time, while in FROM each would first be copied into a store
  /// of its own.
  static func update(
    _ accounts: Set<AccountID>, of state: borrowing BookState, _ statements: Statements, into pipeline: inout Pipeline
  ) throws {
    guard !accounts.isEmpty else { return }
    try pipeline.execute(statements.update, columns(accounts, of: state).map(\.values))
  }

  /// Writes rows that may be new.
  static func insert(
    _ accounts: Set<AccountID>, of state: borrowing BookState, _ statements: Statements, into pipeline: inout Pipeline
  ) throws {
    guard !accounts.isEmpty else { return }
    try pipeline.execute(statements.insert, columns(accounts, of: state).map(\.values))
  }

  /// Writes rows that are surely new, many of them.
  static func copy(
    _ accounts: Set<AccountID>, of state: borrowing BookState, _ statements: Statements, _ session: Session
  ) throws {
    try session.copyIn(into: statements.table, columns(accounts, of: state))
  }

  private static func columns(
    _ accounts: Set<AccountID>, of state: borrowing BookState
  ) -> [(name: String, values: Parameter)] {
    let count = accounts.count
    var ids = ArrayBuilder.uuid(reserving: count)
    var posted = ArrayBuilder.int8(reserving: count)
    var held = ArrayBuilder.int8(reserving: count)
    var usage = ArrayBuilder.bytea(reserving: count, bytesEach: LimitUsage.dayLength)
    var positions = ArrayBuilder.int8(reserving: count)
    var encoded: [UInt8] = []
    for id in accounts.sorted() {
      guard let index = state.accounts.index(forKey: id) else { continue }
      let balance = state.accounts.values[index].balance
      ids.append(id)
      posted.append(balance.posted)
      held.append(balance.held)
      encoded.removeAll(keepingCapacity: true)
      balance.usage.write(to: &encoded)
      usage.append(encoded)
      positions.append(balance.position)
    }
    return [
      ("account_id", ids.parameter), ("posted", posted.parameter), ("held", held.parameter), ("usage", usage.parameter),
      ("position", positions.parameter),
    ]
  }
}

extension LimitUsage {
  /// Bytes of one day in a row.
  static let dayLength = 12

  /// The column's form: per book date, 4 bytes of days since 1970 and 8 bytes of minor units, big-endian, in order of
  /// dates.
  func write(to bytes: inout [UInt8]) {
    for day in days {
      withUnsafeBytes(of: day.date.daysSince1970.bigEndian) { bytes.append(contentsOf: $0) }
      withUnsafeBytes(of: day.amount.bigEndian) { bytes.append(contentsOf: $0) }
    }
  }

  /// - Returns: nil when the bytes aren't what `write` writes.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count % LimitUsage.dayLength == 0 else { return nil }
    var days: [Day] = []
    days.reserveCapacity(bytes.count / LimitUsage.dayLength)
    for offset in stride(from: 0, to: bytes.count, by: LimitUsage.dayLength) {
      let date = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
      let amount = Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: Int64.self))
      let day = Day(date: CalendarDate(daysSince1970: date), amount: amount)
      if let last = days.last, last.date >= day.date { return nil }
      days.append(day)
    }
    self.init(days: days)
  }
}
