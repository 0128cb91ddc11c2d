import Glibc
import LocalStack
import Postgres
import Testing

/// One private cluster for all tests of a suite and of the suites within.
struct ClusterTrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let cluster = try await PostgresCluster.temporary(settings: ["fsync": "off"])
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await Server.$cluster.withValue(cluster, operation: function))
    } catch {
      outcome = .failure(error)
    }
    try await cluster.destroy()
    try outcome.get()
  }
}

extension Trait where Self == ClusterTrait {
  static var cluster: Self { ClusterTrait() }
}

/// The suites that share a server and leave it as it is.
@Suite(.cluster) struct OnAServer {}

/// The cluster that the running test may use, and ways to use it.
enum Server {
  @TaskLocal static var cluster: PostgresCluster?

  /// - Parameter cancelGrace: long, as a machine that runs many tests at once may take its time to cancel. Where the
  ///   server is frozen it can only run out, and a test gives a short one.
  static func configuration(
    settings: [String: String] = [:], queryTimeout: Duration? = nil, statementCacheLimit: Int = 256,
    cancelGrace: Duration = .seconds(10)
  ) throws -> ConnectionConfiguration {
    let cluster = try #require(cluster)
    return ConnectionConfiguration(
      conninfo: cluster.adminConninfo, applicationName: "postgres-tests", settings: settings,
      queryTimeout: queryTimeout, cancelGrace: cancelGrace, statementCacheLimit: statementCacheLimit)
  }

  /// Runs `body` with a session of its own, on a thread of its own.
  static func withSession<Value: Sendable>(
    settings: [String: String] = [:], queryTimeout: Duration? = nil, statementCacheLimit: Int = 256,
    _ body: @Sendable (Session) throws -> Value
  ) async throws -> Value {
    try await withConnection(
      settings: settings, queryTimeout: queryTimeout, statementCacheLimit: statementCacheLimit
    ) { try await $0.run(body) }
  }

  static func withConnection<Value: Sendable>(
    settings: [String: String] = [:], queryTimeout: Duration? = nil, statementCacheLimit: Int = 256,
    cancelGrace: Duration = .seconds(10), _ body: @Sendable (Connection) async throws -> Value
  ) async throws -> Value {
    let connection = try await Connection.connect(
      configuration(
        settings: settings, queryTimeout: queryTimeout, statementCacheLimit: statementCacheLimit,
        cancelGrace: cancelGrace))
    do {
      let value = try await body(connection)
      await connection.close()
      return value
    } catch {
      await connection.close()
      throw error
    }
  }

  /// Returns once the backend runs a statement, so that a test may break in on it.
  static func waitUntilActive(_ pid: Int32) async throws {
    try await waitUntil("state = 'active' and wait_event is not null", of: pid)
  }

  static func waitUntil(_ condition: String, of pid: Int32) async throws {
    try await withConnection { observer in
      let sql = "select count(*) from pg_stat_activity where pid = $1 and \(condition)"
      try await eventually { try await observer.query(sql, [.int4(pid)]) { try $0.int8(0, 0) } == 1 }
    }
  }

  /// Sessions of this suite on the server, but for the one that asks.
  static func sessions(named name: String) async throws -> Int {
    try await withConnection { observer in
      let sql = "select count(*) from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()"
      return try await observer.query(sql, [.text(name)]) { try Int($0.int8(0, 0)) }
    }
  }
}

struct NeverCameTrue: Error {}

/// Looks again and again until it is so, or for half a minute.
func eventually(_ condition: () async throws -> Bool) async throws {
  let limit = ContinuousClock.now + .seconds(30)
  while try await !condition() {
    guard ContinuousClock.now < limit else { throw NeverCameTrue() }
    try await Task.sleep(for: .milliseconds(5))
  }
}

/// How long `body` took, whatever came of it.
func duration(_ body: () async -> Void) async -> Duration {
  await ContinuousClock().measure(body)
}

/// Stops a backend as a frozen server would stand, for the length of `body`.
func whileStopped<Value>(_ pid: Int32, _ body: () async throws -> Value) async rethrows -> Value {
  kill(pid, SIGSTOP)
  defer { kill(pid, SIGCONT) }
  return try await body()
}
