import ArgumentParser
import LocalStack

/// `--data-dir DIR` or `--database CONNINFO`: alike for every command that reads a book's database.
struct BookDatabaseOptions: ParsableArguments {
  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp("The running local stack's data directory. (default: .kauri)", valueName: "dir"))
  var dataDirectory: String?

  @Option(
    help: ArgumentHelp("The database, as a libpq connection string or URI without a password.", valueName: "conninfo"))
  var database: String?

  func validate() throws {
    guard dataDirectory == nil || database == nil else {
      throw ValidationError("Give --data-dir or --database, not both.")
    }
    try DataDirectoryOption.validate(dataDirectory)
    if let database { try DatabaseOption.validate(database) }
  }

  /// How the server's role reaches the database.
  ///
  /// - Throws: ``LocalStackError`` when no stack runs in the data directory.
  func conninfo() throws -> String {
    if let database { return database }
    return try StackRecord.read(from: dataDirectory ?? ".kauri").postgres
  }

  /// How the role that owns the schema reaches the database: as `--database` says, or at the local stack.
  ///
  /// - Throws: ``LocalStackError`` when no stack runs in the data directory.
  func ownerConninfo() throws -> String {
    if let database { return database }
    // Of two users in one connection string libpq takes the last.
    return try conninfo() + " user=\(LocalStack.ownerRole)"
  }
}
