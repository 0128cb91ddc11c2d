import ArgumentParser

/// `kauri replay`: what the log says, for audits.
struct ReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Ask the log: whether the books are what they claim to be, what was, and why.",
    subcommands: [
      ReplayVerifyCommand.self,
      ReplayStoryCommand.self,
      ReplayDiffCommand.self,
      ReplayAccountCommand.self,
      ReplayExportCommand.self,
      ReplayImportCheckCommand.self,
    ])
}
