import ArgumentParser
import LocalStack

/// `--data-dir`, alike for every command that works on the local stack.
struct DataDirectoryOption: ParsableArguments {
  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp("The local stack's data directory.", valueName: "dir"))
  var path = ".kauri"
}
