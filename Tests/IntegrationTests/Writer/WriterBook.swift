import Commands
import Crypto
import EventStore
import Ledger
import LocalStack
import Postgres
import Projections
import Testing

/// A book on a private cluster, and the writers that a test wants on it.
struct WriterBook {
  let cluster: PostgresCluster
  let masterKey = SymmetricKey(size: .bits256)

  static func open() async throws -> WriterBook {
    let book = WriterBook(cluster: try await PostgresCluster.temporary())
    let owner = ConnectionConfiguration(conninfo: book.cluster.conninfo(user: LocalStack.ownerRole))
    let connection = try await Connection.connect(owner)
    try await connection.run { session in _ = try Migrator().migrate(session) }
    await connection.close()
    _ = try await book.writer().openIfEmpty(timeZone: "Pacific/Auckland", currency: .nzd)
    return book
  }

  /// Runs `body` with a book, and takes the cluster away whatever comes of it.
  static func run(_ body: (WriterBook) async throws -> Void) async throws {
    let book = try await open()
    do {
      try await body(book)
    } catch {
      try await book.cluster.destroy()
      throw error
    }
    try await book.cluster.destroy()
  }

  var configuration: ConnectionConfiguration {
    var configuration = ConnectionConfiguration(conninfo: cluster.conninfo(user: LocalStack.serverRole))
    configuration.settings = InlineTables.sessionSettings
    return configuration
  }

  /// One more writer, as another server process would have it: with a keyring and a cache of its own.
  func writer(_ options: WriterOptions = WriterOptions()) throws -> PostgresBook {
    let keyring = PersonalKeyring(masterKey: masterKey)
    return try PostgresBook(
      configuration: configuration, keyring: keyring, readModels: InlineTables(codec: EventCodec(keyring: keyring)),
      options: options)
  }

  /// What stands in the database.
  var recorded: RecordedBook { RecordedBook(conninfo: cluster.conninfo(user: LocalStack.serverRole)) }

  func log() async throws -> [AppendedEvent] { try await recorded.log() }

  /// The log is sound, and the read models are what a slow calculator makes of it.
  @discardableResult
  func expectSoundBook(sourceLocation: SourceLocation = #_sourceLocation) async throws -> LogAudit {
    try await recorded.expectSound(sourceLocation: sourceLocation)
  }
}
