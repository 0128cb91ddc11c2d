import Commands
import Crypto
import EventStore
import Ledger
import LocalStack
import Postgres
import Projections

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

  /// Runs `body` on a session of the server's role.
  func read<Value: Sendable>(_ body: @Sendable (Session) throws -> Value) async throws -> Value {
    let connection = try await Connection.connect(configuration)
    let value = try await connection.run(body)
    await connection.close()
    return value
  }

  /// The whole log.
  func log() async throws -> [AppendedEvent] {
    let reader = LogReader(codec: EventCodec(keyring: PersonalKeyring(masterKey: masterKey)))
    return try await read { session in
      var events: [AppendedEvent] = []
      while true {
        let page = try reader.events(
          after: events.last?.origin.position ?? 0, limit: 1_000, stream: nil, types: [], session)
        if page.isEmpty { return events }
        events += page
      }
    }
  }

  /// Posted and held of every account, as the read model has them.
  func balances() async throws -> [AccountID: NaiveBalances.Amounts] {
    try await read { session in
      let rows = try session.execute("select account_id, posted, held from balances")
      var balances: [AccountID: NaiveBalances.Amounts] = [:]
      for row in 0..<rows.count {
        let (high, low) = try rows.uuid(row, 0)
        balances[Identifier(high: high, low: low)] = .init(posted: try rows.int8(row, 1), held: try rows.int8(row, 2))
      }
      return balances
    }
  }
}

/// A slow balance calculator that shares nothing with `evolve`.
struct NaiveBalances {
  struct Amounts: Equatable, Sendable {
    var posted: Int64 = 0
    var held: Int64 = 0
  }

  private(set) var accounts: [AccountID: Amounts] = [:]

  init(_ log: [AppendedEvent]) {
    for event in log { add(event.event) }
  }

  private mutating func add(_ event: Event) {
    switch event {
    case .accountOpened(let opened): accounts[opened.instruction.accountID] = Amounts()
    case .transferPosted(let posted):
      move(posted.terms.amount, from: posted.terms.debit.id, to: posted.terms.credit.id)
    case .transferReversed(let reversed):
      move(reversed.amount, from: reversed.debitAccountID, to: reversed.creditAccountID)
    case .holdPlaced(let placed): accounts[placed.account.id]?.held += placed.amount
    case .holdCaptured(let captured):
      accounts[captured.debitAccountID]?.held -= captured.amount + captured.released
      move(captured.amount, from: captured.debitAccountID, to: captured.credit.id)
    case .holdReleased(let released): accounts[released.returned.accountID]?.held -= released.returned.amount
    case .holdExpired(let expired): accounts[expired.returned.accountID]?.held -= expired.returned.amount
    default: break
    }
  }

  private mutating func move(_ amount: Int64, from debit: AccountID, to credit: AccountID) {
    accounts[debit]?.posted -= amount
    accounts[credit]?.posted += amount
  }
}
