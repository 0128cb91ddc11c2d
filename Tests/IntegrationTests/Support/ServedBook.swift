import Commands
import EventStore
import Foundation
import Glibc
import Ledger
import LocalStack
import Synchronization
import Testing

/// A book on a private cluster with real `kauri serve` processes on it, and clients that give them commands.
struct ServedBook: Sendable {
  let cluster: PostgresCluster
  let servers: [BankServer]
  let clients: BankClients
  let identity: LocalIdentity
  /// For a test's own files; removed with everything else.
  let directory: String

  /// The line of the file with the key that checkpoints are verified with.
  var checkpointKey: String { Files.read("\(directory)/checkpoint.pub") ?? "" }

  /// What stands in the database.
  var recorded: RecordedBook { RecordedBook(conninfo: cluster.conninfo(user: LocalStack.serverRole)) }

  /// How a test reaches backends that aren't its own.
  var superuser: RecordedBook { RecordedBook(conninfo: cluster.adminConninfo) }

  /// Runs `body` with an opened book, funded accounts and a server for each list of options, and takes all of it away
  /// whatever comes of it.
  static func run(
    servers options: [[String]], accounts: Int, funds: Int64 = 20_000, _ body: (ServedBook) async throws -> Void
  ) async throws {
    let directory = try TemporaryDirectories.make()
    let cluster = try await PostgresCluster.temporary()
    var servers: [BankServer] = []
    var clients: BankClients?
    let outcome: Result<Void, any Error>
    do {
      let identity = try LocalIdentity.prepare(in: directory)
      let migration = try await KauriProcess.run([
        "migrate", "--database", cluster.conninfo(user: LocalStack.ownerRole), "--master-key", identity.masterKeyFile,
      ])
      guard migration.status == 0 else {
        throw LocalStackError.failed("kauri migrate failed", detail: migration.errors)
      }
      for (number, options) in options.enumerated() {
        let arguments =
          [
            "serve", "--database", cluster.conninfo(user: LocalStack.serverRole), "--port", "0", "--jwks",
            identity.jwksFile, "--master-key", identity.masterKeyFile, "--checkpoint-key",
            identity.checkpointKeyFile,
          ] + options
        servers.append(BankServer(arguments: arguments, logFile: "\(directory)/server-\(number)"))
      }
      var tokens: [String: String] = [:]
      for person in Teller.staff {
        tokens[person.subject] = try await identity.mint(.operator, subject: person.subject, lifetime: .seconds(3_600))
      }
      let bank = BankClients(servers: servers, tokens: tokens, teller: Teller(accounts: accounts))
      clients = bank
      for server in servers { try await server.start() }
      for server in servers {
        try await eventually("a server is ready", within: .seconds(30)) { await bank.isReady(server) }
      }
      let opening = bank.teller.withLock { $0.opening(funds: funds) }
      _ = await bank.settle(opening, at: 0)
      try await body(
        ServedBook(cluster: cluster, servers: servers, clients: bank, identity: identity, directory: directory))
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    await clients?.close()
    for server in servers { await server.destroy() }
    try await cluster.destroy()
    try Files.remove(directory)
    try outcome.get()
  }

  /// Another server, on another database of the cluster.
  func server(on database: String) -> BankServer {
    BankServer(
      arguments: [
        "serve", "--database", cluster.conninfo(user: LocalStack.serverRole, database: database), "--port", "0",
        "--jwks", identity.jwksFile, "--master-key", identity.masterKeyFile,
      ], logFile: "\(directory)/server-\(database)")
  }

  // MARK: What is true in the end

  /// The book is sound, and whatever was acknowledged stands in the log once, as it was acknowledged.
  @discardableResult
  func expectSettled(sourceLocation: SourceLocation = #_sourceLocation) async throws -> LogAudit {
    let audit = try await recorded.expectSound(sourceLocation: sourceLocation)
    clients.expectAnswers(in: audit, sourceLocation: sourceLocation)
    return audit
  }
}

/// One `kauri serve`, which may be killed and started again; each time it has another process and another port.
final class BankServer: Sendable {
  private struct State {
    var process: ChildProcess?
    var address: String?
    var starts = 0
  }

  private let arguments: [String]
  private let logFile: String
  private let state = Mutex(State())

  init(arguments: [String], logFile: String) {
    self.arguments = arguments
    self.logFile = logFile
  }

  /// `http://127.0.0.1:PORT`, once it listens.
  var address: String? { state.withLock { $0.address } }

  var process: ChildProcess? { state.withLock { $0.process } }

  /// Starts it and waits until it listens.
  func start() async throws {
    let starts = state.withLock { state in
      state.starts += 1
      return state.starts
    }
    let log = "\(logFile).\(starts).log"
    let process = try await KauriProcess.start(arguments, outputFile: "\(logFile).output", logFile: log)
    state.withLock { $0.process = process }
    try await eventually("a server listens", within: .seconds(30)) {
      guard process.isRunning else { throw LocalStackError.failed("a server ended", detail: Files.read(log) ?? "") }
      guard let match = (Files.read(log) ?? "").firstMatch(of: /"message":"listening".*?"port":"([0-9]+)"/) else {
        return false
      }
      state.withLock { $0.address = "http://127.0.0.1:\(match.1)" }
      return true
    }
  }

  /// As a crash of the process would end it.
  func kill() async {
    process?.send(SIGKILL)
    _ = await process?.waitForEnd()
  }

  func destroy() async {
    // A stopped process doesn't hear that it is to end.
    process?.send(SIGCONT)
    await process?.stop(SIGTERM, grace: .seconds(20))
  }

  /// What it logged at the level `error`, over all its lives.
  var errors: [String] {
    let starts = state.withLock { $0.starts }
    return (1...max(1, starts)).flatMap { number in
      (Files.read("\(logFile).\(number).log") ?? "").split(separator: "\n").map(String.init)
    }.filter { $0.contains(#""level":"error""#) || $0.contains("Fatal error") }
  }
}
