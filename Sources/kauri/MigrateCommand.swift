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
      Runs as the role that owns the schema. A log from before events were sealed is sealed once, in short steps; no \
      server writes until that is done. Safe to run at any time and from several places at once; refuses a \
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
    try DataDirectoryOption.validate(dataDirectory)
    if let database {
      try DatabaseOption.validate(database)
      guard masterKey != nil else { throw ValidationError("--database needs --master-key too.") }
    }
    guard isTimeZone(timeZone) else {
      throw ValidationError("--time-zone takes an IANA name, such as Pacific/Auckland.")
    }
  }

  func run() async throws {
    let bar = ProgressBar(unit: "events sealed")
    defer { bar.finish() }
    let result = try await migrate(
      database: try conninfo(), masterKeyFile: try masterKeyFile(), timeZone: timeZone, currency: currency
    ) { sealed, head in
      bar.update(fraction: Double(sealed) / Double(head), count: Int(sealed))
    }
    bar.finish()
    for file in result.applied { Terminal.say("applied \(file)") }
    Terminal.say("the schema is up to date: \(result.total) migrations")
    if result.erasedAgain > 0 {
      Terminal.say("erased customers' keys were there again and were deleted: \(result.erasedAgain)")
    }
    if result.sealed > 0 { Terminal.say("sealed \(result.sealed) events that were appended before") }
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
