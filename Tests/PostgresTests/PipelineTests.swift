import Postgres
import Testing

extension OnAServer {
  @Suite struct PipelineTests {
    @Test func outcomesComeInOrder() async throws {
      try await Server.withSession { session throws in
        let statement = try session.prepare("select $1::int8 * 2", types: [.int8])
        let outcomes = try session.pipeline { pipeline in
          for number in 0..<100 { try pipeline.execute(statement, [.int8(Int64(number))]) }
          try pipeline.execute("select $1::text", [.text("prepared on the way")])
          try pipeline.execute("select $1::text", [.text("once")])
          #expect(pipeline.count == 102)
        }
        #expect(try outcomes.prefix(100).map { try $0.get().int8(0, 0) } == (0..<100).map { $0 * 2 })
        #expect(try outcomes[100].get().text(0, 0) == "prepared on the way")
        #expect(try outcomes[101].get().text(0, 0) == "once")
        #expect(try session.pipeline { _ in }.isEmpty)
        #expect(session.transactionStatus == .idle)
      }
    }

    /// Eight megabytes each way, far beyond what the sockets' buffers hold: whoever only writes would wait for ever.
    @Test func neitherSideBlocksTheOther() async throws {
      try await Server.withSession(queryTimeout: .seconds(30)) { session throws in
        let big = [UInt8](repeating: 0xA5, count: 64 * 1024)
        let outcomes = try session.pipeline { pipeline in
          for _ in 0..<128 { try pipeline.execute("select $1::bytea", [.bytea(big)]) }
        }
        #expect(outcomes.count == 128)
        for outcome in outcomes { #expect(try outcome.get().bytes(0, 0) == big) }
        let huge = [UInt8](repeating: 1, count: 8 << 20)
        #expect(try session.execute("select $1", [.bytea(huge)]).bytes(0, 0) == huge)
      }
    }

    @Test func aFailureStopsWhatFollowsAndNothingElse() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8)")
        let outcomes = try session.pipeline { pipeline in
          try pipeline.execute("insert into t values ($1)", [.int8(1)])
          try pipeline.execute("select 1 / $1", [.int8(0)])
          try pipeline.execute("insert into t values ($1)", [.int8(2)])
          try pipeline.execute("select never_prepared")
        }
        #expect(try outcomes[0].get().affected == 1)
        #expect(kinds(outcomes) == [nil, .server, .pipelineAborted, .pipelineAborted])
        #expect(sqlState(outcomes[1]) == "22012")
        #expect(session.transactionStatus == .idle)
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 0, "one transaction, so none of it")
        // What was never prepared on the server isn't taken for prepared.
        let again = #expect(throws: PostgresError.self) { try session.execute("select never_prepared") }
        #expect(again?.sqlState == "42703")
      }
    }

    @Test func aStatementThatCannotBePreparedHasItsOwnError() async throws {
      try await Server.withSession { session throws in
        let outcomes = try session.pipeline { pipeline in
          try pipeline.execute("select 1")
          try pipeline.execute("no sql at all")
          try pipeline.execute("select 2")
        }
        #expect(kinds(outcomes) == [nil, .server, .pipelineAborted])
        #expect(sqlState(outcomes[1]) == "42601")
        #expect(throws: PostgresError.self) { try session.execute("no sql at all") }
        #expect(try session.execute("select 2::int8").int8(0, 0) == 2)
      }
    }

    @Test func nothingOfAnAbandonedPipelineIsCommitted() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8)")
        #expect(throws: NeverCameTrue.self) {
          _ = try session.pipeline { pipeline in
            for number in 0..<1000 as Range<Int64> {
              try pipeline.execute("insert into t values ($1)", [.int8(number)])
            }
            throw NeverCameTrue()
          }
        }
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 0)
        let refused = #expect(throws: PostgresError.self) {
          _ = try session.pipeline { pipeline in
            try pipeline.execute("insert into t values ($1)", [.int8(1)])
            try pipeline.execute("select $1", [.text("\0")])
          }
        }
        #expect(refused?.kind == .encoding)
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 0)
      }
    }

    @Test func aWholeTransactionInOneRoundTrip() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8)")
        let outcomes = try session.pipeline { pipeline in
          try pipeline.execute("begin")
          try pipeline.execute("insert into t values (1)")
          try pipeline.execute("commit")
        }
        #expect(kinds(outcomes) == [nil, nil, nil])
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 1)
        try session.simple("begin")
        #expect(throws: PostgresError.self) { try session.simple("select 1/0") }
        let commit = try session.pipeline { try $0.execute("commit") }
        #expect(sqlState(commit[0]) == "25P02")
      }
    }

    @Test func copyInAPipelineLosesTheSessionAndSaysSo() async throws {
      try await Server.withSession { session throws in
        let error = #expect(throws: PostgresError.self) {
          _ = try session.pipeline { try $0.execute("copy (select 1) to stdout") }
        }
        #expect(error?.isFatal == true)
        #expect(session.isBroken)
      }
    }

    private func kinds(_ outcomes: [Result<Rows, PostgresError>]) -> [PostgresError.Kind?] {
      outcomes.map { if case .failure(let error) = $0 { error.kind } else { nil } }
    }

    private func sqlState(_ outcome: Result<Rows, PostgresError>) -> String? {
      if case .failure(let error) = outcome { error.sqlState } else { nil }
    }
  }
}
