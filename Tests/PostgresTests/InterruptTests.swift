import Glibc
import Postgres
import Testing

extension OnAServer {
  /// Cancelling and deadlines, with a server that reacts and one that doesn't.
  @Suite struct InterruptTests {
    @Test func cancellingATaskEndsItsStatementAtOnce() async throws {
      try await Server.withConnection { connection in
        let pid = try await connection.run { $0.backendPID }
        // The fastest of ten: whatever else the machine does, at once is at once.
        var fastest = Duration.seconds(600)
        for _ in 0..<10 {
          let sleeper = Task { try await connection.execute("select pg_sleep(600)") }
          try await Server.waitUntilActive(pid)
          let waited = await duration {
            sleeper.cancel()
            let error = await #expect(throws: PostgresError.self) { try await sleeper.value }
            #expect(error?.kind == .cancelled)
            #expect(error?.isFatal == false)
          }
          fastest = min(fastest, waited)
        }
        #expect(fastest < .milliseconds(200))
        #expect(try await connection.run { $0.backendPID } == pid, "the session goes on")
        #expect(try await connection.query("select 1::int8") { try $0.int8(0, 0) } == 1)
      }
    }

    @Test func aServerThatIsFrozenDoesNotKeepACancelWaiting() async throws {
      try await Server.withConnection(cancelGrace: .milliseconds(150)) { connection in
        let pid = try await connection.run { $0.backendPID }
        let sleeper = Task { try await connection.execute("select pg_sleep(600)") }
        try await Server.waitUntilActive(pid)
        await whileStopped(pid) {
          let waited = await duration {
            sleeper.cancel()
            let error = await #expect(throws: PostgresError.self) { try await sleeper.value }
            #expect(error?.kind == .cancelled)
            #expect(error?.isFatal == true)
            #expect(error?.isOutcomeUnknown == true)
          }
          #expect(waited < .seconds(2), "150 ms of grace, on a machine that may be busy")
          #expect(await connection.isBroken)
          let next = await #expect(throws: PostgresError.self) { try await connection.execute("select 1") }
          #expect(next?.kind == .connectionLost)
        }
      }
    }

    @Test func aFrozenBackendIsFoundOutByTheQueryTimeout() async throws {
      try await Server.withConnection(queryTimeout: .milliseconds(300), cancelGrace: .milliseconds(150)) { connection in
        let pid = try await connection.run { $0.backendPID }
        await whileStopped(pid) {
          let waited = await duration {
            let error = await #expect(throws: PostgresError.self) { try await connection.execute("select 1") }
            #expect(error?.kind == .timeout)
            #expect(error?.isFatal == true)
            #expect(error?.isRetryable == true)
          }
          #expect(waited > .milliseconds(300))
          #expect(waited < .seconds(3))
        }
      }
    }

    /// Thirty megabytes that the server doesn't take: the wait is for room to write, not for an answer.
    @Test func aFrozenBackendIsFoundOutWhileSending() async throws {
      try await Server.withConnection(queryTimeout: .milliseconds(300), cancelGrace: .milliseconds(150)) { connection in
        let pid = try await connection.run { $0.backendPID }
        await whileStopped(pid) {
          let big = [UInt8](repeating: 0, count: 1 << 20)
          for attempt in 0..<2 {
            let error = await #expect(throws: PostgresError.self) {
              try await connection.run { session in
                _ = try session.pipeline { pipeline in
                  for _ in 0..<30 { try pipeline.execute("select length($1)", [.bytea(big)]) }
                }
              }
            }
            #expect(error?.kind == (attempt == 0 ? .timeout : .connectionLost))
            #expect(error?.isFatal == true)
          }
        }
      }
    }

    @Test func aFrozenBackendIsFoundOutInACopy() async throws {
      try await Server.withConnection(queryTimeout: .milliseconds(300), cancelGrace: .milliseconds(150)) { connection in
        let pid = try await connection.run { session in
          try session.simple("create temporary table t (a int8)")
          return session.backendPID
        }
        await whileStopped(pid) {
          let error = await #expect(throws: PostgresError.self) {
            try await connection.run { session in
              try session.copyIn("copy t from stdin") { writer in
                for number in 0..<1_000_000 { try writer.write("\(number)\n") }
              }
            }
          }
          #expect(error?.kind == .timeout)
          #expect(error?.isFatal == true)
        }
      }
    }

    @Test func aStatementThatIsTooSlowIsCancelledAndTheSessionGoesOn() async throws {
      try await Server.withSession(queryTimeout: .milliseconds(200)) { session throws in
        let error = #expect(throws: PostgresError.self) { try session.execute("select pg_sleep(600)") }
        #expect(error?.kind == .timeout)
        #expect(error?.isFatal == false)
        session.deadline = .now + .milliseconds(50)
        #expect(throws: PostgresError.self) { try session.simple("select pg_sleep(600)") }
        let pipeline = #expect(throws: PostgresError.self) {
          _ = try session.pipeline { pipeline in
            try pipeline.execute("select 1")
            try pipeline.execute("select pg_sleep(600)")
            try pipeline.execute("select 2")
          }
        }
        #expect(pipeline?.kind == .timeout)
        #expect(throws: PostgresError.self) {
          try session.copyOut("copy (select pg_sleep(600)) to stdout") { _ in }
        }
        session.deadline = nil
        #expect(try session.execute("select 1::int8").int8(0, 0) == 1)
      }
    }

    /// There is always something to read, or room to write: no wait ever ends by itself.
    @Test func aDeadlineHoldsForWhatNeverPauses() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8)")
        session.deadline = .now + .milliseconds(200)
        let reading = #expect(throws: PostgresError.self) {
          try session.copyOut("copy (select generate_series(1, 100000000000)) to stdout") { _ in }
        }
        #expect(reading?.kind == .timeout)
        session.deadline = .now + .milliseconds(200)
        let writing = #expect(throws: PostgresError.self) {
          try session.copyIn("copy t from stdin") { writer in while true { try writer.write("1\n") } }
        }
        #expect(writing?.kind == .timeout)
        session.deadline = nil
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 0)
      }
    }

    @Test func theServersOwnTimeouts() async throws {
      try await Server.withSession(settings: ["statement_timeout": "50ms"]) { session throws in
        let error = #expect(throws: PostgresError.self) { try session.execute("select pg_sleep(600)") }
        #expect(error?.kind == .server)
        #expect(error?.sqlState == "57014")
        #expect(error?.isRetryable == true)
        #expect(try session.execute("select 1::int8").int8(0, 0) == 1)
      }
    }

    @Test func theServerEndsATransactionThatLiesIdle() async throws {
      try await Server.withConnection(settings: ["idle_in_transaction_session_timeout": "50ms"]) { connection in
        let pid = try await connection.run { session in
          try session.simple("begin")
          return session.backendPID
        }
        try await Server.withConnection { observer in
          try await eventually {
            try await observer.query("select count(*) from pg_stat_activity where pid = $1", [.int4(pid)]) {
              try $0.int8(0, 0)
            } == 0
          }
        }
        let error = await #expect(throws: PostgresError.self) { try await connection.execute("select 1") }
        #expect(error?.kind == .connectionLost)
        #expect(error?.sqlState == "25P03")
        #expect(error?.isFatal == true)
      }
    }

    @Test func aCancelHoldsUntilItIsReset() async throws {
      let configuration = try Server.configuration()
      try await Server.withSession { _ throws in
        let interrupt = Interrupt()
        let session = try Session(configuration, interrupt: interrupt)
        try session.simple("create temporary table t (a int8)")
        let error = #expect(throws: PostgresError.self) {
          try session.transaction {
            try session.execute("insert into t values (1)")
            interrupt.cancel()
          }
        }
        #expect(error?.kind == .cancelled)
        #expect(error?.isOutcomeUnknown == false, "COMMIT was never sent")
        #expect(session.transactionStatus == .idle, "rolled back all the same")
        #expect(throws: PostgresError.self) { try session.execute("select 1") }
        #expect(throws: PostgresError.self) { try session.notifications(wait: .seconds(60)) }
        interrupt.reset()
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 0)
        session.close()
      }
    }

    /// Cancels from another thread that come at any moment: each hits the statement it was meant for or none.
    @Test func cancelsThatRaceWithTheEndOfAStatement() async throws {
      try await Server.withConnection { connection in
        for round in 0..<200 {
          let task = Task { try await connection.execute("select pg_sleep(\(Double(round % 4) / 1000))") }
          if round % 2 == 0 { try await Task.sleep(for: .microseconds(round * 20)) }
          task.cancel()
          do {
            _ = try await task.value
          } catch let error as PostgresError {
            #expect(error.kind == .cancelled)
          }
          #expect(try await connection.query("select $1", [.int8(Int64(round))]) { try $0.int8(0, 0) } == Int64(round))
        }
      }
    }

    @Test func cancellingACopy() async throws {
      try await Server.withConnection { connection in
        let pid = try await connection.run { session in
          try session.simple("create temporary table t (a int8)")
          return session.backendPID
        }
        let endless = Task {
          try await connection.run { session in
            try session.copyIn("copy t from stdin") { writer in while true { try writer.write("1\n") } }
          }
        }
        try await Server.waitUntil("query like 'copy t%'", of: pid)
        endless.cancel()
        let error = await #expect(throws: PostgresError.self) { try await endless.value }
        #expect(error?.kind == .cancelled)
        let reader = Task {
          try await connection.run { session in
            try session.copyOut("copy (select generate_series(1, 1000000000)) to stdout") { _ in }
          }
        }
        try await Server.waitUntil("query like 'copy (sel%'", of: pid)
        reader.cancel()
        let stopped = await #expect(throws: PostgresError.self) { try await reader.value }
        #expect(stopped?.kind == .cancelled)
        #expect(try await connection.query("select count(*) from t") { try $0.int8(0, 0) } == 0)
      }
    }

    @Test func aConnectThatIsNotAnsweredEnds() async throws {
      // A socket that listens and never accepts, as a frozen postmaster's does.
      let silent = try SilentServer()
      var configuration = ConnectionConfiguration(conninfo: "host=\(silent.directory) dbname=x")
      configuration.connectTimeout = .milliseconds(200)
      let error = await #expect(throws: PostgresError.self) { _ = try await Connection.connect(configuration) }
      #expect(error?.kind == .timeout)
      configuration.connectTimeout = .seconds(600)
      let connecting = Task { [configuration] in try await Connection.connect(configuration).isBroken }
      try await eventually { silent.hasCaller }
      let waited = await duration {
        connecting.cancel()
        let error = await #expect(throws: PostgresError.self) { try await connecting.value }
        #expect(error?.kind == .cancelled)
      }
      #expect(waited < .seconds(2))
    }
  }
}
