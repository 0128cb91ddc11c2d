import ArgumentParser
import Glibc

/// The one executable of Kauri. Each subcommand has a file of its own.
@main
struct KauriCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kauri",
    abstract: "The core of a bank: a ledger of events, and the checks before money moves.",
    subcommands: [
      DevCommand.self,
      ServeCommand.self,
      ProjectCommand.self,
      RebuildCommand.self,
      MigrateCommand.self,
      RecoverCommand.self,
      TokenCommand.self,
      SubmitCommand.self,
      ReplayCommand.self,
      ErasuresCommand.self,
      VerifyReceiptCommand.self,
      CheckpointKeyCommand.self,
      BenchCommand.self,
      BareServerCommand.self,
    ])

  /// Exit status 0 when all is well, 1 when something failed or a check found something, 2 on wrong use.
  static func main() async {
    // A reader that goes away, as `head` does, is an error of the write and not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      Glibc.exit(report(error))
    }
  }

  /// Says what went wrong, and returns the exit status for it.
  private static func report(_ error: any Error) -> Int32 {
    switch exitCode(for: error) {
    case .success:
      print(fullMessage(for: error))
      return 0
    case .validationFailure:
      Terminal.say(fullMessage(for: error))
      return 2
    case let code where error is ExitCode:
      return code.rawValue
    default:
      Terminal.say("kauri: \(error)")
      return 1
    }
  }
}
