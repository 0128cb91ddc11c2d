import Ledger
import Postgres

/// How the ledger's values stand in rows.
extension Parameter {
  static func uuid(_ id: Identifier) -> Parameter { .uuid(id.high, id.low) }

  static func uuid(_ id: Identifier?) -> Parameter { .uuid(id.map { ($0.high, $0.low) }) }

  /// In order: rows near each other are found near each other.
  static func uuids(_ ids: some Collection<Identifier>) -> Parameter {
    var array = ArrayBuilder.uuid(reserving: ids.count)
    for id in ids.sorted() { array.append(id) }
    return array.parameter
  }

  static func texts(_ texts: some Collection<String>) -> Parameter {
    var array = ArrayBuilder.text(reserving: texts.count)
    for text in texts { array.append(text) }
    return array.parameter
  }

  static func moment(_ moment: Moment?) -> Parameter { .timestamptz(microsecondsSince1970: moment?.microseconds) }

  static func date(_ date: CalendarDate?) -> Parameter { .date(daysSince1970: date?.daysSince1970) }
}

extension ArrayBuilder where Element == PGUUID {
  mutating func append(_ id: Identifier) { append(id.high, id.low) }

  mutating func append(_ id: Identifier?) {
    if let id { append(id.high, id.low) } else { appendNull() }
  }
}

extension Rows {
  func identifier(_ row: Int, _ column: Int) throws -> Identifier {
    let (high, low) = try uuid(row, column)
    return Identifier(high: high, low: low)
  }

  func identifierOrNil(_ row: Int, _ column: Int) throws -> Identifier? {
    try uuidOrNil(row, column).map { Identifier(high: $0.0, low: $0.1) }
  }

  func moment(_ row: Int, _ column: Int) throws -> Moment {
    Moment(microseconds: try timestamptz(row, column))
  }

  func momentOrNil(_ row: Int, _ column: Int) throws -> Moment? {
    try timestamptzOrNil(row, column).map { Moment(microseconds: $0) }
  }

  func calendarDate(_ row: Int, _ column: Int) throws -> CalendarDate {
    CalendarDate(daysSince1970: try date(row, column))
  }

  func calendarDateOrNil(_ row: Int, _ column: Int) throws -> CalendarDate? {
    try dateOrNil(row, column).map { CalendarDate(daysSince1970: $0) }
  }

  func currency(_ row: Int, _ column: Int) throws -> Currency {
    let code = try text(row, column)
    guard let currency = Currency(code) else { throw PostgresError(.decoding, "\"\(code)\" is no currency") }
    return currency
  }

  /// One of an enumeration's raw values.
  func choice<Choice: RawRepresentable>(_ row: Int, _ column: Int, _: Choice.Type = Choice.self) throws -> Choice
  where Choice.RawValue == String {
    try choiceOrNil(row, column, Choice.self)
      .orThrow(PostgresError(.decoding, "row \(row), column \(column) is NULL"))
  }

  func choiceOrNil<Choice: RawRepresentable>(
    _ row: Int, _ column: Int, _: Choice.Type = Choice.self
  ) throws -> Choice? where Choice.RawValue == String {
    guard let text = try textOrNil(row, column) else { return nil }
    return try Choice(rawValue: text).orThrow(PostgresError(.decoding, "\"\(text)\" is no \(Choice.self)"))
  }

  func accountNumberOrNil(_ row: Int, _ column: Int) throws -> AccountNumber? {
    try textOrNil(row, column).map { try AccountNumber($0) }
  }

  /// A jsonb column, read by the same strict reader as commands.
  func json<Value>(_ row: Int, _ column: Int, _ read: (JSONValue) throws -> Value) throws -> Value {
    try read(JSONDocument(Array(text(row, column).utf8)).root)
  }

  func personalText(_ row: Int, _ column: Int, subject: Identifier) throws -> PersonalText {
    PersonalText(sealedColumn: try bytes(row, column), subject: subject)
  }

  func personalTextOrNil(_ row: Int, _ column: Int, subject: Identifier) throws -> PersonalText? {
    try bytesOrNil(row, column).map { PersonalText(sealedColumn: $0, subject: subject) }
  }
}

extension Optional {
  func orThrow(_ error: @autoclosure () -> any Error) throws -> Wrapped {
    guard let self else { throw error() }
    return self
  }
}

/// Personal text was about to be written to a table in clear. The state holds what was recorded, which is sealed.
struct UnsealedText: Error {}

extension PersonalText {
  /// A sealed text is never empty, so an empty column is one whose subject's key is gone.
  init(sealedColumn bytes: [UInt8], subject: Identifier) {
    self.init(subject: subject, content: bytes.isEmpty ? .erased : .sealed(bytes))
  }

  /// What stands in a column of type bytea; the subject is known from the row.
  var sealedColumn: [UInt8] {
    get throws {
      switch content {
      case .sealed(let bytes): bytes
      case .erased: []
      case .clear: throw UnsealedText()
      }
    }
  }
}
