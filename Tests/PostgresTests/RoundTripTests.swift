import Postgres
import Testing

extension OnAServer {
  /// Every type there and back, and what its reader makes of what isn't of it.
  @Suite struct RoundTripTests {
    @Test func integers() async throws {
      try await Server.withSession { session throws in
        for value in [Int16.min, -1, 0, 1, .max] {
          #expect(try session.execute("select $1", [.int2(value)]).int2(0, 0) == value)
        }
        for value in [Int32.min, -1, 0, 1, .max] {
          #expect(try session.execute("select $1", [.int4(value)]).int4(0, 0) == value)
        }
        for value in [Int64.min, -1, 0, 1, .max] {
          #expect(try session.execute("select $1", [.int8(value)]).int8(0, 0) == value)
        }
      }
    }

    @Test func otherScalars() async throws {
      try await Server.withSession { session throws in
        for value in [true, false] { #expect(try session.execute("select $1", [.bool(value)]).bool(0, 0) == value) }
        for value in [0, -0.1, .infinity, .leastNonzeroMagnitude] as [Double] {
          #expect(try session.execute("select $1", [.float8(value)]).float8(0, 0) == value)
        }
        for value in ["", "Te Whare Wānanga", "'; drop table x; --", String(repeating: "ā", count: 100_000)] {
          #expect(try session.execute("select $1", [.text(value)]).text(0, 0) == value)
          #expect(try session.execute("select $1", [.text(utf8: Array(value.utf8))]).text(0, 0) == value)
        }
        for value in [[], [0], (0...255).map { UInt8($0) }] as [[UInt8]] {
          #expect(try session.execute("select $1", [.bytea(value)]).bytes(0, 0) == value)
        }
        let uuid = try session.execute("select $1, $1::text", [.uuid(0x0123_4567_89AB_CDEF, .max)])
        #expect(try uuid.uuid(0, 0) == (0x0123_4567_89AB_CDEF, .max))
        #expect(try uuid.text(0, 1) == "01234567-89ab-cdef-ffff-ffffffffffff")
        let json = try session.execute("select $1, ($1->>'a')::int8", [.jsonb(#"{"a": 7}"#)])
        #expect(try json.text(0, 0) == #"{"a": 7}"#)
        #expect(try json.int8(0, 1) == 7)
      }
    }

    @Test func moments() async throws {
      try await Server.withSession(settings: ["TimeZone": "Pacific/Auckland"]) { session throws in
        for value in [0, -1, 946_684_800_000_000, 1_790_000_000_000_001, -62_135_596_800_000_000] as [Int64] {
          let rows = try session.execute(
            "select $1, (extract(epoch from $1) * 1000000)::int8", [.timestamptz(microsecondsSince1970: value)])
          #expect(try rows.timestamptz(0, 0) == value)
          #expect(try rows.int8(0, 1) == value)
        }
        for value in [0, -1, 10_957, 20_000, -719_162] as [Int32] {
          let rows = try session.execute("select $1, $1 - date '1970-01-01'", [.date(daysSince1970: value)])
          #expect(try rows.date(0, 0) == value)
          #expect(try rows.int4(0, 1) == value)
        }
        let infinite = try session.execute("select timestamptz 'infinity', timestamptz '-infinity', date 'infinity'")
        #expect(throws: PostgresError.self) { try infinite.timestamptz(0, 0) }
        #expect(throws: PostgresError.self) { try infinite.timestamptz(0, 1) }
        #expect(throws: PostgresError.self) { try infinite.date(0, 2) }
      }
    }

    @Test func nulls() async throws {
      try await Server.withSession { session throws in
        let rows = try session.execute(
          "select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text",
          [
            .int2(nil), .int4(nil), .int8(nil), .bool(nil), .float8(nil), .text(nil), .bytea(nil), .uuid(nil),
            .timestamptz(microsecondsSince1970: nil), .date(daysSince1970: nil), .null,
          ])
        #expect(try (0..<11).allSatisfy { try rows.isNull(0, $0) })
        #expect(try rows.int2OrNil(0, 0) == nil)
        #expect(try rows.int4OrNil(0, 1) == nil)
        #expect(try rows.int8OrNil(0, 2) == nil)
        #expect(try rows.boolOrNil(0, 3) == nil)
        #expect(try rows.float8OrNil(0, 4) == nil)
        #expect(try rows.textOrNil(0, 5) == nil)
        #expect(try rows.bytesOrNil(0, 6) == nil)
        #expect(try rows.uuidOrNil(0, 7) == nil)
        #expect(try rows.timestamptzOrNil(0, 8) == nil)
        #expect(try rows.dateOrNil(0, 9) == nil)
        let error = #expect(throws: PostgresError.self) { try rows.int8(0, 2) }
        #expect(error?.kind == .decoding)
        #expect(throws: PostgresError.self) { try rows.withBytes(0, 2) { $0.count } }
      }
    }

    @Test func aResultDescribesItself() async throws {
      try await Server.withSession { session throws in
        let rows = try session.execute("select 1::int8 as one, 'x'::text as two from generate_series(1, 3)")
        #expect(rows.columns.map(\.name) == ["one", "two"])
        #expect(rows.columns.map(\.type) == [.int8, .text])
        #expect(rows.count == 3)
        #expect(rows.affected == 3)
        #expect(rows.commandTag == "SELECT 3")
        try session.execute("create temporary table t (a int8)")
        #expect(try session.execute("insert into t select generate_series(1, 5)").affected == 5)
        #expect(try session.execute("delete from t where a > 1").affected == 4)
        #expect(try session.execute("").count == 0)
      }
    }

    @Test func wrongReadersThrowAndDoNotTrap() async throws {
      try await Server.withSession { session throws in
        let rows = try session.execute("select 1::int4, 'x'::text, array[[1::int8, 2], [3, 4]], array[1::int8, null]")
        for (row, column) in [(1, 0), (-1, 0), (0, 4), (0, -1), (.max, .max), (.min, 0)] {
          #expect(throws: PostgresError.self) { try rows.int4(row, column) }
        }
        #expect(throws: PostgresError.self) { try rows.int8(0, 0) }
        #expect(throws: PostgresError.self) { try rows.text(0, 0) }
        #expect(throws: PostgresError.self) { try rows.bytes(0, 1) }
        #expect(throws: PostgresError.self) { try rows.uuid(0, 1) }
        #expect(throws: PostgresError.self) { try rows.int8Array(0, 0) }
        #expect(throws: PostgresError.self) { try rows.int8Array(0, 1) }
        #expect(throws: PostgresError.self) { try rows.int8Array(0, 2) }
        #expect(throws: PostgresError.self) { try rows.int8Array(0, 3) }
        #expect(throws: PostgresError.self) { try rows.int4Array(0, 3) }
        let none = try session.execute("select 1::int8 where false")
        #expect(throws: PostgresError.self) { try none.int8(0, 0) }
      }
    }

    @Test func enumsAndDomainsReadAsText() async throws {
      try await Server.withSession { session throws in
        try session.simple(
          "create type pg_temp.mood as enum ('calm'); create domain pg_temp.word as text check (value <> '')")
        let rows = try session.execute("select 'calm'::pg_temp.mood, 'x'::pg_temp.word, 'n'::name, 'v'::varchar(9)")
        #expect(try (0..<4).map { try rows.text(0, $0) } == ["calm", "x", "n", "v"])
      }
    }

    @Test func aTextWithNULIsRefusedBeforeItIsSent() async throws {
      try await Server.withSession { session throws in
        try session.transaction {
          let error = #expect(throws: PostgresError.self) { try session.execute("select $1", [.text("a\0b")]) }
          #expect(error?.kind == .encoding)
          #expect(session.transactionStatus == .inTransaction, "the transaction is none the worse for it")
          var texts = ArrayBuilder.text()
          texts.append("a\0b")
          #expect(throws: PostgresError.self) { try session.execute("select $1", [texts.parameter]) }
          #expect(throws: PostgresError.self) { try session.simple("select 'a\0b'") }
          #expect(throws: PostgresError.self) { try session.execute("select 'a\0b'") }
          let rows = try session.execute("select 1::int8")
          #expect(try rows.int8(0, 0) == 1)
        }
      }
    }
  }
}
