import ArgumentParser
import LocalStack

/// `--data-dir`, alike for every command that works on the local stack.
struct DataDirectoryOption: ParsableArguments {
  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp("The local stack's data directory.", valueName: "dir"))
  var path = ".kauri"

  func validate() throws {
    try DataDirectoryOption.validate(path)
  }

  /// An empty value, as a script's unset variable gives it, would be the current directory, and nobody means the root.
  static func validate(_ path: String?) throws {
    guard let path else { return }
    guard !path.isEmpty else { throw ValidationError("--data-dir must not be empty.") }
    guard Files.resolve(path).contains(where: { $0 != "/" }) else {
      throw ValidationError("--data-dir must not be the root directory.")
    }
  }
}
