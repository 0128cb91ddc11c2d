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

  /// The key that checkpoints' signatures are checked with: the one in `file`, or the local stack's own where the
  /// command reads its book; nil without either.
  ///
  /// - Parameter segments: the archive that is read; alone, it may be any bank's.
  func checkpointKey(_ file: String?, segments: String?) throws -> CheckpointPublicKey? {
    if let file { return try ReplayFile.publicKey(file) }
    guard place.database == nil, isGiven || segments == nil else { return nil }
    let own = try LocalIdentity.load(from: place.dataDirectory ?? ".kauri").checkpointPublicKeyFile
    return Files.exists(own) ? try ReplayFile.publicKey(own) : nil
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
