import Glibc
import LocalStack
import Postgres
import Testing

/// Tests that stop and start their server: it is theirs alone, and they take turns.
@Suite(.cluster, .serialized) struct RestartTests {
  private func pool() throws -> Pool {
    Pool(Pool.Configuration(connection: try Server.configuration(), maximumSize: 4, acquisitionTimeout: .seconds(20)))
  }

  @Test(arguments: [PostgresCluster.StopMode.fast, .immediate])
  func aPoolOutlivesARestart(_ mode: PostgresCluster.StopMode) async throws {
    let cluster = try #require(Server.cluster)
    let pool = try pool()
    let busy = (0..<4).map { _ in Task { try await pool.run { try $0.simple("select pg_sleep(600)") } } }
    try await Server.withConnection { observer in
      try await eventually {
        try await observer.query("select count(*) from pg_stat_activity where query like '%pg_sleep(6%'") {
          try $0.int8(0, 0)
        } >= 5
      }
    }
    await cluster.stop(mode)
    for task in busy {
      let error = await #expect(throws: PostgresError.self) { try await task.value }
      #expect(error?.isFatal == true)
      #expect(error?.isRetryable == true)
    }
    let down = await #expect(throws: PostgresError.self) { try await pool.run { try $0.simple("select 1") } }
    #expect(down?.kind == .connectFailed)
    try await cluster.start()
    for _ in 0..<20 { #expect(try await pool.run { try $0.execute("select 1::int8").int8(0, 0) } == 1) }
    #expect(pool.stats.size <= 4)
    await pool.shutdown()
  }

  @Test func aTransactionThatTheServerDidNotSurviveIsLost() async throws {
    let cluster = try #require(Server.cluster)
    let connection = try await Connection.connect(Server.configuration(queryTimeout: .seconds(2)))
    try await connection.run { try $0.simple("begin; create table lost ()") }
    try await cluster.restart(.immediate)
    for attempt in 0..<2 {
      let error = await #expect(throws: PostgresError.self) { try await connection.execute("commit") }
      #expect(error?.kind == .connectionLost)
      #expect(error?.isOutcomeUnknown == (attempt == 0), "only what was sent may have taken effect")
    }
    #expect(await connection.isBroken)
  }

  /// The backend lives, the postmaster doesn't react: the request to cancel hangs on its way, and nobody waits for it.
  @Test func aFrozenPostmasterDoesNotKeepACancelWaiting() async throws {
    let cluster = try #require(Server.cluster)
    let pid = try #require(await cluster.pid)
    let connection = try await Connection.connect(Server.configuration(cancelGrace: .milliseconds(150)))
    let backend = try await connection.run { $0.backendPID }
    let sleeper = Task { try await connection.execute("select pg_sleep(600)") }
    try await Server.waitUntilActive(backend)
    await whileStopped(pid) {
      let waited = await duration {
        sleeper.cancel()
        let error = await #expect(throws: PostgresError.self) { try await sleeper.value }
        #expect(error?.kind == .cancelled)
        #expect(error?.isFatal == true)
      }
      #expect(waited < .seconds(2))
    }
  }
}
