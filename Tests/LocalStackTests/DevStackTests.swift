import Glibc
import LocalStack
import Logging
import Synchronization
import Testing

/// The stack with a script in the place of `kauri`: what is tested here is the starting, keeping and stopping, with a
/// real Postgres and real processes.
@Suite struct DevStackTests {
  /// Migrates by making a table and noting each run in it; serves `/readyz`. Does what it is told by files beside it.
  private static let understudy = """
    #!/usr/bin/env python3
    import http.server, os, subprocess, sys
    here = os.path.dirname(os.path.abspath(__file__))
    option = lambda name: sys.argv[sys.argv.index(name) + 1]
    if os.path.exists(f"{here}/fail-{sys.argv[1]}"):
        sys.exit(f"{sys.argv[1]} has its reasons")
    if sys.argv[1] == "migrate":
        sql = "CREATE TABLE IF NOT EXISTS runs (id int GENERATED ALWAYS AS IDENTITY); INSERT INTO runs DEFAULT VALUES"
        sys.exit(subprocess.run(["psql", "-Xqd", option("--database"), "-c", sql]).returncode)
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/readyz" else 404)
            self.end_headers()
        def log_message(self, *_):
            pass
    for name in ("--database", "--jwks", "--master-key"):
        option(name)
    http.server.ThreadingHTTPServer((option("--host"), int(option("--port"))), Handler).serve_forever()
    """

  /// A stack in `DIR/stack` with the script as its executable.
  private static func stack(in directory: String, port: Int = 0) throws -> DevStack {
    let script = "\(directory)/understudy"
    if !Files.exists(script) { try Files.write(understudy, to: script, mode: 0o755) }
    var policy = Supervisor.Policy()
    policy.pauseMinimum = .milliseconds(10)
    policy.pauseMaximum = .milliseconds(40)
    return DevStack(
      directory: "\(directory)/stack", port: port, executable: script, policy: policy,
      logger: Logger(label: "kauri.dev"))
  }

  /// Runs the stack until `body` returns, then stops it as Ctrl-C does.
  private static func running(_ stack: DevStack, _ body: @escaping @Sendable (StackRecord) async throws -> Void)
    async throws
  {
    let ready = AsyncStream<StackRecord>.makeStream()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do {
          try await stack.run { ready.continuation.yield($0) }
        } catch is CancellationError {
          // What the end of `body` brings about.
        }
      }
      group.addTask {
        for await record in ready.stream {
          try await body(record)
          return
        }
      }
      try await group.next()
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  @Test func startsStopsAndTakesUpItsData() async throws {
    try await Support.withDirectory { directory in
      for run in 1...2 {
        let stack = try Self.stack(in: directory)
        let processes = Mutex<[ProcessIdentity]>([])
        try await Self.running(stack) { record in
          let written = try StackRecord.read(from: stack.directory)
          #expect(written == record)
          #expect(record.http.hasPrefix("http://127.0.0.1:"))
          #expect(record.tokens.keys.sorted() == ["auditor", "operator", "operator2", "service"])
          #expect(record.tokens.values.allSatisfy { Support.mode(of: $0) == 0o600 })
          let identities = record.processes.values.compactMap { ProcessIdentity(of: $0) }
          #expect(record.processes.keys.sorted() == ["postgres", "server"] && identities.count == 2)
          processes.withLock { $0 = identities }
          let role = try await Support.sql("SELECT current_user", record.postgres)
          #expect(role == LocalStack.serverRole)
          let owner = PostgresCluster(directory: "\(stack.directory)/postgres").conninfo(user: LocalStack.ownerRole)
          let migrations = try await Support.sql("SELECT count(*) FROM runs", owner)
          #expect(migrations == "\(run)", "the data of the earlier runs is there")
        }
        #expect(processes.withLock { $0.count == 2 && $0.allSatisfy { !$0.isAlive } })
        #expect(!Files.exists(StackRecord.path(in: stack.directory)))
      }
    }
  }

  @Test(arguments: ["server", "postgres"])
  func aPartThatDiesIsReplacedAndTheRecordSaysSo(part: String) async throws {
    try await Support.withDirectory { directory in
      let stack = try Self.stack(in: directory)
      try await Self.running(stack) { record in
        let before = try #require(record.processes[part])
        #expect(ProcessIdentity(of: before)?.send(SIGKILL) == true)
        let replaced = try await Support.eventually {
          let now = try StackRecord.read(from: stack.directory).processes[part]
          return now != nil && now != before
        }
        #expect(replaced)
        let after = try StackRecord.read(from: stack.directory)
        #expect(after.http == record.http && after.postgres == record.postgres)
        let answer = try await Support.sql("SELECT 1", after.postgres)
        #expect(answer == "1")
      }
    }
  }

  @Test func aSecondStackOnTheSameDirectoryIsRefused() async throws {
    try await Support.withDirectory { directory in
      let stack = try Self.stack(in: directory)
      try await Self.running(stack) { record in
        await #expect(throws: LocalStackError.inUse(directory: stack.directory, pid: getpid())) {
          try await stack.run { _ in Issue.record("a second stack became ready") }
        }
        let answer = try await Support.sql("SELECT 1", record.postgres)
        #expect(answer == "1", "the first one is unharmed")
      }
    }
  }

  @Test func aServerAndAClusterLeftBehindAreReplaced() async throws {
    try await Support.withDirectory { directory in
      let stack = try Self.stack(in: directory)
      // What a stack leaves that was killed: both processes, and its notes of them.
      try Files.makeDirectory(stack.directory, mode: 0o755)
      _ = try LocalIdentity.prepare(in: stack.directory)
      let server = try await ChildProcess.start(
        "server", executable: "/bin/sleep", arguments: ["600"], logFile: "\(directory)/server.log")
      try ProcessRecord(server: server.identity).write(to: stack.directory)
      let cluster = PostgresCluster(directory: "\(stack.directory)/postgres")
      try await cluster.start()
      try Files.write("{}", to: StackRecord.path(in: stack.directory), mode: 0o644)

      try await Self.running(stack) { record in
        #expect(server.end?.description == "ended by signal 15")
        #expect(await cluster.process?.end?.isSuccess == true)
        #expect(record.processes["server"] != server.pid)
        let answer = try await Support.sql("SELECT 1", record.postgres)
        #expect(answer == "1")
      }
    }
  }

  @Test func aBookWithoutItsMasterKeyIsNotOpened() async throws {
    try await Support.withDirectory { directory in
      let stack = try Self.stack(in: directory)
      try await Self.running(stack) { _ in }
      let (key, aside) = ("\(stack.directory)/keys/master.key", "\(directory)/aside")
      #expect(rename(key, aside) == 0)
      let before = try Files.entries(of: stack.directory).sorted()
      let error = await #expect(throws: LocalStackError.self) { try await stack.run { _ in } }
      #expect(error.map { "\($0)" }?.contains("keys/master.key is missing: put it back") == true)
      #expect(!Files.exists(key), "no other one was made")
      #expect(try Files.entries(of: stack.directory).sorted() == before)

      #expect(rename(aside, key) == 0)
      try await Self.running(stack) { record in
        let answer = try await Support.sql("SELECT 1", record.postgres)
        #expect(answer == "1")
      }
    }
  }

  @Test func aTakenPortIsToldBeforeAnythingIsStarted() async throws {
    try await Support.withDirectory { directory in
      try Files.makeDirectory("\(directory)/other", mode: 0o755)
      let first = try Self.stack(in: "\(directory)/other")
      let path = "\(directory)/stack"
      try await Self.running(first) { record in
        let port = try #require(Int(record.http.split(separator: ":").last ?? ""))
        let second = try Self.stack(in: directory, port: port)
        await #expect(throws: LocalStackError.portTaken(port)) { try await second.run { _ in } }
        #expect(!Files.exists("\(path)/postgres"))
      }
    }
  }

  @Test func aFailedMigrationStopsEverythingAndSaysWhy() async throws {
    try await Support.withDirectory { directory in
      let stack = try Self.stack(in: directory)
      try Files.write("", to: "\(directory)/fail-migrate", mode: 0o644)
      let error = await #expect(throws: LocalStackError.self) { try await stack.run { _ in } }
      #expect(error.map { "\($0)" }?.contains("migrate has its reasons") == true)
      #expect(!Files.exists("\(stack.directory)/postgres/postmaster.pid"))
    }
  }

  @Test func aServerThatNeverRunsIsGivenUp() async throws {
    try await Support.withDirectory { directory in
      let stack = try Self.stack(in: directory)
      try Files.write("", to: "\(directory)/fail-serve", mode: 0o644)
      let error = await #expect(throws: LocalStackError.self) { try await stack.run { _ in } }
      guard case .gaveUp("server", 5, let last) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(last.contains("exited with status 1") && last.contains("serve has its reasons"))
      #expect(last.contains("\(stack.directory)/server.log"))
      #expect(!Files.exists("\(stack.directory)/postgres/postmaster.pid"))
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root runs Postgres as another account"))
  func whereTheAccountOfPostgresCannotGoTheClusterIsKeptElsewhere() async throws {
    try await Support.withDirectory { directory in
      try Files.makeDirectory("\(directory)/private", mode: 0o700)
      let stack = try Self.stack(in: "\(directory)/private")
      for run in 1...2 {
        try await Self.running(stack) { record in
          let owner = PostgresCluster(directory: "\(stack.directory)/postgres").conninfo(user: LocalStack.ownerRole)
          let migrations = try await Support.sql("SELECT count(*) FROM runs", owner)
          #expect(migrations == "\(run)")
        }
      }
      let target = try #require(Files.linkTarget("\(stack.directory)/postgres"))
      #expect(target.hasPrefix("/var/lib/kauri/"))
      try Files.remove(Files.parent(of: target))
      let error = await #expect(throws: LocalStackError.self) { try await stack.run { _ in } }
      #expect(error.map { "\($0)" }?.contains("is gone") == true, "a lost cluster isn't silently made anew")
    }
  }
}
