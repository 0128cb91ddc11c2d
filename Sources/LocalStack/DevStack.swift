import Glibc
public import Logging

/// The whole of Kauri on one machine: a private cluster, the migrated book and the server, in one data directory.
///
/// ```
/// DIR/postgres …        the cluster, its socket and its log
/// DIR/keys  DIR/tokens  see LocalIdentity
/// DIR/server.log        what the server prints
/// DIR/dev.json          how to reach it all, while it is ready
/// DIR/lock              held while it runs
/// DIR/processes.json    what a killed stack may have left running
/// ```
public struct DevStack: Sendable {
  /// The data directory, absolute.
  public let directory: String
  let port: Int
  let executable: String
  let policy: Supervisor.Policy
  let logger: Logger

  /// - Parameters:
  ///   - directory: the data directory. Made when it isn't there; its data is taken up when it is.
  ///   - port: the server's port on 127.0.0.1, or 0 for any free one.
  ///   - executable: the `kauri` that migrates and serves.
  ///   - policy: how patient to be with parts that die.
  ///   - logger: where is said what a person should know.
  public init(
    directory: String, port: Int, executable: String, policy: Supervisor.Policy = Supervisor.Policy(), logger: Logger
  ) {
    self.directory = Files.resolve(directory)
    self.port = port
    self.executable = executable
    self.policy = policy
    self.logger = logger
  }

  /// Runs the stack until the calling task is cancelled, then stops all of it: the server first, then Postgres.
  ///
  /// - Parameter whenReady: called once, when everything runs and `dev.json` is written. What it throws stops the
  ///   stack.
  /// - Throws: ``LocalStackError`` when the stack can't start or a part of it keeps dying, `CancellationError` when it
  ///   was asked to stop. Either way nothing is left running.
  public func run(whenReady: @escaping @Sendable (StackRecord) async throws -> Void) async throws {
    try Files.makeDirectory(directory, mode: 0o755)
    let lock = try StackLock(directory)
    defer { withExtendedLifetime(lock) {} }
    if ClusterPlace.isTaken(in: directory) { try LocalIdentity.requireMasterKey(in: directory) }
    try Files.remove(StackRecord.path(in: directory))
    try await stopLeftBehindServer()
    let port = try LoopbackPort.claim(port)
    let identity = try LocalIdentity.prepare(in: directory)
    let tokens = try await identity.writeTokens()
    let cluster = PostgresCluster(
      directory: try await ClusterPlace.find(in: directory, logger: logger), logFile: "\(directory)/postgres.log",
      logger: logger)
    let record = StackRecord(
      http: "http://127.0.0.1:\(port)", postgres: cluster.conninfo(user: LocalStack.serverRole), tokens: tokens,
      processes: [:])
    let announcement = Announcement(directory: directory, record: record, logger: logger)
    let supervisor = Supervisor(policy: policy, logger: logger) { await announcement.update($0) }
    do {
      try await supervisor.launch(clusterPart(cluster))
      try await migrate(cluster, identity)
      try await supervisor.launch(serverPart(cluster, identity, port: port))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await supervisor.waitForFailure() }
        group.addTask {
          try await waitForServer(on: port)
          try await whenReady(try await announcement.begin())
        }
        while try await group.next() != nil {}
      }
    } catch {
      await stop(supervisor)
      throw error
    }
  }

  // MARK: - Parts

  private func clusterPart(_ cluster: PostgresCluster) -> Supervisor.Part {
    Supervisor.Part(
      name: "postgres",
      start: {
        try await cluster.start()
        guard let process = await cluster.process else { throw CancellationError() }
        return process
      },
      stop: { _ in await cluster.stop(.fast) },
      logFile: cluster.logFile)
  }

  private func serverPart(_ cluster: PostgresCluster, _ identity: LocalIdentity, port: Int) -> Supervisor.Part {
    let logFile = "\(directory)/server.log"
    let arguments = [
      "serve", "--database", cluster.conninfo(user: LocalStack.serverRole), "--host", "127.0.0.1",
      "--port", "\(port)", "--jwks", identity.jwksFile, "--master-key", identity.masterKeyFile,
      "--checkpoint-key", identity.checkpointKeyFile,
    ]
    return Supervisor.Part(
      name: "server",
      start: {
        Files.setAside(logFile, largerThan: 16 * 1_048_576)
        let child = try await ChildProcess.start(
          "server", executable: executable, arguments: arguments, logFile: logFile)
        try ProcessRecord(server: child.identity).write(to: directory)
        return child
      },
      // Time for the batch in flight and for every answer that is owed.
      stop: { await $0.stop(SIGTERM, grace: .seconds(20)) },
      logFile: logFile)
  }

  private func migrate(_ cluster: PostgresCluster, _ identity: LocalIdentity) async throws {
    let outcome = try await Program(executable).run(
      [
        "migrate", "--database", cluster.conninfo(user: LocalStack.ownerRole), "--master-key",
        identity.masterKeyFile,
      ])
    guard outcome.succeeded else {
      throw LocalStackError.failed(
        "the schema can't be brought up to date (kauri migrate \(outcome.status))", detail: outcome.errors.trimmed)
    }
  }

  private func waitForServer(on port: Int) async throws {
    let deadline = ContinuousClock.now + .seconds(120)
    while !(await ReadinessProbe.isReady(port: port)) {
      guard ContinuousClock.now < deadline else {
        throw LocalStackError.failed(
          "the server isn't ready after two minutes; the end of its log",
          detail: Files.tail("\(directory)/server.log", lines: 10))
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  // MARK: - Stopping

  /// Stops everything, whatever becomes of the calling task meanwhile.
  private func stop(_ supervisor: Supervisor) async {
    await Task.detached {
      await supervisor.stop()
    }.value
    try? Files.remove(StackRecord.path(in: directory))
    try? ProcessRecord().write(to: directory)
  }

  /// Ends the server of a stack that was killed. Its cluster is seen to by ``PostgresCluster``.
  private func stopLeftBehindServer() async throws {
    guard let server = ProcessRecord.read(from: directory).server, server.isAlive else { return }
    logger.notice("stopping the server (process \(server.pid)) that a killed kauri dev left running")
    server.send(SIGTERM)
    if await server.waitUntilGone(timeout: .seconds(20)) { return }
    server.send(SIGKILL)
    guard await server.waitUntilGone(timeout: .seconds(10)) else {
      throw LocalStackError.failed("the server left running doesn't end", detail: "process \(server.pid)")
    }
  }
}

/// `dev.json`: written when the stack is ready, and again whenever a part of it has a new process.
private actor Announcement {
  private let directory: String
  private let logger: Logger
  private var record: StackRecord
  private var isReady = false

  init(directory: String, record: StackRecord, logger: Logger) {
    self.directory = directory
    self.record = record
    self.logger = logger
  }

  func begin() throws -> StackRecord {
    isReady = true
    try record.write(to: directory)
    return record
  }

  func update(_ processes: [String: ChildProcess]) {
    record.processes = processes.mapValues(\.pid)
    guard isReady else { return }
    do {
      try record.write(to: directory)
    } catch {
      logger.error("\(error)")
    }
  }
}
