import EventStore
import Glibc
import Ledger
import LocalStack
import Logging
import Postgres

/// What is measured on: a cluster of its own that is removed afterwards, with or without a server, or a stack that
/// runs already.
struct BenchStage: Sendable {
  /// The conninfo of the server's role.
  let database: String
  /// The conninfo of the role that owns the schema. Of two users in one connection string libpq takes the last.
  var ownerDatabase: String { database + " user=\(LocalStack.ownerRole)" }
  /// The file of the book's master key.
  let masterKeyFile: String
  /// The server, where there is one.
  let server: StackRecord?
  /// Superuser's conninfo, by database, of a cluster of the bench's own.
  let adminDatabase: (@Sendable (String) -> String)?

  /// What is to be measured: decides which stage it needs.
  enum Need: Sendable {
    case database
    case server
  }

  /// Runs `body` on a new stage and removes it, whatever comes of it.
  static func withOwn<Value: Sendable>(
    _ need: Need, _ body: @escaping @Sendable (BenchStage) async throws -> Value
  ) async throws -> Value {
    let directory = try TemporaryDirectories.make()
    let result: Result<Value, any Error>
    do {
      switch need {
      case .database: result = .success(try await withCluster(in: directory, body))
      case .server: result = .success(try await withStack(in: directory, body))
      }
    } catch {
      result = .failure(error)
    }
    try Files.remove(directory)
    return try result.get()
  }

  /// Of the size and durability of the local stack's own cluster.
  private static func withCluster<Value: Sendable>(
    in directory: String, _ body: @Sendable (BenchStage) async throws -> Value
  ) async throws -> Value {
    let cluster = PostgresCluster(directory: "\(directory)/postgres", logger: quiet)
    try await cluster.start()
    let result: Result<Value, any Error>
    do {
      let owner = cluster.conninfo(user: LocalStack.ownerRole)
      let database = cluster.conninfo(user: LocalStack.serverRole)
      let keyFile = "\(directory)/master.key"
      var generator = SystemRandomNumberGenerator()
      let key = (0..<MasterKeyFile.length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      try Files.writeNew(key, to: keyFile, mode: 0o600)
      let outcome = try await Program(try ThisExecutable.path()).run(
        ["migrate", "--database", owner, "--master-key", keyFile])
      guard outcome.succeeded else { throw BenchFault("kauri migrate failed: \(outcome.errors)") }
      result = .success(
        try await body(
          BenchStage(
            database: database, masterKeyFile: keyFile, server: nil,
            adminDatabase: { cluster.conninfo(user: "postgres", database: $0) })))
    } catch {
      result = .failure(error)
    }
    await Task.detached { await cluster.stop(.immediate) }.value
    try Files.remove(cluster.socketDirectory)
    return try result.get()
  }

  /// Makes a second database on a cluster of the bench's own, with a book in it whose log goes on unsealed.
  ///
  /// - Returns: the conninfo of the server's role there.
  func prepareUnsealedBook() async throws -> String {
    guard server == nil, let adminDatabase else {
      throw BenchFault("a log without sealing is made on a cluster of the bench's own only")
    }
    let name = "bench_unsealed"
    let admin = try await Connection.connect(ConnectionConfiguration(conninfo: adminDatabase("postgres")))
    try await admin.execute("create database \(name) owner \(LocalStack.ownerRole)")
    await admin.close()
    let owner = adminDatabase(name) + " user=\(LocalStack.ownerRole)"
    let outcome = try await Program(try ThisExecutable.path()).run(
      ["migrate", "--database", owner, "--master-key", masterKeyFile])
    guard outcome.succeeded else { throw BenchFault("kauri migrate failed: \(outcome.errors)") }
    let connection = try await Connection.connect(ConnectionConfiguration(conninfo: owner))
    try await connection.execute("alter table log_head disable trigger log_head_is_sealed")
    await connection.close()
    return adminDatabase(name) + " user=\(LocalStack.serverRole)"
  }

  private static func withStack<Value: Sendable>(
    in directory: String, _ body: @escaping @Sendable (BenchStage) async throws -> Value
  ) async throws -> Value {
    let stack = DevStack(
      directory: "\(directory)/stack", port: 0, executable: try ThisExecutable.path(), logger: quiet)
    let (ready, signal) = AsyncStream<StackRecord>.makeStream()
    return try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask {
        try await stack.run { signal.yield($0) }
        return nil
      }
      group.addTask {
        for await record in ready { return try await body(try running(record, in: stack.directory)) }
        return nil
      }
      defer { group.cancelAll() }
      guard let value = try await group.next() ?? nil else { throw BenchFault("the stack ended") }
      group.cancelAll()
      // Its end is what was asked for; that it ends is what is waited for.
      _ = await group.nextResult()
      return value
    }
  }

  /// The stage that a running local stack is.
  static func running(in directory: String) throws -> BenchStage {
    try running(try StackRecord.read(from: directory), in: directory)
  }

  private static func running(_ record: StackRecord, in directory: String) throws -> BenchStage {
    let identity = try LocalIdentity.load(from: directory)
    // Of two users in one connection string libpq takes the last.
    return BenchStage(
      database: record.postgres,
      masterKeyFile: identity.masterKeyFile, server: record,
      adminDatabase: { record.postgres + " user=postgres dbname=\($0)" })
  }

  /// Any other database that holds a book.
  static func database(_ conninfo: String, masterKeyFile: String) -> BenchStage {
    BenchStage(
      database: conninfo, masterKeyFile: masterKeyFile, server: nil, adminDatabase: nil)
  }

  private static var quiet: Logger { Logger(label: "kauri.bench") { _ in SwiftLogNoOpLogHandler() } }

  /// Where the log ends.
  func head() async throws -> Int64 {
    let connection = try await Connection.connect(ConnectionConfiguration(conninfo: database))
    let head = try await connection.run { session in try session.execute("select position from log_head").int8(0, 0) }
    await connection.close()
    return head
  }

  /// KiB of memory that the server's process has, nil without a server.
  var serverResident: Int? {
    guard let pid = server?.processes["server"], let status = Files.read("/proc/\(pid)/status") else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return line?.split(separator: " ").dropLast().last.flatMap { Int($0) }
  }
}
