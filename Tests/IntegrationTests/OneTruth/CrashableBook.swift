import Commands
import Crypto
import EventStore
import Glibc
import Ledger
import LocalStack
import Logging
import Postgres
import Projections
import Synchronization

/// A book in a database of its own, on a cluster that tests share one after the other; a clock that is moved by hand;
/// and ways for whoever writes to come to grief.
struct CrashableBook: Sendable {
  /// What goes wrong while a batch is under way.
  enum Crash: CaseIterable, Sendable {
    /// The writer's process is gone with all that it knew, its backend isn't yet: another process gives the same
    /// commands beside it.
    case process
    /// The writer's session is ended by the administrator.
    case session
    /// The process behind that session is killed. Postgres then restarts every process that it has.
    case backend
    /// All of Postgres is killed.
    case postmaster
  }

  let cluster: PostgresCluster
  let name: String
  let masterKey = SymmetricKey(size: .bits256)
  let clock = HandMovedClock()

  /// Makes the database; no book is open in it yet.
  static func make(_ name: String, on cluster: PostgresCluster) async throws -> CrashableBook {
    let book = CrashableBook(cluster: cluster, name: name)
    let admin = RecordedBook(conninfo: cluster.adminConninfo)
    try await admin.read { session in
      try session.simple("create database \(name) owner \(LocalStack.ownerRole) template template0 encoding 'UTF8'")
    }
    try await RecordedBook(conninfo: book.owner.conninfo).read { session in _ = try Migrator().migrate(session) }
    return book
  }

  private init(cluster: PostgresCluster, name: String) {
    self.cluster = cluster
    self.name = name
  }

  /// Batches are abandoned on purpose here, many times.
  private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  // MARK: How it is reached

  var owner: ConnectionConfiguration {
    ConnectionConfiguration(conninfo: cluster.conninfo(user: LocalStack.ownerRole, database: name))
  }

  var server: ConnectionConfiguration {
    ConnectionConfiguration(conninfo: cluster.conninfo(user: LocalStack.serverRole, database: name))
  }

  var recorded: RecordedBook { RecordedBook(conninfo: server.conninfo) }

  /// A codec that opens nothing.
  static var sealedCodec: EventCodec { EventCodec(keyring: PersonalKeyring(masterKey: SymmetricKey(size: .bits256))) }

  /// One more writer, as another server process would have it: with a connection, a keyring and a cache of its own.
  func writer(knowing ruleSets: RuleSets, cachedAccounts: Int) throws -> PostgresBook {
    var configuration = server
    configuration.settings = InlineTables.sessionSettings
    let keyring = PersonalKeyring(masterKey: masterKey)
    return try PostgresBook(
      configuration: configuration, keyring: keyring, readModels: InlineTables(codec: EventCodec(keyring: keyring)),
      options: WriterOptions(
        cachedAccountsMaximum: cachedAccounts, clock: { [clock] in clock.now }, clockLeadMaximum: nil,
        ruleSets: ruleSets),
      logger: Self.quiet)
  }

  /// Runs `body` with a pool of the server's role.
  func withPool<Value>(_ body: (Pool) async throws -> Value) async throws -> Value {
    try await Pool.lend(server, maximumSize: 5, to: body)
  }

  // MARK: Crashes

  /// Lets one of Postgres' own crashes happen, and returns when it takes connections again.
  func strike(_ crash: Crash) async throws {
    switch crash {
    case .process: return
    case .session: try await endWriters()
    case .backend: try await killBackend()
    case .postmaster:
      await cluster.kill()
      try await cluster.start()
    }
    try await eventually("Postgres is back", within: .seconds(60)) {
      (try? await recorded.read { session in try session.execute("select 1").count }) != nil
    }
  }

  private static let writers = "from pg_stat_activity where application_name = 'kauri writer' and datname = "

  private func endWriters() async throws {
    try await RecordedBook(conninfo: cluster.adminConninfo).read { [name] session in
      _ = try session.execute("select pg_terminate_backend(pid) \(Self.writers) '\(name)'")
    }
  }

  private func killBackend() async throws {
    // Another session ends with it: that is when Postgres has noticed, and not a moment later.
    let witness = try await Connection.connect(ConnectionConfiguration(conninfo: cluster.adminConninfo))
    let pid: Int32? = try await witness.run { [name] session in
      let rows = try session.execute("select pid \(Self.writers) '\(name)' order by xact_start nulls last limit 1")
      return rows.count == 0 ? nil : try rows.int4(0, 0)
    }
    if let backend = pid.flatMap({ ProcessIdentity(of: $0) }), backend.send(SIGKILL) {
      try await eventually("Postgres ends every session", within: .seconds(30)) {
        (try? await witness.execute("select 1")) == nil
      }
    }
    await witness.close()
  }
}

/// A clock that a test moves by hand, so that weeks pass in no time.
final class HandMovedClock: Sendable {
  private let moment = Mutex(Moment(microseconds: 0))

  var now: Moment { moment.withLock { $0 } }

  func set(_ moment: Moment) { self.moment.withLock { $0 = moment } }
}
