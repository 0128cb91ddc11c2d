import Glibc
import LocalStack
import Postgres
import Testing

extension OnAServer {
  /// Establishing a session, its statements, its transactions and its errors.
  @Suite struct SessionTests {
    @Test func settingsAndState() async throws {
      let settings = ["lock_timeout": "1234ms", "application_name": "it's \\ named"]
      try await Server.withSession(settings: settings) { session throws in
        let rows = try session.execute("select current_setting('lock_timeout'), current_setting('application_name')")
        #expect(try rows.text(0, 0) == "1234ms")
        #expect(try rows.text(0, 1) == "it's \\ named")
        let pid = try session.execute("select pg_backend_pid()")
        #expect(try pid.int4(0, 0) == session.backendPID)
        #expect(session.serverVersion >= 130_000)
        #expect(session.parameter("client_encoding") == "UTF8")
        #expect(session.parameter("no such") == nil)
        #expect(session.transactionStatus == .idle)
      }
    }

    /// Blocking anywhere else would take a thread from Swift's pool, which has as many as there are cores.
    @Test func everythingRunsOnTheConnectionsThread() async throws {
      try await Server.withConnection { connection in
        let first = try await connection.run { _ in pthread_self() }
        #expect(first != pthread_self())
        for _ in 0..<100 {
          #expect(try await connection.run { _ in pthread_self() } == first)
          await Task.yield()
          #expect(try await connection.query("select 1") { _ in pthread_self() } == first)
        }
      }
    }

    @Test func aSettingThatTheServerRefuses() async throws {
      let error = await #expect(throws: PostgresError.self) {
        try await Server.withSession(settings: ["lock_timeout": "soon"]) { _ in }
      }
      #expect(error?.kind == .server)
      #expect(error?.sqlState == "22023")
    }

    @Test func aServerThatIsNotThere() async throws {
      let error = await #expect(throws: PostgresError.self) {
        _ = try await Connection.connect(ConnectionConfiguration(conninfo: "host=/nonexistent dbname=x"))
      }
      #expect(error?.kind == .connectFailed)
      #expect(error?.isRetryable == true)
    }

    @Test(arguments: ["host=/tmp hunter2", "postgresql://u:hunter2@[", "password='hunter2", "hunter2=x"])
    func aConnectionStringIsNeverQuoted(_ conninfo: String) async throws {
      let configuration = ConnectionConfiguration(conninfo: conninfo)
      let error = await #expect(throws: PostgresError.self) { _ = try await Connection.connect(configuration) }
      #expect(error?.kind == .misuse)
      #expect(error.map { "\($0)".contains("hunter2") } == false)
      var dumped = ""
      dump(configuration, to: &dumped)
      #expect(!dumped.contains("hunter2"))
      #expect(!"\(configuration)".contains("hunter2"))
    }

    @Test func aPasswordIsStruckOutOfWhatLibpqSays() async throws {
      let cluster = try #require(Server.cluster)
      // As the name of a database too, so that the server's own words hold it.
      let conninfo = cluster.conninfo(user: "postgres", database: "hunter2") + " password=hunter2"
      let error = await #expect(throws: PostgresError.self) {
        _ = try await Connection.connect(ConnectionConfiguration(conninfo: conninfo))
      }
      #expect(error?.kind == .connectFailed)
      #expect(error?.message.contains("hunter2") == false)
      #expect(error?.message.contains("***") == true)
    }

    @Test func aServerErrorSaysWhatAndWhere() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table paid (id int8 constraint paid_once unique)")
        try session.execute("insert into paid values ($1)", [.int8(1)])
        let error = #expect(throws: PostgresError.self) {
          try session.execute("insert into paid values ($1)", [.int8(1)])
        }
        #expect(error?.kind == .server)
        #expect(error?.sqlState == "23505")
        #expect(error?.severity == "ERROR")
        #expect(error?.constraint == "paid_once")
        #expect(error?.table == "paid")
        #expect(error?.detail?.contains("already exists") == true)
        #expect(error?.isRetryable == false)
        #expect(error?.isFatal == false)
        #expect(error?.isOutcomeUnknown == false)
        let syntax = #expect(throws: PostgresError.self) { try session.execute("select 1 frm x y") }
        #expect(syntax?.sqlState == "42601")
        #expect(syntax?.position != nil)
        let several = #expect(throws: PostgresError.self) { try session.simple("select 1; select 1/0; select 2") }
        #expect(several?.sqlState == "22012")
        #expect(try session.execute("select 1::int8").int8(0, 0) == 1)
      }
    }

    @Test func sameTextAndTypesAreOneStatement() async throws {
      try await Server.withSession(statementCacheLimit: 3) { session throws in
        let first = try session.prepare("select $1::int8", types: [.int8])
        #expect(try session.prepare("select $1::int8", types: [.int8]) === first)
        #expect(try session.prepare("select $1::int8", types: [.int4]) !== first)
        #expect(try session.execute(first, [.int8(7)]).int8(0, 0) == 7)
        for number in 0..<20 { try session.execute("select \(number)::int8, $1::int8", [.int8(1)]) }
        // Given up for the newer ones, and prepared again when it is used.
        #expect(try session.execute(first, [.int8(8)]).int8(0, 0) == 8)
        let kept = try session.execute("select count(*) from pg_prepared_statements")
        #expect(try kept.int8(0, 0) <= 5)
      }
    }

    @Test func anotherSessionsStatementIsRefused() async throws {
      let configuration = try Server.configuration()
      try await Server.withSession { one in
        let other = try Session(configuration)
        let statement = try other.prepare("select 1")
        let error = #expect(throws: PostgresError.self) { try one.execute(statement) }
        #expect(error?.kind == .misuse)
        other.close()
        let closed = #expect(throws: PostgresError.self) { try other.execute("select 1") }
        #expect(closed?.isFatal == true)
        #expect(other.backendPID == 0)
        #expect(other.transactionStatus == .unknown)
      }
    }

    @Test func aPlanThatTheSchemaHasOvertakenIsMadeAnew() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8); insert into t values (1)")
        #expect(try session.execute("select * from t").int8(0, 0) == 1)
        try session.simple("alter table t alter a type text")
        let error = #expect(throws: PostgresError.self) { try session.execute("select * from t") }
        #expect(error?.sqlState == "0A000")
        #expect(error?.isRetryable == true)
        #expect(try session.execute("select * from t").text(0, 0) == "1")
        try session.simple("deallocate all")
        #expect(throws: PostgresError.self) { try session.execute("select * from t") }
        #expect(try session.execute("select * from t").text(0, 0) == "1")
      }
    }

    @Test func wrongNumberOfParameters() async throws {
      try await Server.withSession { session throws in
        #expect(throws: PostgresError.self) { try session.execute("select $1::int8, $2::int8", [.int8(1)]) }
        let error = #expect(throws: PostgresError.self) {
          try session.execute("select 1", Array(repeating: .int2(1), count: 70_000))
        }
        #expect(error?.kind == .misuse)
        #expect(try session.execute("select 1::int8").int8(0, 0) == 1)
      }
    }

    @Test func aTransactionIsCommittedOrRolledBack() async throws {
      try await Server.withSession { session throws in
        try session.simple("create temporary table t (a int8 unique deferrable initially deferred)")
        let value = try session.transaction {
          try session.execute("insert into t values (1)")
          return 5
        }
        #expect(value == 5)
        #expect(throws: NeverCameTrue.self) {
          try session.transaction {
            try session.execute("insert into t values (2)")
            throw NeverCameTrue()
          }
        }
        #expect(session.transactionStatus == .idle)
        let atCommit = #expect(throws: PostgresError.self) {
          try session.transaction { try session.execute("insert into t values (1)") }
        }
        #expect(atCommit?.sqlState == "23505")
        #expect(atCommit?.isOutcomeUnknown == false)
        #expect(session.transactionStatus == .idle)
        #expect(try session.execute("select count(*) from t").int8(0, 0) == 1)
        let readOnly = #expect(throws: PostgresError.self) {
          try session.transaction("begin read only") { try session.execute("create table u ()") }
        }
        #expect(readOnly?.sqlState == "25006")
      }
    }

    @Test func committingAFailedTransactionIsAnError() async throws {
      try await Server.withSession { session throws in
        let hidden = #expect(throws: PostgresError.self) {
          try session.transaction {
            if (try? session.simple("select 1/0")) != nil { throw NeverCameTrue() }
          }
        }
        #expect(hidden?.sqlState == "25P02")
        try session.simple("begin")
        #expect(throws: PostgresError.self) { try session.execute("select 1/0") }
        #expect(session.transactionStatus == .inFailedTransaction)
        #expect(throws: PostgresError.self) { try session.execute("COMMIT") }
        #expect(session.transactionStatus == .idle)
        try session.simple("begin")
        try session.execute("commit")
      }
    }

    @Test func useWithinAnotherCallIsRefused() async throws {
      try await Server.withSession { session throws in
        _ = try session.pipeline { pipeline in
          try pipeline.execute("select 1")
          let error = #expect(throws: PostgresError.self) { try session.execute("select 1") }
          #expect(error?.kind == .misuse)
          #expect(throws: PostgresError.self) { try session.notifications(wait: .zero) }
        }
        #expect(try session.execute("select 1::int8").int8(0, 0) == 1)
      }
    }
  }
}
