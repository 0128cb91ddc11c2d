public import EventStore
import Ledger
public import Postgres
import Synchronization

/// The questions that people and programs have about the book.
///
/// Each is answered from one snapshot of the database and says which log position that is. With `atLeast`, a question
/// waits until that position is in what it reads, so that a caller sees its own write; not for longer than `patience`.
///
/// Every call throws `QueryFault` where the question has no answer, and `PostgresError` where the database has none.
public struct BookQueries: Sendable {
  let reader: LogReader
  private let pool: Pool
  private let signal: HeadSignal
  private let patience: Duration
  let calendars = Calendars()
  let live = KnownTables()

  /// How long a model may take to notice that the log has grown, before it is asked again.
  private static let pause: Duration = .milliseconds(10)

  public init(pool: Pool, reader: LogReader, signal: HeadSignal = HeadSignal(), patience: Duration = .seconds(5)) {
    self.pool = pool
    self.reader = reader
    self.signal = signal
    self.patience = patience
  }

  /// Where the log ends.
  public func head() async throws -> HeadReading {
    try await pool.run { [reader] session in
      let head = try reader.head(session)
      return HeadReading(
        position: head.position, lastMoment: head.lastMoment, incarnation: head.incarnation, ruleSet: head.ruleSet)
    }
  }

  // MARK: Asking

  /// What one look at the database came to.
  enum Look<Value: Sendable>: Sendable {
    /// - Parameter reached: up to where the tables that were read are current.
    case found(Answer<Value>, reached: Int64)
    case unknown(QueryFault.Subject, reached: Int64)
    case behind(reached: Int64)

    static func found(_ value: Value, at position: Int64) -> Look {
      .found(Answer(value, position: position), reached: position)
    }
  }

  /// Looks until `atLeast` has been reached.
  func ask<Value>(atLeast: Int64?, _ look: @Sendable (Session) throws -> Look<Value>) async throws -> Answer<Value> {
    let wanted = atLeast ?? 0
    let deadline = ContinuousClock.now + patience
    var hasMissedATable = false
    while true {
      let seen: Look<Value>
      do {
        seen = try await pool.run(look)
      } catch let error as PostgresError where error.isMissingTable && !hasMissedATable {
        // The generation that it read the number of was dropped before it read the rows: it looks again.
        hasMissedATable = true
        continue
      }
      let reached: Int64
      switch seen {
      case .found(let answer, let position) where position >= wanted: return answer
      case .unknown(let subject, let position) where position >= wanted: throw QueryFault.unknown(subject)
      case .found(_, let position), .unknown(_, let position), .behind(let position): reached = position
      }
      guard ContinuousClock.now < deadline else { throw QueryFault.notReached(position: reached) }
      await signal.wait(beyond: max(reached, signal.position), for: BookQueries.pause)
      try Task.checkCancellation()
    }
  }

  /// As `ask`, for what takes several statements: all of them see one snapshot of the tables that decisions read, at
  /// `head`.
  func askAtHead<Value>(
    atLeast: Int64?, _ look: @Sendable (Session, _ head: LogHead) throws -> Look<Value>
  ) async throws -> Answer<Value> {
    try await ask(atLeast: atLeast) { session in
      try session.transaction(BookQueries.snapshot) {
        let head = try reader.head(session)
        guard head.position >= atLeast ?? 0 else { return .behind(reached: head.position) }
        return try look(session, head)
      }
    }
  }

  /// As `ask`, for what a model that follows the log knows.
  func ask<Model: AsyncReadModel, Value>(
    _: Model.Type, atLeast: Int64?, _ look: @Sendable (Session, ModelView) throws -> Look<Value>
  ) async throws -> Answer<Value> {
    try await ask(atLeast: atLeast) { session in
      try session.transaction(BookQueries.snapshot) {
        let view = try ModelView(Model.name, reader, session)
        guard view.reached >= atLeast ?? 0 else { return .behind(reached: view.reached) }
        return try look(session, view)
      }
    }
  }

  private static let snapshot = "begin isolation level repeatable read read only"
}

/// A model that follows the log, as a snapshot shows it.
struct ModelView {
  let head: LogHead
  /// The generation that is live.
  let generation: Generation
  /// The form of its tables; 0 when nobody has begun to fill them.
  let shape: Int
  /// The last event that is in the model.
  let reached: Int64

  init(_ model: String, _ reader: LogReader, _ session: Session) throws {
    head = try reader.head(session)
    generation = Generation(liveIn: head, of: model)
    let rows = try session.execute(
      "select position, shape from projections where model = $1 and generation = $2",
      [.text(model), .int4(Int32(clamping: generation.number))])
    reached = rows.count > 0 ? try rows.int8(0, 0) : 0
    shape = rows.count > 0 ? Int(try rows.int4(0, 1)) : 0
  }
}

/// Calendars by time zone: making one works out a century of offsets.
final class Calendars: Sendable {
  private let known = Mutex<[String: BookCalendar]>([:])

  func calendar(_ timeZone: String) throws -> BookCalendar {
    if let calendar = known.withLock({ $0[timeZone] }) { return calendar }
    let calendar = try BookCalendar(timeZone: timeZone)
    known.withLock { $0[timeZone] = calendar }
    return calendar
  }
}
