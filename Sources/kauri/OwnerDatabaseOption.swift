import ArgumentParser
import LocalStack

/// `--data-dir` or `--database`, for commands that work as the role that owns the schema.
struct OwnerDatabaseOption: ParsableArguments {
  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp("The running local stack's data directory.", valueName: "dir"))
  var dataDirectory: String?

  @Option(
    help: ArgumentHelp("The database, as a libpq connection string or URI without a password.", valueName: "conninfo"))
  var database: String?

  func validate() throws {
    guard (dataDirectory == nil) != (database == nil) else {
      throw ValidationError("Give --data-dir or --database, one of them.")
    }
    if let database { try DatabaseOption.validate(database) }
  }

  func conninfo() throws -> String {
    if let database { return database }
    // Of two users in one connection string libpq takes the last.
    return try StackRecord.read(from: dataDirectory ?? "").postgres + " user=\(LocalStack.ownerRole)"
  }
}
