import ArgumentParser

/// `kauri replay`: what the log says, for audits.
struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Ask the log: what was, and why.",
    subcommands: [ReplayAccountCommand.self])
}
