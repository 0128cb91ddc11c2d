import Ledger
import Postgres

/// Rows of `customers`.
enum CustomerRow {
  /// - Parameter table: the name that the statement has for the table.
  static func columns(_ table: String) -> String {
    [
      "customer_id", "status", "name", "date_of_birth", "country", "sanctions_match", "scores", "limits", "accounts",
      "version", "position", "standing_since",
    ].map { "\(table).\($0)" }.joined(separator: ", ")
  }

  /// For one set of live generations.
  struct Statements: Sendable {
    let select: String
    let write: String

    init(_ live: LiveTables) {
      select = "select \(columns("c")) from \(live.customers) c where customer_id = any($1::uuid[])"
      write = """
        insert into \(live.customers) (customer_id, status, name, date_of_birth, country, sanctions_match, scores,
          limits, accounts, version, position, standing_since)
        select unnest($1::uuid[]), unnest($2::text[]), unnest($3::bytea[]), unnest($4::bytea[]), unnest($5::text[]),
          unnest($6::boolean[]), unnest($7::text[])::jsonb, unnest($8::text[])::jsonb, unnest($9::text[])::uuid[],
          unnest($10::bigint[]), unnest($11::bigint[]), unnest($12::date[])
        on conflict (customer_id) do update set status = excluded.status,
          standing_since = excluded.standing_since, name = excluded.name, date_of_birth = excluded.date_of_birth,
          country = excluded.country, sanctions_match = excluded.sanctions_match,
          scores = excluded.scores, limits = excluded.limits, accounts = excluded.accounts,
          version = excluded.version, position = excluded.position
        """
    }
  }

  static func read(_ rows: Rows, into state: inout BookState) throws {
    for row in 0..<rows.count {
      let customer = try customer(rows, row)
      if state.customers[customer.id] == nil { state.customers[customer.id] = customer }
    }
  }

  static func customer(_ rows: Rows, _ row: Int) throws -> Customer {
    let id = try rows.identifier(row, 0)
    return Customer(
      id: id, status: try rows.choice(row, 1), standingSince: try rows.calendarDate(row, 11),
      name: try rows.personalText(row, 2, subject: id),
      dateOfBirth: try rows.personalTextOrNil(row, 3, subject: id), country: try rows.textOrNil(row, 4),
      sanctionsMatch: try rows.bool(row, 5), scores: try rows.json(row, 6, Scores.init(row:)),
      limits: try rows.json(row, 7, limits),
      accounts: try rows.uuidArray(row, 8).map { Identifier(high: $0.0, low: $0.1) },
      version: try rows.int8(row, 9), position: try rows.int8(row, 10))
  }

  static func write(
    _ ids: Set<CustomerID>, of state: borrowing BookState, _ statements: Statements, into pipeline: inout Pipeline
  ) throws {
    var customers: [Customer] = []
    for id in ids.sorted() {
      if let customer = state.customers[id] { customers.append(customer) }
    }
    try pipeline.execute(statements.write, try parameters(customers))
  }

  private static func parameters(_ customers: [Customer]) throws -> [Parameter] {
    var ids = ArrayBuilder.uuid(reserving: customers.count)
    var statuses = ArrayBuilder.text(reserving: customers.count)
    var names = ArrayBuilder.bytea(reserving: customers.count, bytesEach: 48)
    var birthDates = ArrayBuilder.bytea(reserving: customers.count, bytesEach: 40)
    var countries = ArrayBuilder.text(reserving: customers.count)
    var matches = ArrayBuilder.bool(reserving: customers.count)
    var scores = ArrayBuilder.text(reserving: customers.count)
    var limits = ArrayBuilder.text(reserving: customers.count)
    var accounts = ArrayBuilder.text(reserving: customers.count, bytesEach: 40)
    var versions = ArrayBuilder.int8(reserving: customers.count)
    var positions = ArrayBuilder.int8(reserving: customers.count)
    var standingSince = ArrayBuilder.date(reserving: customers.count)
    for customer in customers {
      ids.append(customer.id)
      statuses.append(customer.status.rawValue)
      names.append(try customer.name.sealedColumn)
      birthDates.append(try customer.dateOfBirth?.sealedColumn)
      countries.append(customer.country)
      matches.append(customer.sanctionsMatch)
      scores.append(utf8: JSONWriter.bytes { customer.scores.write(to: &$0) })
      limits.append(utf8: JSONWriter.bytes { write(customer.limits, to: &$0) })
      accounts.append(utf8: arrayLiteral(customer.accounts))
      versions.append(customer.version)
      positions.append(customer.position)
      standingSince.append(daysSince1970: customer.standingSince.daysSince1970)
    }
    return [
      ids.parameter, statuses.parameter, names.parameter, birthDates.parameter, countries.parameter, matches.parameter,
      scores.parameter, limits.parameter, accounts.parameter, versions.parameter, positions.parameter,
      standingSince.parameter,
    ]
  }

  /// Arrays of different lengths can't be elements of an array, so each goes as its text: `{id,id}`.
  private static func arrayLiteral(_ ids: [AccountID]) -> [UInt8] {
    var text: [UInt8] = [UInt8(ascii: "{")]
    text.reserveCapacity(ids.count * (Identifier.textLength + 1) + 2)
    for (index, id) in ids.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      id.write(to: &text)
    }
    text.append(UInt8(ascii: "}"))
    return text
  }

  /// By currency, then kind.
  private static func limits(_ value: JSONValue) throws -> [Currency: Limits] {
    var limits: [Currency: Limits] = [:]
    for (code, value) in try value.object() {
      guard let currency = Currency(code) else { throw value.fault("is of no known currency") }
      limits[currency] = try Limits(row: value)
    }
    return limits
  }

  private static func write(_ limits: [Currency: Limits], to json: inout JSONWriter) {
    json.beginObject()
    for (currency, limits) in limits.sorted(by: { $0.key < $1.key }) {
      json.key(currency.code)
      limits.write(to: &json)
    }
    json.endObject()
  }
}
