import Commands
import EventStore
import Ledger
import Postgres

/// Customers and accounts as they were, but for balances: folded with `evolve` from their own streams, which the log
/// has an index of. What it costs is these streams, however long the log is.
struct RegisterPast {
  let point: PastPoint
  let reader: LogReader
  let session: Session

  /// Scores come back from analytics by the thousand, and only the newest that wasn't superseded says anything: so many
  /// of each kind are read, and all of them only where every one of these was superseded.
  static let newestScores: Int64 = 8

  private static let scoreTypes = [FraudScoreRecorded.type, RiskScoreRecorded.type, AmlScoreRecorded.type].map(
    \.description)

  /// The state of these accounts and customers.
  ///
  /// - Parameter openings: accounts of which no more is wanted than that they were there.
  func fold(accounts: [AccountID], customers: [CustomerID], openings: [AccountID] = []) throws -> BookState {
    let events = try read(accounts, customers, openings, newestScores: RegisterPast.newestScores)
    if RegisterPast.mayLackScores(events) {
      return RegisterPast.fold(try read(accounts, customers, openings, newestScores: .max))
    }
    return RegisterPast.fold(events)
  }

  private static func fold(_ events: [AppendedEvent]) -> BookState {
    var state = BookState()
    for event in events { state.evolve(event.event, event.origin) }
    return state
  }

  private func read(
    _ accounts: [AccountID], _ customers: [CustomerID], _ openings: [AccountID], newestScores: Int64
  ) throws -> [AppendedEvent] {
    var positions = Set(
      try reader.positions(
        of: .account, accounts, through: point.position, newest: newestScores, of: RegisterPast.scoreTypes, session))
    positions.formUnion(
      try reader.positions(
        of: .customer, customers, through: point.position, newest: newestScores, of: RegisterPast.scoreTypes, session))
    positions.formUnion(try reader.firstPositions(of: .account, openings, through: point.position, session))
    return try reader.events(at: positions.sorted(), session)
  }

  /// Whether there may be an older score that counts: as many as were asked for are there, and none of them does.
  private static func mayLackScores(_ events: [AppendedEvent]) -> Bool {
    struct Kind: Hashable {
      let subject: StreamID
      let type: String
    }
    var superseded: [Kind: Int64] = [:]
    for event in events {
      guard let terms = event.event.scoreTerms else { continue }
      let kind = Kind(subject: event.origin.stream, type: event.event.type)
      superseded[kind] = terms.superseded ? superseded[kind, default: 0] + 1 : .min
    }
    return superseded.values.contains { $0 >= newestScores }
  }

  // MARK: Customers

  func customer(_ id: CustomerID, accounts: [AccountID]) throws -> Customer {
    guard let customer = try fold(accounts: [], customers: [id], openings: accounts).customers[id] else {
      throw try absence(of: .customer, StreamID(.customer, id))
    }
    return customer
  }

  /// Why there was nothing: it came later, or what made it has been archived.
  func absence(of subject: QueryFault.Subject, _ stream: StreamID) throws -> QueryFault {
    let first = try reader.page(after: 0, limit: 1, stream: stream, session).events.first
    guard let first, first.origin.version == 1, first.origin.position > point.position else { return .archived }
    return .notYet(subject, since: first.origin.position)
  }
}

extension Event {
  fileprivate var scoreTerms: ScoreTerms? {
    switch self {
    case .fraudScoreRecorded(let recorded): recorded.terms
    case .riskScoreRecorded(let recorded): recorded.terms
    case .amlScoreRecorded(let recorded): recorded.terms
    default: nil
    }
  }
}
