import ArgumentParser
import Logging
import Server

/// `kauri project`: the read models that follow the log, alone.
struct ProjectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "project",
    abstract: "Keep the read models that follow the log, until SIGTERM or Ctrl-C.",
    discussion: "Any number may run beside each other and beside servers: one of them works, the others stand by.")

  @OptionGroup var database: DatabaseOption

  func run() async throws {
    LoggingSystem.bootstrap { JSONLog(label: $0, level: .info) }
    try await keepReadModels(database: database.conninfo, logger: Logger(label: "kauri.projections"))
  }
}
