import ArgumentParser
import Crypto
import EventStore
import LocalStack
import Postgres

/// A book's database and the key to its personal text, for commands that look into it themselves.
struct BookOption: ParsableArguments {
  @OptionGroup var place: BookDatabaseOptions

  @Option(
    help: ArgumentHelp(
      "The key that customers' keys are wrapped by; with --data-dir, the local stack's own.", valueName: "file"))
  var masterKey: String?

  /// Whether a database was named, rather than left to the default.
  var isGiven: Bool { place.dataDirectory != nil || place.database != nil }

  /// How the database is reached, as the server's role on the local stack.
  func connection(_ applicationName: String) throws -> ConnectionConfiguration {
    ConnectionConfiguration(
      conninfo: try place.conninfo(), applicationName: applicationName,
      settings: ["statement_timeout": "60s", "idle_in_transaction_session_timeout": "60s"])
  }

  /// The book's keys, for a command that reads; nil without a master key.
  func keyring() throws -> PersonalKeyring? {
    let file: String
    if let masterKey {
      file = masterKey
    } else if place.database == nil {
      file = try LocalIdentity.load(from: place.dataDirectory ?? ".kauri").masterKeyFile
    } else {
      return nil
    }
    // An erased key stays erased, and what is opened is shown to nobody: a long run needn't look again.
    return PersonalKeyring(
      masterKey: try MasterKeyFile(path: file).masterKey(), capacity: 262_144, absenceLifetime: .seconds(86_400),
      trust: .seconds(86_400))
  }
}
