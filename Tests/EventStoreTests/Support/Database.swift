import EventStore
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
      outcome = .success(try await Database.$cluster.withValue(cluster, operation: function))
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

/// The suites that need a server share one; each test has a database of its own.
@Suite(.cluster) struct OnAServer {}

/// A database on the suite's cluster.
struct Database: Sendable {
  @TaskLocal static var cluster: PostgresCluster?

  let cluster: PostgresCluster
  let name: String

  /// An empty one, owned by the owner's role.
  static func empty() async throws -> Database {
    let cluster = try #require(cluster)
    let database = Database(cluster: cluster, name: "test_\(UInt64.random(in: .min ... .max))")
    let admin = try await Connection.connect(ConnectionConfiguration(conninfo: cluster.adminConninfo))
    try await admin.execute("create database \(database.name) owner \(LocalStack.ownerRole)")
    await admin.close()
    return database
  }

  /// One with the schema of this build.
  static func migrated() async throws -> Database {
    let database = try await empty()
    _ = try await database.asOwner { try Migrator().migrate($0) }
    return database
  }

  func configuration(_ role: String) -> ConnectionConfiguration {
    ConnectionConfiguration(
      conninfo: cluster.conninfo(user: role, database: name), applicationName: "event store tests")
  }

  func asOwner<Value: Sendable>(_ body: @Sendable (Session) throws -> Value) async throws -> Value {
    try await with(LocalStack.ownerRole, body)
  }

  func asServer<Value: Sendable>(_ body: @Sendable (Session) throws -> Value) async throws -> Value {
    try await with(LocalStack.serverRole, body)
  }

  func asSuperuser<Value: Sendable>(_ body: @Sendable (Session) throws -> Value) async throws -> Value {
    try await with("postgres", body)
  }

  /// Runs `body` with a session of its own, on a thread of its own.
  private func with<Value: Sendable>(_ role: String, _ body: @Sendable (Session) throws -> Value) async throws -> Value
  {
    let connection = try await Connection.connect(configuration(role))
    do {
      let value = try await connection.run(body)
      await connection.close()
      return value
    } catch {
      await connection.close()
      throw error
    }
  }
}

/// The SQLSTATE that a statement is refused with, and its message; nil when it isn't refused. What it did is rolled
/// back.
func refusal(_ sql: String, _ session: Session) throws -> (state: String, message: String)? {
  try session.simple("begin")
  defer { session.rollBack() }
  do {
    try session.simple(sql)
    return nil
  } catch {
    return (error.sqlState ?? "", error.message)
  }
}
