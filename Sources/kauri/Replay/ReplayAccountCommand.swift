public import ArgumentParser
import EventStore
public import Ledger
import Postgres
public import Projections

/// `kauri replay account ID --at TIME|POSITION`: an account as it was.
struct ReplayAccountCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "account",
    abstract: "An account's balance, holds, limits and scores as they were at a time or log position.",
    discussion: """
      Read through the index from an account to its events, so it costs what happened to the account and not the \
      length of the log. Amounts are in the currency's own decimals; with --json, in minor units. Shows no personal \
      text and needs no key.
      """)

  @Argument(help: "The account's id, or its number.")
  var account: AccountReference

  @Option(help: ArgumentHelp("A log position, or an RFC 3339 date-time.", valueName: "time|position"))
  var at: PointInTime

  @OptionGroup var database: BookDatabaseOptions

  @Flag(help: "Answer as one JSON object.")
  var json = false

  func run() async throws {
    let pool = Pool(
      Pool.Configuration(
        connection: ConnectionConfiguration(
          conninfo: try database.conninfo(), applicationName: "kauri replay",
          settings: ["statement_timeout": "60s"]), maximumSize: 1))
    // Personal text is neither opened nor shown, so no key is needed.
    let codec = EventCodec(keyring: .openingNothing)
    let queries = BookQueries(pool: pool, reader: LogReader(codec: codec))
    let past: Answer<AccountPast>
    do {
      past = try await queries.past(of: account, in: at)
    } catch {
      await pool.shutdown()
      throw error
    }
    await pool.shutdown()
    let report = AccountPastReport(past)
    Terminal.answer(json ? report.json : report.text)
  }
}

extension AccountReference: ExpressibleByArgument {
  public init?(argument: String) {
    if let id = Identifier(argument) {
      self = .id(id)
    } else if let number = try? AccountNumber(argument) {
      self = .number(number)
    } else {
      return nil
    }
  }
}

extension PointInTime: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
