import BookByChance
import Commands
import Ledger
import Testing

/// A whole book in memory that decides commands, keeps its log as bytes, and looks after each event whether everything
/// that must always hold still does.
struct TestBook {
  /// One command with what it led to.
  struct Step {
    let command: CommandEnvelope
    let context: DecisionContext
    let before: BookState
    let verdict: Verdict
    let recorded: [AppendedEvent]
  }

  struct Broken: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }

  private(set) var state = BookState(keepsEverything: true)
  private(set) var steps: [Step] = []
  private(set) var naive = NaiveLedger()
  private var position: Int64 = 0
  private var versions: [StreamID: Int64] = [:]
  /// Ids of commands and ids that movements chose: a command under one of them never reaches a decision.
  private var taken: Set<Identifier> = []

  func isTaken(_ id: Identifier) -> Bool { taken.contains(id) }

  mutating func forgetTouched() { state.touched = BookState.Touched() }

  /// - Returns: what was decided, after it has been recorded and everything has been looked at.
  @discardableResult
  mutating func give(_ command: CommandEnvelope, in context: DecisionContext) throws -> Decision {
    let decision = decide(command, on: state, in: context)
    guard decision == decide(command, on: state, in: context) else { throw Broken("decided twice, differently") }
    guard case .record(let events, let verdict) = decision else { return decision }
    guard !events.isEmpty else { throw Broken("nothing to record") }
    let before = state
    var recorded: [AppendedEvent] = []
    for (index, event) in events.enumerated() {
      recorded.append(try record(event, index, command, context))
    }
    taken.insert(command.id)
    if let chosen = events[0].chosenID(command: command.id) { taken.insert(chosen) }
    steps.append(Step(command: command, context: context, before: before, verdict: verdict, recorded: recorded))
    try checkMoney(on: context.bookDate)
    return decision
  }

  private mutating func record(
    _ event: Event, _ index: Int, _ command: CommandEnvelope, _ context: DecisionContext
  ) throws -> AppendedEvent {
    let stream = event.stream(command: command.id)
    let version = state.nextVersion(of: event, in: stream)
    guard version == versions[stream, default: 0] + 1 else {
      throw Broken("\(event.type) is version \(version) after \(versions[stream, default: 0]) of \(stream)")
    }
    versions[stream] = version
    position += 1
    let origin = EventOrigin(
      position: position, stream: stream, version: version, commandID: command.id, index: index, actor: command.actor,
      causation: nil, correlation: command.id, moment: context.moment, bookDate: context.bookDate,
      ruleSet: context.ruleSet)
    // The log keeps personal text sealed, so what is folded and read again is too.
    let payload = try event.payload(.sealed(GlassVault()))
    let kept = try TestBook.read(event.type, payload)
    try naive.read(
      type: event.type, payload: payload, command: command.id.description, date: context.bookDate.description)
    let before = state
    state.touched = BookState.Touched()
    state.evolve(kept, origin)
    try checkTouched(before)
    state.touched.add(before.touched)
    return AppendedEvent(origin: origin, event: kept, payload: payload)
  }

  static func read(_ type: String, _ payload: [UInt8]) throws -> Event {
    let context = ReadingContext(command: .zero, source: .log)
    guard let event = try Event(type: type, from: try JSONDocument(payload).root, in: context) else {
      throw Broken("\(type) isn't known")
    }
    return event
  }

  // MARK: What must always hold

  private func checkMoney(on date: CalendarDate) throws {
    guard naive.accounts.count == state.accounts.count else { throw Broken("another number of accounts") }
    let days = (0...30).map { date.adding(days: -$0) }.map { ($0, $0.description) }
    var sums: [String: Int128] = [:]
    var reserved: [AccountID: Int128] = [:]
    for hold in state.holds.values where hold.status == .active {
      reserved[hold.accountID, default: 0] += Int128(hold.amount)
    }
    for approval in state.approvals.values where approval.status == .waiting {
      for (account, amount) in approval.reservations { reserved[account, default: 0] += Int128(amount) }
    }
    for (id, account) in state.accounts {
      guard let naive = naive.accounts[id.description] else { throw Broken("\(id) is unknown") }
      sums[naive.currency, default: 0] += naive.posted
      let balance = account.balance
      guard naive.posted == Int128(balance.posted), naive.held == Int128(balance.held) else {
        throw Broken("\(id) has \(balance), should have \(naive)")
      }
      guard balance.held >= 0, Int128(balance.held) == reserved[id, default: 0] else {
        throw Broken("\(id) holds \(balance.held) for \(reserved[id, default: 0])")
      }
      guard naive.allowNegative || naive.posted - naive.held + naive.overdraft >= 0 else {
        throw Broken("\(id) is under its floor: \(balance)")
      }
      for (day, text) in days {
        let used = balance.usage.used(from: day, through: day) ?? -1
        guard Int128(used) == naive.used[text, default: 0] else {
          throw Broken("\(id) has used \(balance.usage), should have \(naive.used), on \(day)")
        }
      }
    }
    for (currency, sum) in sums where sum != 0 { throw Broken("\(currency) sums to \(sum)") }
  }

  /// Whatever changed is touched: a read model writes no more than that.
  private func checkTouched(_ before: BookState) throws {
    let touched = state.touched
    func changed<ID, Value: Equatable>(_ old: [ID: Value], _ new: [ID: Value]) -> Set<ID> {
      Set(new.filter { old[$0.key] != $0.value }.keys).union(old.keys.filter { new[$0] == nil })
    }
    func account(_ account: Account) -> Account {
      var account = account
      account.balance = Balance(position: 0)
      return account
    }
    guard before.book == state.book || touched.book else { throw Broken("the book changed untouched") }
    guard
      changed(before.accounts.mapValues(account), state.accounts.mapValues(account)).isSubset(of: touched.accounts),
      changed(before.accounts.mapValues(\.balance), state.accounts.mapValues(\.balance)).isSubset(of: touched.balances),
      changed(before.customers, state.customers).isSubset(of: touched.customers),
      changed(before.holds, state.holds).isSubset(of: touched.holds),
      changed(before.approvals, state.approvals).isSubset(of: touched.approvals),
      changed(before.lists, state.lists).isSubset(of: Set(touched.lists.keys))
    else { throw Broken("a change that nothing touched") }
    for (name, entries) in touched.lists {
      let old = before.lists[name]?.entries ?? [:]
      let new = state.lists[name]?.entries ?? [:]
      guard changed(old, new).isSubset(of: Set(entries.keys)) else {
        throw Broken("an entry of \(name) changed untouched")
      }
    }
  }
}

extension BookState.Touched {
  fileprivate mutating func add(_ more: BookState.Touched) {
    book = book || more.book
    accounts.formUnion(more.accounts)
    balances.formUnion(more.balances)
    customers.formUnion(more.customers)
    holds.formUnion(more.holds)
    approvals.formUnion(more.approvals)
    // What was added before: what an entry said last, when it was removed again, is what counts.
    for (list, entries) in more.removedEntries {
      removedEntries[list, default: [:]].merge(entries) { last, _ in last }
    }
    // What was touched again is where it was touched last.
    lists.merge(more.lists) { last, before in last.merging(before) { last, _ in last } }
  }
}
