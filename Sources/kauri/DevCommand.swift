import ArgumentParser
import LocalStack
import Logging
import ServiceLifecycle
import UnixSignals

/// `kauri dev`: the whole stack on this machine.
struct DevCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dev",
    abstract: "Start the whole stack on this machine, ready to try; Ctrl-C stops it.",
    discussion: """
      Makes a private Postgres cluster in the data directory (or takes up the one that is there), brings its schema up \
      to date and starts the server on 127.0.0.1. Prints one line, "ready http://127.0.0.1:PORT", and writes how to \
      reach everything to dev.json in the data directory.
      """)

  @OptionGroup var dataDirectory: DataDirectoryOption

  @Option(help: "The server's port on 127.0.0.1; 0 for any free one.")
  var port = 8080

  @Flag(help: "Fill an empty book with a small bank, and print three commands to try.")
  var demo = false

  func validate() throws {
    guard (0...65_535).contains(port) else { throw ValidationError("--port takes 0 to 65535.") }
  }

  func run() async throws {
    let logger = Terminal.logger("kauri.dev")
    let stack = DevStack(
      directory: dataDirectory.path, port: port, executable: try ThisExecutable.path(), logger: logger)
    let service = StackService(stack: stack) { [demo] record in
      Terminal.answer("ready \(record.http)")
      guard demo else { return }
      do {
        try await Demonstration(record).run()
      } catch  where Task.isCancelled {
        Terminal.say("kauri: the demonstration was broken off; kauri dev --demo goes on with it")
      } catch {
        // The stack is as good without it.
        Terminal.say("kauri: the demonstration can't be given: \(error)")
      }
    }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [
          .init(
            service: service, successTerminationBehavior: .gracefullyShutdownGroup,
            failureTerminationBehavior: .cancelGroup)
        ],
        gracefulShutdownSignals: Self.stopSignals,
        logger: Logger(label: "kauri.lifecycle") { _ in SwiftLogNoOpLogHandler() }))
    try await group.run()
  }

  /// A closed terminal stops the stack too, unless it was started so as to survive that (`nohup`).
  private static var stopSignals: [UnixSignal] {
    [.sigint, .sigterm] + StopSignals.heeded([.sighup])
  }
}

/// The stack as a service: a graceful shutdown is the cancellation that it stops itself on.
private struct StackService: Service {
  let stack: DevStack
  let whenReady: @Sendable (StackRecord) async throws -> Void

  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown { try await stack.run(whenReady: whenReady) }
    } catch  where Task.isShuttingDownGracefully {
      // Whatever was going on was broken off on purpose.
    }
  }
}
