public import ArgumentParser
public import Ledger
import LocalStack
import Server

/// `kauri migrate`: the schema, and the book's opening.
struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate",
    abstract: "Bring a database's schema up to date, and open the book if there is none yet.",
    discussion: """
      Runs as the role that owns the schema. Safe to run at any time and from several places at once; refuses a \
      migration that was changed after it was applied.
      """)

  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp("The running local stack's data directory.", valueName: "dir"))
  var dataDirectory: String?

  @Option(
    help: ArgumentHelp("The database, as a libpq connection string or URI without a password.", valueName: "conninfo"))
  var database: String?

  @Option(
    help: ArgumentHelp(
      "The key that customers' keys are wrapped by; with --data-dir, the local stack's own.", valueName: "file"))
  var masterKey: String?

  @Option(help: "The book's time zone: its calendar day is the day of limits and statements.")
  var timeZone = "Pacific/Auckland"

  @Option(help: "The book's currency.")
  var currency: Currency = .nzd

  func validate() throws {
    guard (dataDirectory == nil) != (database == nil) else {
      throw ValidationError("Give --data-dir or --database, one of them.")
    }
    if let database {
      try DatabaseOption.validate(database)
      guard masterKey != nil else { throw ValidationError("--database needs --master-key too.") }
    }
    guard isTimeZone(timeZone) else {
      throw ValidationError("--time-zone takes an IANA name, such as Pacific/Auckland.")
    }
  }

  func run() async throws {
    let result = try await migrate(
      database: try conninfo(), masterKeyFile: try masterKeyFile(), timeZone: timeZone, currency: currency)
    for file in result.applied { Terminal.say("applied \(file)") }
    Terminal.say("the schema is up to date: \(result.total) migrations")
    if result.erasedAgain > 0 {
      Terminal.say("erased customers' keys were there again and were deleted: \(result.erasedAgain)")
    }
    Terminal.say(result.opened ? "opened the book: \(currency), \(timeZone)" : "the book is open already")
  }

  private func masterKeyFile() throws -> String {
    try masterKey ?? LocalIdentity.load(from: dataDirectory ?? "").masterKeyFile
  }

  private func conninfo() throws -> String {
    if let database { return database }
    // Of two users in one connection string libpq takes the last.
    return try StackRecord.read(from: dataDirectory ?? "").postgres + " user=\(LocalStack.ownerRole)"
  }
}

extension Currency: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
