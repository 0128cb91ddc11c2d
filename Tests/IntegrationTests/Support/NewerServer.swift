import Commands
import LocalStack
import Logging
import Server
import Testing

/// A server of a later build: the server's own composition, in the test's process, with rules that `kauri serve` can't
/// know yet.
struct NewerServer: Sendable {
  /// `http://127.0.0.1:PORT`.
  let address: String
  private let work: Task<Void, any Error>

  /// Starts it on a book's database and waits until it listens.
  static func start(on book: ServedBook, _ ruleSets: RuleSets) async throws -> NewerServer {
    var configuration = ServerConfiguration(
      database: book.cluster.conninfo(user: LocalStack.serverRole), host: "127.0.0.1", port: 0,
      keyFile: book.identity.jwksFile,
      expectations: TokenExpectations(issuer: LocalIdentity.issuer, audience: LocalIdentity.audience),
      masterKeyFile: book.identity.masterKeyFile, keepsReadModels: false, version: "of a later build")
    configuration.ruleSets = ruleSets
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    let work = Task { [configuration] in
      defer { listening.finish() }
      try await serve(
        configuration, metrics: PrometheusMetrics(help: ServerMetrics.help),
        logger: Logger(label: "a later build") { _ in SwiftLogNoOpLogHandler() }, signals: []
      ) { listening.yield($0) }
    }
    for await port in ports { return NewerServer(address: "http://127.0.0.1:\(port)", work: work) }
    try await work.value
    throw LocalStackError.failed("a server ended before it listened", detail: "")
  }

  func stop() async {
    work.cancel()
    _ = await work.result
  }
}
