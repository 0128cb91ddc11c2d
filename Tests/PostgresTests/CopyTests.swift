import Postgres
import Testing

extension OnAServer {
  @Suite struct CopyTests {
    @Test func textBothWays() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8, b text)")
        let taken = try session.copyIn("copy t from stdin") { writer in
          for number in 0..<100_000 { try writer.write("\(number)\tline \(number)\n") }
        }
        #expect(taken == 100_000)
        var lines = 0
        var bytes: [UInt8] = []
        try session.copyOut("copy (select * from t order by a) to stdout") { chunk in
          lines += 1
          if lines <= 2 { bytes.append(contentsOf: chunk) }
        }
        #expect(lines == 100_000)
        #expect(String(decoding: bytes, as: UTF8.self) == "0\tline 0\n1\tline 1\n")
      }
    }

    @Test func binaryBothWays() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8, b text, c bytea, d uuid, e timestamptz)")
        let columns = "(format binary)"
        let taken = try session.copyIn("copy t from stdin \(columns)") { writer in
          for number in 0..<5000 as Range<Int64> {
            try writer.row(columns: 5)
            try writer.field(.int8(number))
            try writer.field(number % 3 == 0 ? .text(nil) : .text("ā\(number)"))
            try writer.field(.bytea([UInt8](repeating: 9, count: Int(number % 100))))
            try writer.field(.uuid(UInt64(number), 7))
            try writer.field(.timestamptz(microsecondsSince1970: number))
          }
        }
        #expect(taken == 5000)
        var copied: [UInt8] = []
        try session.copyOut("copy t to stdout \(columns)") { copied.append(contentsOf: $0) }
        #expect(Array(copied.prefix(6)) == Array("PGCOPY".utf8))
        try session.simple("create temporary table u (like t)")
        #expect(try session.copyIn("copy u from stdin \(columns)") { try $0.write(copied) } == 5000)
        let differing = try session.execute("select count(*) from (table t except table u) as x")
        #expect(try differing.int8(0, 0) == 0)
        let sums = try session.execute("select sum(length(c))::int8, count(b), max(e) from u")
        #expect(try sums.int8(0, 0) == 5000 / 100 * 99 * 100 / 2)
        #expect(try sums.int8(0, 1) == 5000 - 1667)
        #expect(try sums.timestamptz(0, 2) == 4999)
      }
    }

    @Test func anEmptyCopy() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8)")
        #expect(try session.copyIn("copy t from stdin") { _ in } == 0)
        try session.copyOut("copy t to stdout") { _ in Issue.record("there is nothing to copy") }
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 0)
      }
    }

    @Test func whatTheWriterThrowsUndoesTheCopy() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8)")
        #expect(throws: NeverCameTrue.self) {
          try session.copyIn("copy t from stdin") { writer in
            for number in 0..<50_000 { try writer.write("\(number)\n") }
            throw NeverCameTrue()
          }
        }
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 0)
        #expect(session.transactionStatus == .idle)
      }
    }

    @Test func whatTheServerRefusesIsItsError() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8)")
        // A megabyte after the line that is wrong: the server has given up on it long before.
        let error = #expect(throws: PostgresError.self) {
          try session.copyIn("copy t from stdin") { writer in
            try writer.write("x\n")
            for number in 0..<200_000 { try writer.write("\(number)\n") }
          }
        }
        #expect(error?.sqlState == "22P02")
        let unknown = #expect(throws: PostgresError.self) { try session.copyIn("copy nothing from stdin") { _ in } }
        #expect(unknown?.sqlState == "42P01")
        let gone = #expect(throws: PostgresError.self) { try session.copyOut("copy nothing to stdout") { _ in } }
        #expect(gone?.sqlState == "42P01")
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 0)
      }
    }

    @Test func rowsThatDoNotAddUpAreRefused() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8, b int8)")
        let sql = "copy t from stdin (format binary)"
        let missing = #expect(throws: PostgresError.self) {
          try session.copyIn(sql) { writer in
            try writer.row(columns: 2)
            try writer.field(.int8(1))
          }
        }
        #expect(missing?.kind == .misuse)
        #expect(throws: PostgresError.self) { try session.copyIn(sql) { try $0.field(.int8(1)) } }
        #expect(throws: PostgresError.self) { try session.copyIn(sql) { try $0.row(columns: -1) } }
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 0)
      }
    }

    @Test func whatTheReaderThrowsStopsTheCopy() async throws {
      try await Server.withSession { session throws in
        var chunks = 0
        #expect(throws: NeverCameTrue.self) {
          try session.copyOut("copy (select generate_series(1, 100000000)) to stdout") { _ in
            chunks += 1
            if chunks == 10 { throw NeverCameTrue() }
          }
        }
        #expect(chunks == 10)
        #expect(try session.execute("select 1::int8").int8(0, 0) == 1, "the session is usable")
      }
    }

    /// What `insert … select unnest` takes, a COPY takes too: the same arrays, row by row.
    @Test func columnsAsArrays() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8, b text, c bytea, d uuid, e date)")
        var (a, b, c) = (ArrayBuilder.int8(), ArrayBuilder.text(), ArrayBuilder.bytea())
        var (d, e) = (ArrayBuilder.uuid(), ArrayBuilder.date())
        for number in 0..<20_000 as Range<Int64> {
          a.append(number)
          b.append(number % 3 == 0 ? nil : "ā\(number)")
          c.append([UInt8](repeating: 9, count: Int(number % 100)))
          d.append(UInt64(number), 7)
          e.append(daysSince1970: number % 7 == 0 ? nil : Int32(number))
        }
        let columns = [a.parameter, b.parameter, c.parameter, d.parameter, e.parameter]
        let named = Array(zip(["a", "b", "c", "d", "e"], columns)).map { (name: $0.0, values: $0.1) }
        #expect(try session.copyIn(into: "t", named) == 20_000)
        let differing = try session.execute(
          """
          select count(*) from (table t except all select unnest($1::int8[]), unnest($2::text[]), unnest($3::bytea[]),
            unnest($4::uuid[]), unnest($5::date[])) as x
          """, columns)
        #expect(try differing.int8(0, 0) == 0)
        #expect(try session.copyIn(into: "t", [("a", ArrayBuilder.int8().parameter)]) == 0)
      }
    }

    @Test func columnsOfDifferentLengthsAreRefused() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8, b text)")
        var (a, b) = (ArrayBuilder.int8(), ArrayBuilder.text())
        a.append(1)
        let short = #expect(throws: PostgresError.self) {
          try session.copyIn(into: "t", [("a", a.parameter), ("b", b.parameter)])
        }
        #expect(short?.kind == .misuse)
        b.append("\0")
        let nul = #expect(throws: PostgresError.self) {
          try session.copyIn(into: "t", [("a", a.parameter), ("b", b.parameter)])
        }
        #expect(nul?.kind == .encoding)
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 0)
      }
    }

    @Test func copyInTheWrongPlaceIsRefused() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8)")
        for sql in ["copy t from stdin", "copy (select generate_series(1, 100000)) to stdout"] {
          let error = #expect(throws: PostgresError.self) { try session.simple(sql) }
          #expect(error?.kind == .misuse)
          #expect(throws: PostgresError.self) { try session.execute(sql) }
        }
        #expect(throws: PostgresError.self) { try session.copyIn("select 1") { _ in } }
        #expect(throws: PostgresError.self) { try session.copyIn("copy t to stdout") { _ in } }
        #expect(throws: PostgresError.self) { try session.copyOut("copy t from stdin") { _ in } }
        #expect(throws: PostgresError.self) { try session.copyOut("select 1") { _ in } }
        #expect(try session.execute("select 1::int8").int8(0, 0) == 1)
      }
    }
  }
}
