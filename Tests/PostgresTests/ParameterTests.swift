import Postgres
import Testing

/// The binary forms, byte for byte, without a server.
@Suite struct ParameterTests {
  struct Case: CustomTestStringConvertible {
    let testDescription: String
    let parameter: Parameter
    let type: OID
    let bytes: [UInt8]?

    init(_ testDescription: String, _ parameter: Parameter, _ type: OID, _ bytes: [UInt8]?) {
      self.testDescription = testDescription
      self.parameter = parameter
      self.type = type
      self.bytes = bytes
    }
  }

  static let cases: [Case] = [
    Case("int2", .int2(-2), .int2, [0xFF, 0xFE]),
    Case("int4", .int4(258), .int4, [0, 0, 1, 2]),
    Case("int8", .int8(-1), .int8, Array(repeating: 0xFF, count: 8)),
    Case("int8 NULL", .int8(nil), .int8, nil),
    Case("bool", .bool(true), .bool, [1]),
    Case("float8", .float8(1), .float8, [0x3F, 0xF0, 0, 0, 0, 0, 0, 0]),
    Case("text", .text("tō"), .text, [0x74, 0xC5, 0x8D]),
    Case("empty text", .text(""), .text, []),
    Case("jsonb", .jsonb("1"), .jsonb, [1, 0x31]),
    Case("bytea", .bytea([0, 1]), .bytea, [0, 1]),
    Case(
      "uuid", .uuid(0x0011_2233_4455_6677, 0x8899_AABB_CCDD_EEFF), .uuid, (0..<16).map { UInt8($0 * 0x11) }),
    Case(
      "the year 2000", .timestamptz(microsecondsSince1970: 946_684_800_000_001), .timestamptz,
      [0, 0, 0, 0, 0, 0, 0, 1]),
    Case("the day before 2000", .date(daysSince1970: 10_956), .date, [0xFF, 0xFF, 0xFF, 0xFF]),
    Case("NULL", .null, .unspecified, nil),
  ]

  @Test(arguments: cases)
  func hasItsBinaryForm(_ row: Case) throws {
    #expect(try row.parameter.bytes() == row.bytes)
    #expect(row.parameter.type == row.type)
    #expect(row.parameter.isNull == (row.bytes == nil))
  }

  @Test(arguments: [
    Parameter.text("a\0b"), .text(utf8: [0]), .jsonb("\"\0\""), .timestamptz(microsecondsSince1970: .min),
    .timestamptz(microsecondsSince1970: .min + 946_684_800_000_000), .date(daysSince1970: .min),
  ])
  func refusesWhatPostgresCannotHold(_ parameter: Parameter) {
    #expect(throws: PostgresError.self) { try parameter.bytes() }
  }

  @Test func buildsAnArray() throws {
    var array = ArrayBuilder.int2(reserving: 1)
    array.append(5)
    array.appendNull()
    array.append(Int16?.none)
    #expect(array.count == 3)
    let header: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 21, 0, 0, 0, 3, 0, 0, 0, 1]
    let null: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]
    #expect(try array.parameter.bytes() == header + [0, 0, 0, 2, 0, 5] + null + null)
    #expect(array.parameter.type == .int2Array)
  }

  @Test func buildsAnEmptyArray() throws {
    let array = ArrayBuilder.uuid(reserving: 100)
    #expect(try array.parameter.bytes() == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0B, 0x86])
  }

  @Test func aParameterIsNotTouchedByWhatTheBuilderDoesNext() throws {
    var array = ArrayBuilder.int8(reserving: 10)
    array.append(1)
    let first = array.parameter
    let before = try first.bytes()
    array.append(2)
    array.appendNull()
    let second = array.parameter
    array.removeAll()
    array.append(9)
    #expect(try first.bytes() == before)
    #expect(try second.bytes()?.count == 20 + 12 + 12 + 4)
    #expect(try array.parameter.bytes()?.count == 20 + 12)
    #expect(try array.parameter.bytes()?[7] == 0, "no NULLs after it was emptied")
  }

  @Test func aCopyOfABuilderGoesItsOwnWay() throws {
    var one = ArrayBuilder.text()
    one.append("a")
    var other = one
    other.append("b")
    one.append("c")
    #expect(try one.parameter.bytes()?.last == UInt8(ascii: "c"))
    #expect(try other.parameter.bytes()?.last == UInt8(ascii: "b"))
  }

  @Test func growsBeyondWhatWasReserved() throws {
    var array = ArrayBuilder.bytea(reserving: 0)
    for length in 0..<1000 { array.append([UInt8](repeating: 7, count: length)) }
    #expect(try array.parameter.bytes()?.count == 20 + 1000 * 4 + 999 * 1000 / 2)
  }

  @Test func refusesABadElementWhenItIsSent() {
    var texts = ArrayBuilder.text()
    texts.append("fine")
    texts.append("a\0b")
    texts.append("fine again")
    let error = #expect(throws: PostgresError.self) { try texts.parameter.bytes() }
    #expect(error?.kind == .encoding)
    #expect(error?.message.contains("element 1") == true)
    texts.removeAll()
    texts.append("fine")
    #expect(throws: Never.self) { try texts.parameter.bytes() }

    var moments = ArrayBuilder.timestamptz()
    moments.append(microsecondsSince1970: .min)
    #expect(throws: PostgresError.self) { try moments.parameter.bytes() }
    var days = ArrayBuilder.date()
    days.append(daysSince1970: .min)
    #expect(throws: PostgresError.self) { try days.parameter.bytes() }
  }

  @Test(arguments: [
    ("commit", true), (" COMMIT ; ", true), ("commit and chain", true), ("end", true), ("End;", true),
    ("commit prepared 'x'", false), ("rollback", false), ("select 1", false), ("", false), ("endless", false),
  ])
  func knowsACommit(_ sql: String, _ isCommit: Bool) {
    #expect(Statement.isCommit(sql) == isCommit)
  }
}
