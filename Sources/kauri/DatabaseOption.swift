import ArgumentParser

/// `--database`, alike for every command that goes to a database directly.
struct DatabaseOption: ParsableArguments {
  @Option(
    name: .customLong("database"),
    help: ArgumentHelp("The database, as a libpq connection string or URI without a password.", valueName: "conninfo"))
  var conninfo: String

  func validate() throws {
    try DatabaseOption.validate(conninfo)
  }

  /// Whoever lists the machine's processes sees a command line.
  static func validate(_ conninfo: String) throws {
    guard !conninfo.isEmpty else { throw ValidationError("--database must not be empty.") }
    guard !holdsPassword(conninfo) else {
      throw ValidationError(
        "--database must not hold a password; use the unix socket, or a service or pass file of libpq.")
    }
  }

  private static func holdsPassword(_ conninfo: String) -> Bool {
    if conninfo.contains(/(^|[\s?&])password\s*=/) { return true }
    return conninfo.contains(/^postgres(ql)?:\/\/[^\/@]*:[^\/@]*@/)
  }
}
