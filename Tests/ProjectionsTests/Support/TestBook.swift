import Commands
import Crypto
import EventStore
import Ledger
import LocalStack
import Logging
import Postgres
import Projections
import Synchronization
import Testing

/// One private cluster for all tests of a suite and of the suites within; every test has a database of its own on it.
struct ClusterTrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let cluster = try await PostgresCluster.temporary(settings: ["fsync": "off"])
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await TestBook.$cluster.withValue(cluster, operation: function))
    } catch {
      outcome = .failure(error)
    }
    try await cluster.destroy()
    try outcome.get()
  }
}

extension Trait where Self == ClusterTrait {
  static var cluster: Self { ClusterTrait() }
}

/// The suites that share a server.
@Suite(.cluster, .serialized) struct OnAServer {}

/// A book in a database of its own, with the real writer.
final class TestBook: Sendable {
  @TaskLocal static var cluster: PostgresCluster?

  static let operators = [Actor(role: .operator, subject: "ada"), Actor(role: .operator, subject: "ben")].compactMap {
    $0
  }

  let name: String
  let masterKey = SymmetricKey(size: .bits256)
  let keyring: PersonalKeyring
  let codec: EventCodec
  let reader: LogReader
  let tables: InlineTables
  let writer: PostgresBook
  let pool: Pool
  let adminConninfo: String
  /// How the server's role reaches the database.
  let configuration: ConnectionConfiguration
  let signal = HeadSignal()
  let clock: TestClock
  private let ids = Mutex<UInt64>(0)

  /// Gives `body` a book that is open.
  static func with(
    cache: Int = 500_000, connections: Int = 8, _ body: (TestBook) async throws -> Void
  ) async throws {
    let cluster = try #require(TestBook.cluster)
    let name = "book_\(UInt64.random(in: .min ... .max))"
    let admin = try await Connection.connect(ConnectionConfiguration(conninfo: cluster.adminConninfo))
    try await admin.execute("create database \(name) owner \(LocalStack.ownerRole) template template0 encoding 'UTF8'")
    await admin.close()
    let owner = try await Connection.connect(
      ConnectionConfiguration(conninfo: cluster.conninfo(user: LocalStack.ownerRole, database: name)))
    try await owner.run { session in _ = try Migrator().migrate(session) }
    await owner.close()
    let book = try TestBook(name, cluster, cache: cache, connections: connections)
    _ = try await book.writer.openIfEmpty(timeZone: "Pacific/Auckland", currency: .nzd)
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body(book))
    } catch {
      outcome = .failure(error)
    }
    await book.pool.shutdown()
    try outcome.get()
  }

  private init(_ name: String, _ cluster: PostgresCluster, cache: Int, connections: Int) throws {
    self.name = name
    let clock = TestClock()
    self.clock = clock
    adminConninfo = cluster.conninfo(user: "postgres", database: name)
    keyring = PersonalKeyring(masterKey: masterKey)
    codec = EventCodec(keyring: keyring)
    reader = LogReader(codec: codec)
    tables = InlineTables(codec: codec)
    var configuration = ConnectionConfiguration(
      conninfo: cluster.conninfo(user: LocalStack.serverRole, database: name))
    pool = Pool(Pool.Configuration(connection: configuration, maximumSize: connections))
    configuration.settings = InlineTables.sessionSettings
    self.configuration = configuration
    var options = WriterOptions(cachedAccountsMaximum: cache)
    options.clock = { clock.now }
    writer = try PostgresBook(
      configuration: configuration, keyring: keyring, readModels: tables, options: options,
      committed: { [signal] in signal.advance(to: $0) })
  }

  /// One more writer, as another server would have it: with a cache and a keyring of its own.
  func anotherWriter() throws -> PostgresBook {
    let keyring = PersonalKeyring(masterKey: masterKey)
    return try PostgresBook(
      configuration: configuration, keyring: keyring,
      readModels: InlineTables(codec: EventCodec(keyring: keyring)),
      options: WriterOptions(clock: { [clock] in clock.now }, clockLeadMaximum: nil))
  }

  var queries: BookQueries { BookQueries(pool: pool, reader: reader, signal: signal, patience: .seconds(10)) }

  /// Ids that grow, so that a failing test reads the same the next time.
  func nextID() -> Identifier {
    ids.withLock { last in
      last += 1
      return Identifier(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 | last)
    }
  }

  // MARK: Commands

  /// Gives commands as one batch.
  @discardableResult
  func give(_ instructions: [(Identifier, Actor, Instruction)]) async throws -> [CommandOutcome] {
    let results = await writer.commit(
      instructions.map { CommandEnvelope(id: $0.0, actor: $0.1, instruction: $0.2) })
    return try results.compactMap { result in
      switch result {
      case .recorded(let outcome, _): outcome
      case .unavailable(let fault): throw fault
      case .keyReused, .notDue, .versionConflict: nil
      }
    }
  }

  /// Gives one command that must be accepted.
  @discardableResult
  func accept(
    _ instruction: Instruction, id: Identifier? = nil, by actor: Actor = TestBook.operators[0],
    _ place: SourceLocation = #_sourceLocation
  ) async throws -> CommandOutcome {
    let outcome = try #require(
      try await give([(id ?? nextID(), actor, instruction)]).first, sourceLocation: place)
    try #require(outcome.verdict == .accepted, "\(instruction.name)", sourceLocation: place)
    return outcome
  }

  // MARK: The log

  func log() async throws -> [AppendedEvent] {
    try await pool.run { [reader] session in
      try reader.events(after: 0, limit: .max, session)
    }
  }

  /// What the whole log comes to.
  func fold() async throws -> BookState {
    var state = BookState(keepsEverything: true)
    for event in try await log() { state.evolve(event.event, event.origin) }
    return state
  }

  func head() async throws -> Int64 { try await queries.head().position }

  /// Runs `body` as the superuser.
  func administer<Value: Sendable>(_ body: @Sendable (Session) throws -> Value) async throws -> Value {
    let connection = try await Connection.connect(ConnectionConfiguration(conninfo: adminConninfo))
    let value = try await connection.run(body)
    await connection.close()
    return value
  }

  // MARK: Read models that follow

  func runner<Model: AsyncReadModel>(
    _: Model.Type, batch: Int = 2_000, lease: Duration = .seconds(10), owner: Identifier = .random()
  ) -> ProjectionRunner<Model> {
    ProjectionRunner(
      pool: pool, reader: reader, signal: signal,
      options: ProjectionOptions(batchMaximum: batch, poll: .milliseconds(20), lease: lease), owner: owner,
      logger: quiet)
  }

  /// Brings one model up to the head.
  func catchUp<Model: AsyncReadModel>(_: Model.Type, batch: Int = 2_000) async throws {
    let runner = runner(Model.self, batch: batch)
    var lease = try #require(try await take(Model.self, owner: .random()))
    while true {
      let reached = try await runner.step(lease)
      if reached == lease.position { break }
      lease.position = reached
    }
    try await pool.run { [lease] session in try lease.release(session) }
  }

  func take<Model: AsyncReadModel>(
    _: Model.Type, owner: Identifier, for duration: Duration = .seconds(10)
  ) async throws -> ProjectionLease? {
    try await pool.run { [reader] session in
      let live = Generation(try reader.head(session).generations[Model.name] ?? 1)
      let key = ProjectionLease.Key(model: Model.name, generation: live)
      return try ProjectionLease.take(key, shape: Model.shape, owner: owner, for: duration, session)
    }
  }

  func checkpoint<Model: AsyncReadModel>(_: Model.Type) async throws -> Int64 {
    try #require(try await Projections.lag(pool).first { $0.model == Model.name }).position
  }
}

/// A clock that a test moves by hand, so that days pass in no time.
final class TestClock: Sendable {
  /// 1 March 2026, midday UTC.
  private let moment = Mutex(Moment(microseconds: 1_772_366_400_000_000))

  var now: Moment { moment.withLock { $0 } }

  func advance(seconds: Int64) {
    moment.withLock { $0.microseconds += seconds * 1_000_000 }
  }
}

/// A log that nobody reads.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
