import Commands
import EventStore
import Ledger
import Postgres
import Synchronization

/// Fills a generation of a model that decisions read, with the very fold that the writer keeps it by.
///
/// The fold stands in memory, for as many things as the model has rows that can still change, and is written when it
/// has come to the end: a row that ten thousand events changed is written once. So it can't be taken up half way; a
/// killed one is begun again.
final class InlineFill: GenerationFill {
  private struct State {
    var book = BookState()
    var isEmpty = true
    var written = WrittenRows.none
  }

  let eventTypes: Set<String>
  private let model: InlineModel
  private let statements: InlineStatements
  private let state = Mutex(State())

  /// Rows that wait at most, where those that can't change any more are forgotten once they are written.
  private static let waitingMaximum = 100_000
  /// Rows in one statement.
  private static let rowsMaximum = 5_000

  init(_ model: InlineModel, _ generation: Generation) {
    self.model = model
    eventTypes = model.eventTypes
    statements = InlineStatements(LiveTables([model.rawValue: generation.number]))
  }

  func portion(of events: [AppendedEvent]) -> [RecordedEvent] {
    events.map { RecordedEvent(origin: $0.origin, event: $0.event) }
  }

  func take(_ portion: [RecordedEvent]) -> Bool {
    state.withLock { state in
      for recorded in portion {
        state.book.evolve(recorded.event, recorded.origin)
      }
      model.forgetOthers(&state.book)
      switch model {
      case .holds: return state.book.touched.holds.count > InlineFill.waitingMaximum
      case .approvals: return state.book.touched.approvals.count > InlineFill.waitingMaximum
      case .book, .customers, .accounts, .balances, .sanctions: return false
      }
    }
  }

  // MARK: Writing

  func write(_ session: Session) throws {
    try state.withLock { state in
      let touched = state.book.touched
      state.book.touched = BookState.Touched()
      state.written = state.written.union(model.rows(of: touched))
      switch model {
      case .book:
        guard touched.book, let book = state.book.book else { return }
        try send(session) { try BookRow.write(book, statements.live, into: &$0) }
      case .customers:
        try inParts(touched.customers, session) { ids, pipeline in
          try CustomerRow.write(ids, of: state.book, statements.customers, into: &pipeline)
        }
      case .accounts:
        try inParts(touched.accounts, session) { ids, pipeline in
          try AccountRow.write(ids, of: state.book, statements.accounts, into: &pipeline)
        }
      case .balances: try writeBalances(touched.balances, &state, session)
      case .holds:
        try inParts(touched.holds, session) { ids, pipeline in
          try HoldRow.write(ids, of: state.book, statements.holds, into: &pipeline)
        }
        state.book.holds = state.book.holds.filter { $0.value.status == .active }
      case .approvals:
        try inParts(touched.approvals, session) { ids, pipeline in
          try ApprovalRow.write(ids, of: state.book, statements.approvals, into: &pipeline)
        }
        state.book.approvals = state.book.approvals.filter { $0.value.status == .waiting }
      case .sanctions:
        try send(session) { try SanctionsListRow.write(touched, of: state.book, statements.sanctions, into: &$0) }
      }
    }
  }

  /// Into an empty table by COPY.
  private func writeBalances(_ accounts: Set<AccountID>, _ state: inout State, _ session: Session) throws {
    if state.isEmpty, !accounts.isEmpty {
      state.isEmpty = false
      let ordered = accounts.sorted()
      for start in stride(from: 0, to: ordered.count, by: InlineFill.waitingMaximum) {
        let part = Set(ordered[start..<min(start + InlineFill.waitingMaximum, ordered.count)])
        try BalanceRow.copy(part, of: state.book, statements.balances, session)
      }
    } else {
      try inParts(accounts, session) { ids, pipeline in
        try BalanceRow.insert(ids, of: state.book, statements.balances, into: &pipeline)
      }
    }
  }

  /// In the order of their keys, so that neighbouring rows share pages.
  private func inParts(
    _ ids: Set<Identifier>, _ session: Session, _ write: (Set<Identifier>, inout Pipeline) throws -> Void
  ) throws {
    let ordered = ids.sorted()
    for start in stride(from: 0, to: ordered.count, by: InlineFill.rowsMaximum) {
      let part = Set(ordered[start..<min(start + InlineFill.rowsMaximum, ordered.count)])
      try send(session) { try write(part, &$0) }
    }
  }

  private func send(_ session: Session, _ queue: (inout Pipeline) throws -> Void) throws {
    for outcome in try session.pipeline(queue) { _ = try outcome.get() }
  }

  func takeWritten() -> WrittenRows {
    state.withLock { state in
      defer { state.written = .none }
      return state.written
    }
  }
}

extension WrittenRows {
  func union(_ other: WrittenRows) -> WrittenRows {
    switch (self, other) {
    case (.any, _), (_, .any): .any
    case (.none, _): other
    case (_, .none): self
    case (.keys(let left), .keys(let right)): .keys(left.union(right))
    }
  }
}
