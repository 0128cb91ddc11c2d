package import Commands
import EventStore
package import Ledger
package import Postgres
import Synchronization

/// Fills a generation of a model that decisions read, with the very fold that the writer keeps it by.
///
/// The fold stands in memory, for as many things as the model has rows that can still change, and is written when it
/// has come to the end: a row that ten thousand events changed is written once. So it can't be taken up half way; a
/// killed one is begun again.
package final class InlineFill: GenerationFill {
  private struct State {
    var book = BookState()
    var isEmpty = true
    /// The keys of the rows to write, in their order; nil while they aren't known.
    var ordered: [Identifier]?
    /// Nil until somebody wants to know.
    var written: WrittenRows?
  }

  package let eventTypes: Set<String>
  private let model: InlineModel
  private let statements: InlineStatements
  private let state = Mutex(State())

  /// Rows that wait at most, where those that can't change any more are forgotten once they are written.
  private static let waitingMaximum = 100_000
  /// Rows in one statement.
  private static let rowsMaximum = 5_000

  package init(_ model: InlineModel, _ generation: Generation) {
    self.model = model
    eventTypes = model.eventTypes
    statements = InlineStatements(LiveTables([model.rawValue: generation.number]))
  }

  package func portion(of events: [AppendedEvent]) -> [RecordedEvent] {
    events.map { RecordedEvent(origin: $0.origin, event: $0.event) }
  }

  package func take(_ portion: [RecordedEvent]) -> Bool {
    state.withLock { state in
      state.ordered = nil
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

  /// Millions of keys take seconds to be put in order, and an open transaction isn't given as many.
  package func arrange() {
    state.withLock { state in state.ordered = model.keys(of: state.book.touched).sorted() }
  }

  package func write(_ session: Session) throws {
    try state.withLock { state in
      let touched = state.book.touched
      let ordered = state.ordered ?? model.keys(of: touched).sorted()
      state.book.touched = BookState.Touched()
      state.ordered = nil
      state.written?.formUnion(model.rows(of: touched))
      switch model {
      case .book:
        guard touched.book, let book = state.book.book else { return }
        try send(session) { try BookRow.write(book, statements.live, into: &$0) }
      case .customers:
        try inParts(ordered, session) { ids, pipeline in
          try CustomerRow.write(ids, of: state.book, statements.customers, into: &pipeline)
        }
      case .accounts:
        try inParts(ordered, session) { ids, pipeline in
          try AccountRow.write(ids, of: state.book, statements.accounts, into: &pipeline)
        }
      case .balances: try writeBalances(ordered, &state, session)
      case .holds:
        try inParts(ordered, session) { ids, pipeline in
          try HoldRow.write(ids, of: state.book, statements.holds, into: &pipeline)
        }
        // What no event can change any more.
        for id in ordered where state.book.holds[id]?.status != .active { state.book.holds[id] = nil }
      case .approvals:
        try inParts(ordered, session) { ids, pipeline in
          try ApprovalRow.write(ids, of: state.book, statements.approvals, into: &pipeline)
        }
        for id in ordered where state.book.approvals[id]?.status != .waiting { state.book.approvals[id] = nil }
      case .sanctions:
        try send(session) { try SanctionsListRow.write(touched, of: state.book, statements.sanctions, into: &$0) }
      }
    }
  }

  /// Into an empty table by COPY.
  private func writeBalances(_ ordered: [AccountID], _ state: inout State, _ session: Session) throws {
    if state.isEmpty, !ordered.isEmpty {
      state.isEmpty = false
      for start in stride(from: 0, to: ordered.count, by: InlineFill.waitingMaximum) {
        let part = Set(ordered[start..<min(start + InlineFill.waitingMaximum, ordered.count)])
        try BalanceRow.copy(part, of: state.book, statements.balances, session)
      }
    } else {
      try inParts(ordered, session) { ids, pipeline in
        try BalanceRow.insert(ids, of: state.book, statements.balances, into: &pipeline)
      }
    }
  }

  /// In the order of their keys, so that neighbouring rows share pages.
  private func inParts(
    _ ordered: [Identifier], _ session: Session, _ write: (Set<Identifier>, inout Pipeline) throws -> Void
  ) throws {
    for start in stride(from: 0, to: ordered.count, by: InlineFill.rowsMaximum) {
      let part = Set(ordered[start..<min(start + InlineFill.rowsMaximum, ordered.count)])
      try send(session) { try write(part, &$0) }
    }
  }

  private func send(_ session: Session, _ queue: (inout Pipeline) throws -> Void) throws {
    for outcome in try session.pipeline(queue) { _ = try outcome.get() }
  }

  package func takeWritten() -> WrittenRows {
    state.withLock { state in
      defer { state.written = WrittenRows.none }
      return state.written ?? WrittenRows.none
    }
  }
}

extension WrittenRows {
  /// In place: a set that grows with every write isn't copied each time.
  mutating func formUnion(_ other: WrittenRows) {
    guard case .keys(var keys) = self, case .keys(let more) = other else {
      self = union(other)
      return
    }
    self = .none
    keys.formUnion(more)
    self = .keys(keys)
  }

  func union(_ other: WrittenRows) -> WrittenRows {
    switch (self, other) {
    case (.any, _), (_, .any): .any
    case (.none, _): other
    case (_, .none): self
    case (.keys(let left), .keys(let right)): .keys(left.union(right))
    }
  }
}
