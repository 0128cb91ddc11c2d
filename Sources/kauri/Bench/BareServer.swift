import ArgumentParser
import Glibc
import Hummingbird
import LocalStack
import Logging

/// A Hummingbird server with one route that does nothing, in a process of its own: what any server could reach at
/// most on this machine.
struct BareServer {
  let port: Int
  private let process: ChildProcess
  private let directory: String

  static func start() async throws -> BareServer {
    let port = try LoopbackPort.claim(0)
    let directory = try TemporaryDirectories.make()
    let log = "\(directory)/bare.log"
    let process = try await ChildProcess.start(
      "bare server", executable: try ThisExecutable.path(), arguments: ["bare-server", "--port", "\(port)"],
      logFile: log)
    let server = BareServer(port: port, process: process, directory: directory)
    while !(Files.read(log) ?? "").contains(BareServerCommand.greeting) {
      guard process.isRunning else {
        try Files.remove(directory)
        throw BenchFault("the bare server didn't start")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    return server
  }

  func stop() async {
    await process.stop(SIGTERM, grace: .seconds(5))
    // A directory that can't be removed holds an empty log, and the next run removes it.
    try? Files.remove(directory)
  }
}

/// `kauri bare-server`, which only `kauri bench` calls.
struct BareServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bare-server", abstract: "Answer on one route, for kauri bench to compare with.", shouldDisplay: false)

  static let greeting = "listening"

  @Option var port: Int

  func run() async throws {
    let router = Router()
    router.get("bare") { _, _ in "bare" }
    let application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
      onServerRunning: { _ in Terminal.answer(Self.greeting) },
      logger: Logger(label: "kauri.bare") { _ in SwiftLogNoOpLogHandler() })
    try await application.runService()
  }
}
