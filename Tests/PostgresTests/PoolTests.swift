import LocalStack
import Postgres
import Synchronization
import Testing

extension OnAServer {
  @Suite struct PoolTests {
    private func pool(
      _ name: String, size: Int = 4, waiting: Int = 1024, timeout: Duration = .seconds(20),
      askAfterIdle: Duration = .seconds(30)
    ) throws -> Pool {
      var configuration = try Server.configuration()
      configuration.applicationName = name
      return Pool(
        Pool.Configuration(
          connection: configuration, maximumSize: size, maximumWaiting: waiting, acquisitionTimeout: timeout,
          askAfterIdle: askAfterIdle))
    }

    /// Size, idle, lent, opening, waiting.
    private func counts(_ pool: Pool) -> [Int] {
      let stats = pool.stats
      return [stats.size, stats.idle, stats.lent, stats.opening, stats.waiting]
    }

    @Test func growsAsItIsNeededAndNoFurther() async throws {
      let pool = try pool("grows")
      #expect(pool.stats.size == 0)
      for _ in 0..<10 { _ = try await pool.run { try $0.execute("select 1").count } }
      #expect(counts(pool) == [1, 1, 0, 0, 0])
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<300 { group.addTask { try await pool.run { try $0.simple("select pg_sleep(0.001)") } } }
        try await group.waitForAll()
      }
      #expect(pool.stats.size <= 4)
      #expect(pool.stats.lent == 0)
      #expect(try await Server.sessions(named: "grows") <= 4)
      await pool.shutdown()
      try await eventually { try await Server.sessions(named: "grows") == 0 }
    }

    @Test func hundredsOfTasksLoseNothing() async throws {
      let pool = try pool("hundreds", size: 6)
      try await pool.run { try $0.simple("create table counted (id int8 primary key, n int8)") }
      _ = try await pool.run { try $0.execute("insert into counted select generate_series(0, 9), 0").affected }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<400 as Range<Int64> {
          group.addTask {
            try await pool.run { session in
              try session.transaction {
                try session.execute("update counted set n = n + 1 where id = $1", [.int8(task % 10)])
              }
            }
          }
        }
        try await group.waitForAll()
      }
      let sum = try await pool.run { try $0.execute("select sum(n)::int8 from counted").int8(0, 0) }
      #expect(sum == 400)
      try await pool.run { try $0.simple("drop table counted") }
      await pool.shutdown()
    }

    @Test func whoComesTooManyIsRefusedAtOnce() async throws {
      let pool = try pool("exhausted", size: 1, waiting: 2, timeout: .seconds(2))
      try await pool.withConnection { held in
        let waiters = (0..<2).map { _ in Task { try await pool.run { _ in } } }
        try await eventually { pool.stats.waiting == 2 }
        let error = await #expect(throws: PostgresError.self) { try await pool.run { _ in } }
        #expect(error?.kind == .poolExhausted)
        #expect(error?.isRetryable == true)
        // Nor do those that may wait do so for ever.
        for waiter in waiters {
          let late = await #expect(throws: PostgresError.self) { try await waiter.value }
          #expect(late?.kind == .poolExhausted)
        }
        #expect(pool.stats.waiting == 0)
        try await held.execute("select 1")
      }
      _ = try await pool.run { try $0.execute("select 1").count }
      await pool.shutdown()
    }

    @Test func whoIsCancelledStopsWaiting() async throws {
      let pool = try pool("cancelled", size: 1)
      try await pool.withConnection { _ in
        let waiters = (0..<50).map { _ in Task { try await pool.run { _ in } } }
        try await eventually { pool.stats.waiting == 50 }
        for waiter in waiters { waiter.cancel() }
        for waiter in waiters {
          let error = await #expect(throws: PostgresError.self) { try await waiter.value }
          #expect(error?.kind == .cancelled)
        }
        #expect(pool.stats.waiting == 0)
      }
      let late = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        try await pool.run { _ in }
      }
      await #expect(throws: PostgresError.self) { try await late.value }
      #expect(counts(pool) == [1, 1, 0, 0, 0])
      await pool.shutdown()
    }

    /// Tasks that are cancelled at any moment leave neither a connection lent nor a transaction open.
    @Test func nothingLeaksWhateverIsCancelled() async throws {
      let pool = try pool("leaks", size: 3)
      var random = Seed.generator()
      for _ in 0..<20 {
        let tasks = (0..<20).map { _ in
          Task {
            try await pool.run { session in
              try session.transaction { try session.simple("select pg_sleep(0.002)") }
            }
          }
        }
        try await Task.sleep(for: .microseconds(Int.random(in: 0...8000, using: &random)))
        for task in tasks { task.cancel() }
        for task in tasks { _ = await task.result }
      }
      let stats = pool.stats
      #expect(stats.lent == 0)
      #expect(stats.waiting == 0)
      for _ in 0..<10 { #expect(try await pool.run { $0.transactionStatus } == .idle) }
      await pool.shutdown()
      try await eventually { try await Server.sessions(named: "leaks") == 0 }
    }

    @Test func aTransactionLeftOpenIsRolledBack() async throws {
      let pool = try pool("left open", size: 1)
      try await pool.run { try $0.simple("begin; create table left_open ()") }
      #expect(try await pool.run { $0.transactionStatus } == .idle)
      await #expect(throws: PostgresError.self) { try await pool.run { try $0.simple("table left_open") } }
      await #expect(throws: NeverCameTrue.self) {
        try await pool.withConnection { connection in
          try await connection.run { try $0.simple("begin") }
          throw NeverCameTrue()
        }
      }
      #expect(try await pool.run { $0.transactionStatus } == .idle)
      #expect(try await pool.run { $0.deadline == nil })
      await pool.shutdown()
    }

    @Test func aConnectionThatWasEndedWhileIdleIsReplacedUnnoticed() async throws {
      let pool = try pool("replaced", size: 2)
      for _ in 0..<20 {
        let pid = try await pool.run { $0.backendPID }
        _ = try await Server.withConnection { observer in
          try await observer.execute("select pg_terminate_backend(\(pid), 10000)")
        }
        #expect(try await pool.run { try $0.execute("select 1::int8").int8(0, 0) } == 1)
      }
      await pool.shutdown()
    }

    @Test func aFrozenIdleConnectionIsFoundOutByAsking() async throws {
      let pool = try pool("frozen", size: 2, askAfterIdle: .zero)
      let pid = try await pool.run { $0.backendPID }
      try await whileStopped(pid) {
        let other = try await pool.run { $0.backendPID }
        #expect(other != pid)
      }
      await pool.shutdown()
    }

    @Test func aBackendTerminatedMidQueryIsAnErrorAndThenReplaced() async throws {
      let pool = try pool("terminated", size: 1)
      let pid = try await pool.run { $0.backendPID }
      let query = Task { try await pool.run { try $0.simple("select pg_sleep(600)") } }
      try await Server.waitUntilActive(pid)
      _ = try await Server.withConnection { try await $0.execute("select pg_terminate_backend(\(pid))") }
      let error = await #expect(throws: PostgresError.self) { try await query.value }
      #expect(error?.kind == .connectionLost)
      #expect(error?.sqlState == "57P01")
      #expect(error?.isFatal == true)
      #expect(error?.isOutcomeUnknown == true)
      #expect(error?.isRetryable == true)
      #expect(try await pool.run { $0.backendPID } != pid)
      await pool.shutdown()
    }

    @Test func afterAShutdownNobodyIsServed() async throws {
      let pool = try pool("shut down", size: 1)
      let isReleased = Mutex(false)
      let holder = Task {
        try await pool.withConnection { connection in
          try await eventually { isReleased.withLock { $0 } }
          _ = try await connection.execute("select 1")
        }
      }
      try await eventually { pool.stats.lent == 1 }
      async let shutdown: Void = pool.shutdown()
      try await eventually {
        do {
          try await pool.run { _ in }
          return false
        } catch let error as PostgresError {
          return error.kind == .poolShutDown
        }
      }
      isReleased.withLock { $0 = true }
      try await holder.value
      await shutdown
      await pool.shutdown()
      #expect(pool.stats.size == 0)
    }
  }
}
