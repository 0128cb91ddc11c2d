import Ledger
import Postgres

/// Rows of `accounts`, read together with their balances.
enum AccountRow {
  static let columns = """
    a.account_id, a.kind, a.customer_id, a.currency, a.name, a.number, a.classification, a.status, a.overdraft,
    a.allow_negative, a.limits, a.scores, a.version, a.position, b.posted, b.held, b.usage, b.position,
    a.closed_on
    """

  static func source(_ live: LiveTables) -> String {
    "\(live.accounts) a join \(live.balances) b on b.account_id = a.account_id"
  }

  /// For one set of live generations.
  struct Statements: Sendable {
    let selectByID: String
    let selectByNumber: String
    let write: String

    init(_ live: LiveTables) {
      let select = "select \(columns) from \(source(live)) where"
      selectByID = "\(select) a.account_id = any($1::uuid[])"
      selectByNumber = "\(select) a.number = any($1::text[])"
      write = """
        insert into \(live.accounts) (account_id, kind, customer_id, currency, name, number, classification, status,
          overdraft, allow_negative, limits, scores, version, position, closed_on)
        select unnest($1::uuid[]), unnest($2::text[]), unnest($3::uuid[]), unnest($4::text[]), unnest($5::bytea[]),
          unnest($6::text[]), unnest($7::text[]), unnest($8::text[]), unnest($9::bigint[]), unnest($10::boolean[]),
          unnest($11::text[])::jsonb, unnest($12::text[])::jsonb, unnest($13::bigint[]), unnest($14::bigint[]),
          unnest($15::date[])
        on conflict (account_id) do update set name = excluded.name, status = excluded.status,
          closed_on = excluded.closed_on, overdraft = excluded.overdraft, allow_negative = excluded.allow_negative,
          limits = excluded.limits, scores = excluded.scores, version = excluded.version, position = excluded.position
        """
    }
  }

  static func read(_ rows: Rows, into state: inout BookState) throws {
    for row in 0..<rows.count {
      let account = try account(rows, row)
      if let number = account.number { state.numbers[number] = account.id }
      if state.accounts[account.id] == nil { state.accounts[account.id] = account }
    }
  }

  static func account(_ rows: Rows, _ row: Int) throws -> Account {
    let id = try rows.identifier(row, 0)
    let customer = try rows.identifierOrNil(row, 2)
    let usage = try rows.withBytes(row, 16) { LimitUsage($0) }
      .orThrow(CorruptRow(table: "balances", key: id.description, reason: "its usage can't be read"))
    var account = Account(
      id: id, kind: try rows.choice(row, 1), customerID: customer, currency: try rows.currency(row, 3),
      name: try rows.personalTextOrNil(row, 4, subject: customer ?? .zero),
      number: try rows.accountNumberOrNil(row, 5), classification: try rows.choiceOrNil(row, 6),
      status: try rows.choice(row, 7), closedOn: try rows.calendarDateOrNil(row, 18), overdraft: try rows.int8(row, 8),
      allowNegative: try rows.bool(row, 9),
      balance: Balance(
        posted: try rows.int8(row, 14), held: try rows.int8(row, 15), usage: usage, position: try rows.int8(row, 17)),
      version: try rows.int8(row, 12), position: try rows.int8(row, 13))
    account.limits = try rows.json(row, 10, Limits.init(row:))
    account.scores = try rows.json(row, 11, Scores.init(row:))
    return account
  }

  static func write(
    _ ids: Set<AccountID>, of state: borrowing BookState, _ statements: Statements, into pipeline: inout Pipeline
  ) throws {
    var accounts: [Account] = []
    for id in ids.sorted() {
      if let account = state.accounts[id] { accounts.append(account) }
    }
    try pipeline.execute(statements.write, try parameters(accounts))
  }

  private static func parameters(_ accounts: [Account]) throws -> [Parameter] {
    var ids = ArrayBuilder.uuid(reserving: accounts.count)
    var kinds = ArrayBuilder.text(reserving: accounts.count)
    var customers = ArrayBuilder.uuid(reserving: accounts.count)
    var currencies = ArrayBuilder.text(reserving: accounts.count)
    var names = ArrayBuilder.bytea(reserving: accounts.count)
    var numbers = ArrayBuilder.text(reserving: accounts.count)
    var classifications = ArrayBuilder.text(reserving: accounts.count)
    var statuses = ArrayBuilder.text(reserving: accounts.count)
    var overdrafts = ArrayBuilder.int8(reserving: accounts.count)
    var negatives = ArrayBuilder.bool(reserving: accounts.count)
    var limits = ArrayBuilder.text(reserving: accounts.count)
    var scores = ArrayBuilder.text(reserving: accounts.count)
    var versions = ArrayBuilder.int8(reserving: accounts.count)
    var positions = ArrayBuilder.int8(reserving: accounts.count)
    var closed = ArrayBuilder.date(reserving: accounts.count)
    for account in accounts {
      ids.append(account.id)
      kinds.append(account.kind.rawValue)
      customers.append(account.customerID)
      currencies.append(account.currency.code)
      names.append(try account.name?.sealedColumn)
      numbers.append(account.number?.description)
      classifications.append(account.classification?.rawValue)
      statuses.append(account.status.rawValue)
      overdrafts.append(account.overdraft)
      negatives.append(account.allowNegative)
      limits.append(utf8: JSONWriter.bytes { account.limits.write(to: &$0) })
      scores.append(utf8: JSONWriter.bytes { account.scores.write(to: &$0) })
      versions.append(account.version)
      positions.append(account.position)
      closed.append(daysSince1970: account.closedOn?.daysSince1970)
    }
    return [
      ids.parameter, kinds.parameter, customers.parameter, currencies.parameter, names.parameter, numbers.parameter,
      classifications.parameter, statuses.parameter, overdrafts.parameter, negatives.parameter, limits.parameter,
      scores.parameter, versions.parameter, positions.parameter, closed.parameter,
    ]
  }
}
