public import ArgumentParser
public import Logging
import Metrics
import Server

/// `kauri serve`: the server.
struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve a book over HTTP, until SIGTERM or Ctrl-C.",
    discussion: """
      Any number of servers may run on one database. Logs are JSON lines on standard error. Stopping takes no more \
      requests, finishes those that are there, and takes seconds.
      """)

  @OptionGroup var database: DatabaseOption

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(help: "The port to listen on; 0 for any free one.")
  var port = 8080

  @Option(
    help: ArgumentHelp(
      "The public keys that tokens are verified with, a JWK Set; read again when it changes.", valueName: "file"))
  var jwks: String

  @Option(help: "The tokens' issuer.")
  var issuer = "kauri-local"

  @Option(help: "The tokens' audience.")
  var audience = "kauri"

  @Option(help: ArgumentHelp("The key that customers' keys are wrapped by: 32 bytes, mode 0600.", valueName: "file"))
  var masterKey: String

  @Option(
    help: ArgumentHelp(
      "The key that checkpoints are signed with: 32 bytes, mode 0600. Without it, other servers sign.",
      valueName: "file"))
  var checkpointKey: String?

  @Option(help: "Commands in a batch, at most. (default: 1000)")
  var batchMaximum: Int?

  @Option(help: ArgumentHelp("Accounts that the writer remembers, or off. (default: 500000)", valueName: "n|off"))
  var stateCache: StateCacheSize?

  @Option(help: "Connections to the database that queries share.")
  var poolSize = 12

  @Option(help: "What is logged: debug, info, notice, warning, error.")
  var logLevel: Logger.Level = .info

  @Flag(help: "Leave the read models that follow the log to others (kauri project).")
  var noProjections = false

  func validate() throws {
    guard (0...65_535).contains(port) else { throw ValidationError("--port takes 0 to 65535.") }
    guard !host.isEmpty else { throw ValidationError("--host must not be empty.") }
    guard (1...100_000).contains(batchMaximum ?? 1) else { throw ValidationError("--batch-maximum takes 1 to 100000.") }
    guard (1...1_000).contains(poolSize) else { throw ValidationError("--pool-size takes 1 to 1000.") }
  }

  func run() async throws {
    let level = logLevel
    LoggingSystem.bootstrap { JSONLog(label: $0, level: level) }
    let metrics = PrometheusMetrics(help: ServerMetrics.help)
    MetricsSystem.bootstrap(metrics)
    try await serve(
      ServerConfiguration(
        database: database.conninfo, host: host, port: port, keyFile: jwks,
        expectations: TokenExpectations(issuer: issuer, audience: audience), masterKeyFile: masterKey,
        checkpointKeyFile: checkpointKey,
        batchMaximum: batchMaximum, stateCache: stateCache?.accounts, keepsReadModels: !noProjections,
        poolSize: poolSize, version: KauriVersion.current),
      metrics: metrics, logger: Logger(label: "kauri.server"))
  }
}

/// `--state-cache N|off`.
struct StateCacheSize: ExpressibleByArgument {
  let accounts: Int

  init?(argument: String) {
    if argument == "off" {
      accounts = 0
    } else if let number = Int(argument), number > 0 {
      accounts = number
    } else {
      return nil
    }
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
