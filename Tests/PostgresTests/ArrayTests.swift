import Postgres
import Testing

extension OnAServer {
  /// Arrays as the server understands them, and as they come back.
  @Suite struct ArrayTests {
    /// One row for each element, NULLs included, of every kind of array that can be built.
    @Test(arguments: [0, 1, 2, 1000, 100_000])
    func everyKindThereAndBack(_ count: Int) async throws {
      try await Server.withSession { session throws in
        var random = Seed.generator()
        var expected: [String?] = []
        var int2 = ArrayBuilder.int2(reserving: count)
        var int4 = ArrayBuilder.int4()
        var int8 = ArrayBuilder.int8(reserving: count)
        var bool = ArrayBuilder.bool()
        var text = ArrayBuilder.text()
        var bytea = ArrayBuilder.bytea(reserving: count)
        var uuid = ArrayBuilder.uuid()
        var moment = ArrayBuilder.timestamptz(reserving: count)
        var date = ArrayBuilder.date()
        for _ in 0..<count {
          let value = Int64.random(in: 0...32_767, using: &random)
          let isNull = value % 7 == 0
          expected.append(isNull ? nil : "\(value)")
          int2.append(isNull ? nil : Int16(value))
          int4.append(isNull ? nil : Int32(value))
          int8.append(isNull ? nil : value)
          bool.append(isNull ? nil : value % 2 == 0)
          text.append(isNull ? nil : "ā\(value)")
          bytea.append(isNull ? nil : Array("\(value)".utf8))
          uuid.append(isNull ? nil : (UInt64(value), 1))
          moment.append(microsecondsSince1970: isNull ? nil : value)
          date.append(daysSince1970: isNull ? nil : Int32(value))
        }
        // The server compares them column by column, so every element is looked at on its side.
        let rows = try session.execute(
          """
          select count(*), coalesce(bool_and(case when c is null
              then num_nulls(a, b, c, d, e, f, g, h, i) = 9
              else a = c and b = c and d = (c % 2 = 0) and e = 'ā' || c and convert_from(f, 'UTF8') = c::text
                and g = (lpad(to_hex(c), 16, '0') || '0000000000000001')::uuid
                and h = 'epoch'::timestamptz + c * interval '1 microsecond' and i = date '1970-01-01' + c::int
              end), true)
          from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) as t (a, b, c, d, e, f, g, h, i)
          """,
          [
            int2.parameter, int4.parameter, int8.parameter, bool.parameter, text.parameter, bytea.parameter,
            uuid.parameter, moment.parameter, date.parameter,
          ])
        #expect(try rows.int8(0, 0) == count)
        #expect(try rows.bool(0, 1))
        let back = try session.execute("select $1", [int8.parameter])
        var elements: [String?] = []
        try back.forEachElement(0, 0, of: .int8) { bytes in
          elements.append(bytes.map { "\(Int64(bigEndian: $0.loadUnaligned(as: Int64.self)))" })
        }
        #expect(elements == expected)
      }
    }

    @Test func readers() async throws {
      try await Server.withSession { session throws in
        let rows = try session.execute(
          """
          select array[1, 2]::int4[], array[-1, 9223372036854775807]::int8[], array['', 'ā']::text[],
            array['\\x', '\\x00ff']::bytea[], array['00000000-0000-0001-0000-000000000002']::uuid[],
            '{}'::int8[], null::int8[], '[5:6]={7,8}'::int8[]
          """)
        #expect(try rows.int4Array(0, 0) == [1, 2])
        #expect(try rows.int8Array(0, 1) == [-1, .max])
        #expect(try rows.textArray(0, 2) == ["", "ā"])
        #expect(try rows.byteaArray(0, 3) == [[], [0, 0xFF]])
        #expect(try rows.uuidArray(0, 4).map { [$0.0, $0.1] } == [[1, 2]])
        #expect(try rows.int8Array(0, 5) == [])
        #expect(try rows.int8ArrayOrNil(0, 6) == nil)
        #expect(throws: PostgresError.self) { try rows.int8Array(0, 6) }
        #expect(try rows.int8Array(0, 7) == [7, 8])
      }
    }
  }
}
