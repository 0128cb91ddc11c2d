import Ledger
import Postgres

/// Rows of `holds`.
enum HoldRow {
  static let columns = """
    hold_id, account_id, amount, captured, currency, expires_at, status, placed_on, version, position
    """

  /// For one set of live generations.
  struct Statements: Sendable {
    let select: String
    let write: String

    init(_ live: LiveTables) {
      select = "select \(columns) from \(live.holds) where hold_id = any($1::uuid[])"
      write = """
        insert into \(live.holds) (hold_id, account_id, amount, captured, currency, expires_at, status, placed_on,
          version, position)
        select unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::bigint[]), unnest($4::bigint[]), unnest($5::text[]),
          unnest($6::timestamptz[]), unnest($7::text[]), unnest($8::date[]), unnest($9::bigint[]),
          unnest($10::bigint[])
        on conflict (hold_id) do update set captured = excluded.captured, status = excluded.status,
          version = excluded.version, position = excluded.position
        """
    }
  }

  static func read(_ rows: Rows, into state: inout BookState) throws {
    for row in 0..<rows.count {
      let hold = try hold(rows, row)
      if state.holds[hold.id] == nil { state.holds[hold.id] = hold }
    }
  }

  static func hold(_ rows: Rows, _ row: Int) throws -> Hold {
    Hold(
      id: try rows.identifier(row, 0), accountID: try rows.identifier(row, 1), amount: try rows.int8(row, 2),
      captured: try rows.int8(row, 3), currency: try rows.currency(row, 4), expiresAt: try rows.momentOrNil(row, 5),
      status: try rows.choice(row, 6), placedOn: try rows.calendarDate(row, 7), version: try rows.int8(row, 8),
      position: try rows.int8(row, 9))
  }

  static func write(
    _ ids: Set<HoldID>, of state: borrowing BookState, _ statements: Statements, into pipeline: inout Pipeline
  ) throws {
    var holds: [Hold] = []
    for id in ids.sorted() {
      if let hold = state.holds[id] { holds.append(hold) }
    }
    try pipeline.execute(statements.write, parameters(holds))
  }

  private static func parameters(_ holds: [Hold]) -> [Parameter] {
    var ids = ArrayBuilder.uuid(reserving: holds.count)
    var accounts = ArrayBuilder.uuid(reserving: holds.count)
    var amounts = ArrayBuilder.int8(reserving: holds.count)
    var captured = ArrayBuilder.int8(reserving: holds.count)
    var currencies = ArrayBuilder.text(reserving: holds.count)
    var expiries = ArrayBuilder.timestamptz(reserving: holds.count)
    var statuses = ArrayBuilder.text(reserving: holds.count)
    var dates = ArrayBuilder.date(reserving: holds.count)
    var versions = ArrayBuilder.int8(reserving: holds.count)
    var positions = ArrayBuilder.int8(reserving: holds.count)
    for hold in holds {
      ids.append(hold.id)
      accounts.append(hold.accountID)
      amounts.append(hold.amount)
      captured.append(hold.captured)
      currencies.append(hold.currency.code)
      expiries.append(microsecondsSince1970: hold.expiresAt?.microseconds)
      statuses.append(hold.status.rawValue)
      dates.append(daysSince1970: hold.placedOn.daysSince1970)
      versions.append(hold.version)
      positions.append(hold.position)
    }
    return [
      ids.parameter, accounts.parameter, amounts.parameter, captured.parameter, currencies.parameter,
      expiries.parameter,
      statuses.parameter, dates.parameter, versions.parameter, positions.parameter,
    ]
  }
}
