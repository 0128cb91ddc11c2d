import Commands
import Crypto
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
  /// Whether the book was opened now.
  public let opened: Bool
}

/// Brings a database's schema to what this build expects, and opens the book when its log is empty.
///
/// - Parameters:
///   - database: a libpq connection string, of the role that owns the schema.
///   - masterKeyFile: where it is given, it must be the key that the book was written with.
///   - timeZone: IANA name, of a book that is opened.
/// - Throws: `MigrationFault`, `MasterKeyFault`, `PersonalKeyFault`, `PostgresError`.
public func migrate(
  database: String, masterKeyFile: String?, timeZone: String, currency: Currency
) async throws -> MigrationResult {
  let configuration = ConnectionConfiguration(conninfo: database, applicationName: "kauri migrate")
  // The opening holds no personal text, so any key will do where none is given.
  let masterKey = try masterKeyFile.map { try MasterKeyFile(path: $0).masterKey() } ?? SymmetricKey(size: .bits256)
  let keyring = PersonalKeyring(masterKey: masterKey)

  let connection = try await Connection.connect(configuration)
  let report = try await connection.run { session in
    let report = try Migrator().migrate(session)
    if masterKeyFile != nil {
      _ = try keyring.loadKeys(for: [PersonalKeyring.book], session: session, creatingMissing: false)
    }
    return report
  }
  await connection.close()

  let book = try PostgresBook(
    configuration: configuration, keyring: keyring,
    readModels: InlineTables(codec: EventCodec(keyring: keyring)))
  let opening = try await book.openIfEmpty(timeZone: timeZone, currency: currency)
  var opened = false
  if case .recorded(let outcome, replayed: false)? = opening { opened = outcome.verdict == .accepted }
  return MigrationResult(
    applied: report.applied, total: report.applied.count + report.present, opened: opened)
}

/// Whether a book's calendar can be kept in this time zone.
public func isTimeZone(_ name: String) -> Bool { (try? BookCalendar(timeZone: name)) != nil }
