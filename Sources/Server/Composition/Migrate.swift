import Commands
import EventStore
public import Ledger
import Postgres
import Projections

/// What `kauri migrate` did.
public struct MigrationResult: Sendable {
  /// Files of the schema that were applied, in order.
  public let applied: [String]
  /// Files of the schema that there are now.
  public let total: Int
  /// Events from before the log was sealed as it is written, which are sealed now.
  public let sealed: Int64
  /// Whether the book was opened now.
  public let opened: Bool
  /// Keys of erased customers that were there again, as after a restore of single tables, and were deleted.
  public let erasedAgain: Int64
}

/// Brings a database's schema to what this build expects, seals what its log holds unsealed, and opens the book when
/// it is empty.
///
/// - Parameters:
///   - database: a libpq connection string, of the role that owns the schema.
///   - masterKeyFile: the key that personal keys are wrapped by; the one that the book was opened with, if it is open
///     already.
///   - timeZone: IANA name, of a book that is opened.
///   - sealing: called as an existing log is sealed, with the position reached and the log's end.
/// - Throws: `MigrationFault`, `SealingFault`, `MasterKeyFault`, `PersonalKeyFault`, `PostgresError`.
public func migrate(
  database: String, masterKeyFile: String, timeZone: String, currency: Currency,
  sealing: @Sendable (_ sealed: Int64, _ head: Int64) -> Void = { _, _ in }
) async throws -> MigrationResult {
  let configuration = ConnectionConfiguration(
    conninfo: database, applicationName: "kauri migrate",
    // Frozen in the middle of sealing a log, it must not keep the head from everybody.
    settings: ["idle_in_transaction_session_timeout": "10s", "client_connection_check_interval": "2s"])
  let keyring = PersonalKeyring(masterKey: try MasterKeyFile(path: masterKeyFile).masterKey())

  let connection = try await Connection.connect(configuration)
  let (report, erasedAgain, sealed) = try await connection.run { session in
    (
      try Migrator().migrate(session), try Erasures.repeatAll(session),
      try LogSealing.sealExisting(session, progress: sealing)
    )
  }
  await connection.close()

  let book = try PostgresBook(
    configuration: configuration, keyring: keyring,
    readModels: InlineTables(codec: EventCodec(keyring: keyring)))
  let opening = try await book.openIfEmpty(timeZone: timeZone, currency: currency)
  var opened = false
  if case .recorded(let outcome, replayed: false)? = opening { opened = outcome.verdict == .accepted }
  return MigrationResult(
    applied: report.applied, total: report.applied.count + report.present, sealed: sealed, opened: opened,
    erasedAgain: erasedAgain)
}

/// Whether a book's calendar can be kept in this time zone.
public func isTimeZone(_ name: String) -> Bool { (try? BookCalendar(timeZone: name)) != nil }
