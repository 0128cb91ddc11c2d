import Commands
import EventStore
import Hummingbird
import Ledger
public import Logging
import NIOCore
import Postgres
import Projections
import ServiceLifecycle
public import UnixSignals

/// Serves the book in a database until the process is told to stop, then stops accepting, finishes the batch in flight
/// and answers everyone.
///
/// The database need not be there: until it is, the server says that it isn't ready.
///
/// - Parameters:
///   - metrics: where the process counts.
///   - signals: what tells the process to stop; a task that is cancelled stops as well.
///   - listening: called with the port once it listens.
/// - Throws: what makes serving pointless: no keys, no master key, another book's master key, a port that is taken.
public func serve(
  _ configuration: ServerConfiguration, metrics prometheus: PrometheusMetrics, logger: Logger,
  signals: [UnixSignal] = [.sigterm, .sigint], listening: @escaping @Sendable (Int) -> Void = { _ in }
) async throws {
  let connection = ConnectionConfiguration(conninfo: configuration.database, settings: querySettings)
  let keyring = PersonalKeyring(masterKey: try MasterKeyFile(path: configuration.masterKeyFile).masterKey())
  let codec = EventCodec(keyring: keyring)
  let authenticator = Authenticator(
    keys: try await KeyFile.read(configuration.keyFile), expectations: configuration.expectations)
  let pool = Pool(Pool.Configuration(connection: connection, maximumSize: configuration.poolSize))
  try await checkMasterKey(keyring, pool, logger)
  let signer = try configuration.checkpointKeyFile.map {
    CheckpointSigner(key: try CheckpointKeyFile(path: $0).checkpointKey())
  }
  let desk = CheckpointDesk(pool: pool, signer: signer, owner: .random())

  let signal = HeadSignal()
  let announcer = HeadAnnouncer(configuration: connection)
  var options = WriterOptions(ruleSets: configuration.ruleSets)
  if let accounts = configuration.stateCache { options.cachedAccountsMaximum = accounts }
  let book = try PostgresBook(
    configuration: connection, keyring: keyring, readModels: InlineTables(codec: codec), options: options
  ) { position in
    signal.advance(to: position)
    announcer.announce(position)
  }
  let metrics = ServerMetrics(prometheus)
  var handling = CommandHandler.Options()
  if let size = configuration.batchMaximum { handling = CommandHandler.Options(batchMaximum: size) }
  let handler = CommandHandler(writer: book, options: handling) { metrics.committed($0) }

  let queries = BookQueries(
    pool: pool, reader: LogReader(codec: codec), signal: signal, patience: ServerLimits().positionWait)
  let reader = BookReader(queries: queries)
  let parts = ServerParts(
    handler: handler, reader: reader, texts: KeyringTexts(keyring: keyring, codec: codec, pool: pool),
    authenticator: authenticator,
    health: DatabaseHealth(pool: pool, handler: handler, ruleSets: configuration.ruleSets), metrics: metrics,
    prometheus: prometheus, feed: HeadFeed(signal: signal), audit: DatabaseAudit(pool: pool, desk: desk),
    version: configuration.version, logger: logger)

  var services: [any Service] = [
    PoolService(pool: pool), AnnouncerService(announcer: announcer),
    Cancellable { await HeadListener(configuration: connection, signal: signal).run() },
    Cancellable { await ErasureFollower(pool: pool, keyring: keyring, logger: logger).run() },
    KeyFile(path: configuration.keyFile, authenticator: authenticator, logger: logger),
  ]
  if configuration.keepsReadModels {
    services.append(readModels(pool, LogReader(codec: codec), signal))
  }
  if desk.maySign {
    services.append(CheckpointSigning(desk: desk, signal: signal, configuration: connection, logger: logger))
  }
  services.append(HoldExpiry(handler: handler, reader: reader, ids: keyring.ownCommandIDs, logger: logger))

  let application = buildApplication(
    parts, address: .hostname(configuration.host, port: configuration.port), services: services
  ) { port in
    logger.notice("listening", metadata: ["host": "\(configuration.host)", "port": "\(port)"])
    listening(port)
  }
  try await run([application], logger, signals)
}

/// Keeps the read models that follow the log, and nothing else.
public func keepReadModels(database: String, logger: Logger) async throws {
  let connection = ConnectionConfiguration(conninfo: database, settings: querySettings)
  let pool = Pool(Pool.Configuration(connection: connection, maximumSize: 4))
  // Personal text goes into these tables as it stands in the log, sealed: no key is needed.
  let codec = EventCodec(keyring: .openingNothing)
  let signal = HeadSignal()
  try await run(
    [
      PoolService(pool: pool), Cancellable { await HeadListener(configuration: connection, signal: signal).run() },
      readModels(pool, LogReader(codec: codec), signal),
    ], logger, [.sigterm, .sigint])
}

private func readModels(_ pool: Pool, _ reader: LogReader, _ signal: HeadSignal) -> any Service {
  let runners = Projections.runners(pool: pool, reader: reader, signal: signal)
  return Cancellable { await Projections.run(runners) }
}

/// A query that never ends would hold its connection and its snapshot for ever.
private let querySettings = ["statement_timeout": "10s", "idle_in_transaction_session_timeout": "10s"]

/// How long stopping may take before what is left is cut off, in seconds.
private let stoppingMaximum = 15

private func run(_ services: [any Service], _ logger: Logger, _ signals: [UnixSignal]) async throws {
  var configuration = ServiceGroupConfiguration(
    services: services, gracefulShutdownSignals: signals, logger: logger)
  configuration.maximumGracefulShutdownDuration = .seconds(stoppingMaximum)
  try await ServiceGroup(configuration: configuration).run()
}

/// Another book's master key shows at once, and not when the first customer is read. A database that is away proves
/// nothing.
private func checkMasterKey(_ keyring: PersonalKeyring, _ pool: Pool, _ logger: Logger) async throws {
  do {
    try await pool.run { session in
      _ = try keyring.loadKeys(for: [PersonalKeyring.book], session: session, creatingMissing: false)
    }
  } catch let error as PostgresError {
    logger.warning("the database isn't ready yet", metadata: ["error": "\(error)"])
  }
}

// MARK: - Services

/// Gives the connections back when everybody who uses them has stopped.
private struct PoolService: Service {
  let pool: Pool

  func run() async throws {
    try? await gracefulShutdown()
    await pool.shutdown()
  }
}

private struct AnnouncerService: Service {
  let announcer: HeadAnnouncer

  func run() async throws {
    await withGracefulShutdownHandler {
      await announcer.run()
    } onGracefulShutdown: {
      announcer.stop()
    }
  }
}

/// Work that goes on until it is cancelled, and may be at any point.
private struct Cancellable: Service {
  let work: @Sendable () async -> Void

  init(_ work: @escaping @Sendable () async -> Void) {
    self.work = work
  }

  func run() async throws {
    await cancelWhenGracefulShutdown { await work() }
  }
}
