import Commands
package import Ledger
import Postgres

/// The part of the book's state that this process keeps between batches.
///
/// Under the head's lock it is current if the head stands where this process left it: same position, same batch. If
/// not, the events in between are folded into it. It is changed in place while a batch is decided, so whenever a batch
/// isn't surely committed as it was decided the whole of it is dropped.
package struct StateCache {
  /// The state, and whether anything has been loaded into it.
  package var state = BookState()
  private var position: Int64 = 0
  private var batchID: Identifier?

  /// The command of the last event that this process knows.
  private var lastCommand: CommandID?

  package init() {}

  /// Brings the cache to `head`, which must be locked.
  mutating func bring(
    to head: LogHead, catchUpMaximum: Int, reader: LogReader, readModels: any InlineReadModels, _ session: Session
  ) throws {
    if batchID == head.batchID, position == head.position { return }
    let gap = head.position - position
    if batchID == nil || gap < 0 || gap > Int64(catchUpMaximum) {
      drop()
    } else if try !catchUp(to: head, reader: reader, session) {
      drop()
    }
    if state.book == nil { try readModels.loadBook(into: &state, session) }
    position = head.position
    batchID = head.batchID
    lastCommand = try commandOfEvent(at: position, session)
  }

  /// Folds the events since the cache was current.
  ///
  /// - Returns: false when they can't be folded: the log before them isn't the one that the cache knows, or an event
  ///   needs what isn't cached.
  private mutating func catchUp(to head: LogHead, reader: LogReader, _ session: Session) throws -> Bool {
    // The same position in another history proves nothing: the event there must be the one that this process saw.
    guard try commandOfEvent(at: position, session) == lastCommand else { return false }
    let gap = Int(head.position - position)
    let events = try reader.events(after: position, limit: gap, stream: nil, types: [], session)
    guard events.count == gap else { return false }
    for event in events {
      // What a rejected approval gives back stands in the approval, not in the event.
      if let approved = event.event.approvedCommand, state.approvals[approved] == nil { return false }
      state.evolve(event.event, event.origin)
    }
    forgetPassing()
    return true
  }

  private func commandOfEvent(at position: Int64, _ session: Session) throws -> CommandID? {
    let rows = try session.execute("select command_id from events where position = $1", [.int8(position)])
    guard rows.count == 1 else { return nil }
    let (high, low) = try rows.uuid(0, 0)
    return Identifier(high: high, low: low)
  }

  /// Notes that a batch was committed as it was decided.
  package mutating func committed(
    position: Int64, batchID: Identifier, lastCommand: CommandID, cachedAccountsMaximum: Int
  ) {
    guard cachedAccountsMaximum > 0 else { return drop() }
    self.position = position
    self.batchID = batchID
    self.lastCommand = lastCommand
    forgetPassing()
    let counts = [state.accounts.count, state.customers.count, state.holds.count, state.approvals.count]
    if counts.contains(where: { $0 > cachedAccountsMaximum }) { evict(to: cachedAccountsMaximum / 2) }
  }

  mutating func drop() {
    state = BookState()
    position = 0
    batchID = nil
    lastCommand = nil
  }

  /// What is known for one batch only: transfers and ids that somebody asked about, and lists, which `evolve` may know
  /// in part.
  private mutating func forgetPassing() {
    state.transfers.removeAll(keepingCapacity: true)
    state.claimed.removeAll(keepingCapacity: true)
    state.lists.removeAll()
    // Nobody asks about what has ended but to be told so, and that the database can tell.
    for id in state.touched.holds where state.holds[id]?.status != .active { state.holds[id] = nil }
    for id in state.touched.approvals where state.approvals[id]?.status != .waiting { state.approvals[id] = nil }
    state.touched = BookState.Touched()
  }

  /// Nothing here is newer than the database, so anything may go.
  private mutating func evict(to count: Int) {
    state.accounts = Dictionary(uniqueKeysWithValues: state.accounts.lazy.prefix(count).map { ($0.key, $0.value) })
    let owners = Set(state.accounts.values.compactMap(\.customerID))
    state.customers = state.customers.filter { owners.contains($0.key) }
    let kept = state.accounts
    state.numbers = state.numbers.filter { kept.index(forKey: $0.value) != nil }
    state.holds = state.holds.filter { $0.value.status == .active && kept.index(forKey: $0.value.accountID) != nil }
    if state.holds.count > count { state.holds.removeAll() }
    state.approvals = state.approvals.filter { $0.value.status == .waiting }
    if state.approvals.count > count { state.approvals.removeAll() }
  }
}
