import Glibc
public import Logging

/// A private Postgres cluster: on a unix socket only, reached by peer identity, durable, in a directory of its own.
///
/// ```swift
/// let cluster = try await PostgresCluster.temporary()
/// // … cluster.conninfo(user: LocalStack.ownerRole) …
/// try await cluster.destroy()
/// ```
///
/// Postgres refuses to run as root. Started by root, the cluster runs as the owner of its directory, or as `postgres`
/// where it is new; otherwise as the current account.
public actor PostgresCluster {
  /// How to stop.
  public enum StopMode: Sendable {
    /// Breaks off what runs, writes a checkpoint, ends.
    case fast
    /// Ends at once, without a checkpoint. The next start recovers from the log, as after a power cut.
    case immediate

    var signal: Int32 { self == .fast ? SIGINT : SIGQUIT }
  }

  /// The data directory, absolute and without symbolic links.
  public nonisolated let directory: String
  /// The directory of the unix socket.
  public nonisolated let socketDirectory: String
  /// The file that takes the server's log. The one before it is kept beside it, with `.1` at the end.
  public nonisolated let logFile: String

  nonisolated let logger: Logger
  private let overrides: [String: String]
  private var installation: PostgresInstallation?
  private var child: ChildProcess?
  /// What to remove with the cluster, where it is a temporary one.
  let enclosingDirectory: String?
  /// A stopped cluster that a new one begins as a copy of; nil when initdb makes it.
  private let template: String?

  /// A cluster in `directory`, which ``start()`` makes when it isn't there. Nothing happens before that.
  ///
  /// - Parameters:
  ///   - directory: the data directory.
  ///   - logFile: by default the directory's path with `.log` after it.
  ///   - settings: Postgres' own settings that shall differ from those of the local stack.
  ///   - logger: where it is said what was found and done about it.
  public init(
    directory: String, logFile: String? = nil, settings: [String: String] = [:],
    logger: Logger = Logger(label: "kauri.postgres")
  ) {
    self.init(directory: directory, logFile: logFile, settings: settings, logger: logger, enclosing: nil, template: nil)
  }

  init(
    directory: String, logFile: String?, settings: [String: String], logger: Logger, enclosing: String?,
    template: String?
  ) {
    self.directory = Files.resolve(directory)
    self.socketDirectory = SocketDirectory.path(for: self.directory)
    self.logFile = logFile ?? "\(self.directory).log"
    self.overrides = settings
    self.logger = logger
    self.enclosingDirectory = enclosing
    self.template = template
  }

  // MARK: - How to reach it

  /// How `role` reaches `database`, for `psql -d` and for libpq. It works for whoever started the cluster.
  public nonisolated func conninfo(user role: String, database: String = LocalStack.database) -> String {
    ConnectionString.make([("host", socketDirectory), ("port", "5432"), ("dbname", database), ("user", role)])
  }

  /// How the superuser reaches the book's database.
  public nonisolated var adminConninfo: String { conninfo(user: "postgres") }

  // MARK: - Life

  /// The postmaster's process number while it runs.
  public var pid: Int32? { isRunning ? child?.pid : nil }

  /// Whether the postmaster runs.
  public var isRunning: Bool { child?.isRunning ?? false }

  /// The postmaster, once started. It changes with every start.
  public var process: ChildProcess? { child }

  /// Makes the cluster if it is new, starts it, waits until it takes connections, and makes the roles and the database
  /// if they are missing. Does nothing when it runs already.
  ///
  /// A postmaster that an earlier, killed `kauri dev` left running on the directory is stopped first.
  ///
  /// - Throws: ``LocalStackError``; nothing is left running then.
  public func start() async throws {
    guard !isRunning else { return }
    let user = try SystemUser.forPostgres(existing: directory)
    let installation = try await PostgresInstallation.find()
    self.installation = installation
    if try !hasData(installation) {
      try await initialise(installation, as: user)
    }
    try await stopLeftBehind()
    try configure(user)
    try await launch(installation, as: user)
    do {
      try await makeRolesAndDatabase(installation)
    } catch {
      await child?.stop(SIGQUIT, grace: .seconds(10))
      throw error
    }
  }

  /// Stops the cluster and waits for its end. Does nothing when it doesn't run.
  public func stop(_ mode: StopMode = .fast) async {
    guard let child, child.isRunning else { return }
    // A checkpoint of a gigabyte of dirty pages on a slow disk takes a while; killing it then costs a recovery, no
    // data.
    await child.stop(mode.signal, grace: .seconds(60))
  }

  /// Stops and starts. The process number changes.
  public func restart(_ mode: StopMode = .fast) async throws {
    await stop(mode)
    try await start()
  }

  /// Kills the postmaster, as a crash would. Its backends notice and end by themselves.
  public func kill() async {
    guard let child else { return }
    child.send(SIGKILL)
    _ = await child.waitForEnd()
  }

  /// The last lines that the server logged.
  public nonisolated func logTail(lines: Int = 20) -> String {
    Files.tail(logFile, lines: lines)
  }

  // MARK: - Making

  /// Whether the directory holds a cluster, of the version that is installed.
  private func hasData(_ installation: PostgresInstallation) throws -> Bool {
    guard let version = Files.read("\(directory)/PG_VERSION")?.trimmed else {
      guard (try? Files.entries(of: directory))?.isEmpty ?? true else {
        throw LocalStackError.failed("\(directory) isn't a Postgres data directory, and it isn't empty", detail: "")
      }
      return false
    }
    guard version == "\(installation.majorVersion)" else {
      throw LocalStackError.otherVersion(
        directory: directory, found: version, installed: "\(installation.majorVersion)")
    }
    return true
  }

  private func initialise(_ installation: PostgresInstallation, as user: SystemUser) async throws {
    let parent = Files.parent(of: directory)
    try Files.makeDirectory(parent, mode: 0o755)
    // A new cluster takes 40 MiB, its log four segments of 16 MiB, and the book needs room to begin with.
    let needed_bytes: UInt64 = 256 * 1_048_576
    if let free = Files.freeBytes(at: parent), free < needed_bytes {
      throw LocalStackError.noSpace(directory: parent, freeBytes: free)
    }
    // initdb works beside the final place and is moved there when done, so that a half-made cluster is never taken
    // for a whole one.
    let unfinished = "\(directory).unfinished"
    try Files.remove(unfinished)
    if let template {
      do {
        _ = try await Program("cp").output(["-a", template, unfinished])
      } catch {
        try? Files.remove(unfinished)
        throw explained(error, words: "\(error)")
      }
    } else {
      try await runInitdb(installation, in: unfinished, as: user)
    }
    try Files.write(
      "include 'kauri.conf'\n", to: "\(unfinished)/postgresql.conf", mode: 0o600, owner: user)
    // An empty directory in the place, made by whoever chose it, gives way.
    rmdir(directory)
    guard rename(unfinished, directory) == 0 else {
      throw LocalStackError.failed("can't put the new cluster at \(directory)", detail: Files.systemError())
    }
  }

  private func runInitdb(
    _ installation: PostgresInstallation, in unfinished: String, as user: SystemUser
  ) async throws {
    try Files.makeDirectory(unfinished, mode: 0o700, owner: user)
    var arguments = [
      "--pgdata", unfinished, "--username", "postgres", "--auth-local", "peer", "--auth-host", "reject",
      "--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums", "--no-instructions",
    ]
    // A test's cluster doesn't have to survive a power cut in the moment of its making.
    if enclosingDirectory != nil { arguments.append("--no-sync") }
    do {
      try await installation.program("initdb").output(arguments, as: user)
    } catch {
      try? Files.remove(unfinished)
      throw explained(error, words: "\(error)")
    }
  }

  /// Writes what the cluster is told. It may have changed since the last start: the account, the machine, the place.
  private func configure(_ user: SystemUser) throws {
    let accounts = Set([user.name, try SystemUser.current().name]).sorted()
    let configuration = ClusterConfiguration(
      accounts: accounts, socketDirectory: socketDirectory, overrides: overrides)
    try SocketDirectory.prepare(socketDirectory, owner: user)
    try Files.write(configuration.clientAuthentication, to: "\(directory)/pg_hba.conf", mode: 0o600, owner: user)
    try Files.write(configuration.identities, to: "\(directory)/pg_ident.conf", mode: 0o600, owner: user)
    try Files.write(configuration.settings, to: "\(directory)/kauri.conf", mode: 0o600, owner: user)
  }

  private func makeRolesAndDatabase(_ installation: PostgresInstallation) async throws {
    try await installation.program("psql").output(
      [
        "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname",
        conninfo(user: "postgres", database: "postgres"),
      ], input: ClusterContents.script)
  }

  // MARK: - Starting

  /// Ends what a killed parent left running on this directory, so that the new postmaster finds it free.
  private func stopLeftBehind() async throws {
    if let postmaster = Postmaster.running(on: directory) {
      logger.notice("stopping the Postgres (process \(postmaster.pid)) that was left running on \(directory)")
      for (signal, patience) in [(SIGINT, 30), (SIGQUIT, 10), (SIGKILL, 10)] where postmaster.isAlive {
        postmaster.send(signal)
        _ = await postmaster.waitUntilGone(timeout: .seconds(patience))
        try Task.checkCancellation()
      }
    }
    // The backends of a postmaster that was killed end by themselves within moments; one that is busy notices late.
    let backends = Postmaster.processes(on: directory)
    for backend in backends where !(await backend.waitUntilGone(timeout: .seconds(10))) {
      backend.send(SIGKILL)
      guard await backend.waitUntilGone(timeout: .seconds(10)) else {
        throw LocalStackError.failed("a Postgres left running on \(directory) doesn't end", detail: "\(backend.pid)")
      }
    }
    // The number in a pid file that stayed behind may be another program's by now, and Postgres would then not start.
    try Postmaster.removeFile(directory)
  }

  private func launch(_ installation: PostgresInstallation, as user: SystemUser) async throws {
    Files.setAside(logFile, largerThan: 16 * 1_048_576)
    let child = try await ChildProcess.start(
      "postgres", executable: "\(installation.binaries)/postgres", arguments: ["-D", directory], logFile: logFile,
      as: user)
    self.child = child
    do {
      if try await isReady(child) { return }
    } catch {
      await child.stop(SIGQUIT, grace: .seconds(10))
      throw error
    }
    let words = logTail(lines: 8)
    throw explained(
      LocalStackError.failed("Postgres \(child.end?.description ?? "ended")", detail: words), words: words)
  }

  /// Waits until the postmaster takes connections, by the word it writes into its own pid file. False when it ended
  /// first.
  private func isReady(_ child: ChildProcess) async throws -> Bool {
    // Recovery after a crash reads up to max_wal_size of log.
    let deadline = ContinuousClock.now + .seconds(300)
    while child.isRunning {
      if Postmaster.isReady(directory, pid: child.pid) { return true }
      guard ContinuousClock.now < deadline else {
        throw LocalStackError.failed("Postgres isn't ready after five minutes; its log", detail: logTail())
      }
      try await Task.sleep(for: .milliseconds(10))
    }
    return false
  }

  /// The same error, or that the disk is full where that is what it comes to. On a full disk the log that would say so
  /// may not be writable either, so the disk itself is asked too.
  private func explained(_ error: any Error, words: String) -> any Error {
    let parent = Files.parent(of: directory)
    let free = Files.freeBytes(at: parent) ?? .max
    // One segment of Postgres' log, the least it needs to start.
    guard words.contains("No space left on device") || free < 16 * 1_048_576 else { return error }
    return LocalStackError.noSpace(directory: parent, freeBytes: free)
  }
}
