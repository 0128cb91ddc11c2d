import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Server

extension MemoryBook: BookReading {
  /// As if the database were gone, when the book is set to fail.
  private func answer<Value>(atLeast: Int64? = nil, _ look: (BookState) throws -> Value) async throws -> Answer<Value> {
    if isFailing {
      throw PostgresError(.connectFailed, "the database is away", isFatal: true)
    }
    let position = Int64(log.count)
    guard position >= atLeast ?? 0 else { throw QueryFault.notReached(position: position) }
    return Answer(try look(state), position: position)
  }

  private func find(_ reference: AccountReference, _ state: BookState) throws(QueryFault) -> Account {
    guard let account = state.account(reference) else { throw QueryFault.unknown(.account) }
    return account
  }

  func head() async throws -> HeadReading {
    let answer = try await answer { $0.book?.ruleSet ?? 0 }
    return HeadReading(position: answer.position, lastMoment: .now, incarnation: 1, ruleSet: answer.value)
  }

  /// As it is, or as it was.
  private func find(
    _ reference: AccountReference, _ at: PointInTime?, _ state: BookState
  ) throws(QueryFault) -> Account {
    let now = try find(reference, state)
    guard let past = try past(at) else { return now }
    guard let then = past.account(reference) else {
      let opening = log.first { $0.origin.stream == StreamID(.account, now.id) }
      throw QueryFault.notYet(.account, since: opening?.origin.position ?? 0)
    }
    return then
  }

  func account(_ account: AccountReference, at: PointInTime?, atLeast: Int64?) async throws -> Answer<Account> {
    try await answer(atLeast: atLeast) { try find(account, at, $0) }
  }

  func balance(_ account: AccountReference, at: PointInTime?, atLeast: Int64?) async throws -> Answer<AccountBalance> {
    let answer = try await answer(atLeast: atLeast) { try find(account, at, $0) }
    let found = answer.value
    return Answer(
      AccountBalance(
        accountID: found.id, customerID: found.customerID, currency: found.currency, posted: found.balance.posted,
        held: found.balance.held, available: found.available), position: answer.position)
  }

  /// The fold of the log up to a point of time.
  private func past(_ point: PointInTime?) throws(QueryFault) -> BookState? {
    guard let point else { return nil }
    let log = log
    var state = BookState(keepsEverything: true)
    switch point {
    case .position(let position):
      guard position <= log.count else { throw .inTheFuture(head: Int64(log.count)) }
      guard position >= 1 else { throw .beforeTheFirst }
      for event in log.prefix(Int(position)) { state.evolve(event.event, event.origin) }
    case .moment(let moment):
      guard let first = log.first, moment >= first.origin.moment else { throw .beforeTheFirst }
      for event in log where event.origin.moment <= moment { state.evolve(event.event, event.origin) }
    }
    return state
  }

  func entries(
    _ account: AccountReference, _ request: EntriesRequest, atLeast: Int64?
  ) async throws -> Answer<Page<Entry>> {
    let log = log
    return try await answer(atLeast: atLeast) { state in
      let id = try find(account, state).id
      var balance: MinorUnits = 0
      var entries: [Entry] = []
      for event in log {
        guard case .transferPosted(let posted) = event.event,
          posted.terms.debit.id == id || posted.terms.credit.id == id
        else { continue }
        let isDebit = posted.terms.debit.id == id
        balance += isDebit ? -posted.terms.amount : posted.terms.amount
        entries.append(
          Entry(
            accountID: id, position: event.origin.position, leg: isDebit ? 0 : 1, kind: .transfer,
            movementID: posted.terms.transferID, direction: isDebit ? .debit : .credit, amount: posted.terms.amount,
            balance: balance, counterparty: isDebit ? posted.terms.credit.id : posted.terms.debit.id,
            bookDate: event.origin.bookDate, valueDate: posted.terms.valueDate, moment: event.origin.moment,
            text: posted.terms.reference))
      }
      guard request.cursor == nil else { throw QueryFault.badCursor }
      let ordered = request.order == .newestFirst ? entries.reversed() : entries
      return Page(Array(ordered.prefix(request.limit)), next: ordered.count > request.limit ? "next" : nil)
    }
  }

  func limits(_ account: AccountReference, at: PointInTime?, atLeast: Int64?) async throws -> Answer<LimitsReading> {
    try await answer(atLeast: atLeast) { state in
      let found = try find(account, at, state)
      let limits = LimitKind.allCases.compactMap { kind in
        found.limits[kind].map {
          LimitReading(scope: .account, subjectID: found.id, kind: kind, currency: found.currency, limit: $0)
        }
      }
      return LimitsReading(
        accountID: found.id, customerID: found.customerID, bookDate: Moment.now.dateUTC, limits: limits)
    }
  }

  func holds(
    _ account: AccountReference, limit: Int, cursor: String?, at: PointInTime?, atLeast: Int64?
  ) async throws -> Answer<Page<Hold>> {
    try await answer(atLeast: atLeast) { state in
      let id = try find(account, at, state).id
      let holds = (try past(at) ?? state).holds.values.filter { $0.accountID == id && $0.status == .active }.sorted {
        $0.id < $1.id
      }
      return Page(Array(holds.prefix(limit)), next: nil)
    }
  }

  func customer(_ customer: CustomerID, at: PointInTime?, atLeast: Int64?) async throws -> Answer<Customer> {
    try await answer(atLeast: atLeast) { state in
      guard let found = (try past(at) ?? state).customers[customer] else { throw QueryFault.unknown(.customer) }
      return found
    }
  }

  func accounts(
    of customer: CustomerID, limit: Int, cursor: String?, at: PointInTime?, atLeast: Int64?
  ) async throws -> Answer<Page<Account>> {
    try await answer(atLeast: atLeast) { now in
      let state = try past(at) ?? now
      guard let found = state.customers[customer] else { throw QueryFault.unknown(.customer) }
      return try MemoryBook.page(found.accounts.compactMap { state.accounts[$0] }, limit, cursor) { "\($0.id)" }
    }
  }

  /// The cursor is the name of the last element.
  private static func page<Element>(
    _ elements: [Element], _ limit: Int, _ cursor: String?, _ name: (Element) -> String
  ) throws(QueryFault) -> Page<Element> {
    var rest = elements[...]
    if let cursor {
      guard let index = elements.firstIndex(where: { name($0) == cursor }) else { throw .badCursor }
      rest = elements[(index + 1)...]
    }
    return Page(Array(rest.prefix(limit)), next: rest.count > limit ? name(rest[rest.startIndex + limit - 1]) : nil)
  }

  func transfer(_ transfer: TransferID, atLeast: Int64?) async throws -> Answer<TransferReading> {
    let events = log.filter { $0.origin.stream == StreamID(.transfer, transfer) }
    return try await answer(atLeast: atLeast) { state in
      guard case .transferPosted(let posted)? = events.first?.event, let status = state.transfers[transfer]??.status
      else { throw QueryFault.unknown(.transfer) }
      let terms = posted.terms
      return TransferReading(
        transferID: transfer, status: status, debit: .id(terms.debit.id), credit: .id(terms.credit.id),
        amount: terms.amount, currency: terms.currency, reference: terms.reference,
        history: events.map { TransferReading.Step(status: status, event: $0) })
    }
  }

  func command(_ command: CommandID, atLeast: Int64?) async throws -> Answer<[AppendedEvent]> {
    let events = log.filter { $0.origin.commandID == command }
    return try await answer(atLeast: atLeast) { _ in
      guard !events.isEmpty else { throw QueryFault.unknown(.command) }
      return events
    }
  }

  func owners(of accounts: Set<AccountID>) async throws -> [AccountID: CustomerID] {
    let state = state
    return accounts.reduce(into: [:]) { $0[$1] = state.accounts[$1]?.customerID }
  }

  func sanctionsLists(
    limit: Int, cursor: String?, atLeast: Int64?
  ) async throws -> Answer<Page<SanctionsListReading>> {
    try await answer(atLeast: atLeast) { state in
      let lists = state.lists.values.sorted { $0.name < $1.name }.map {
        SanctionsListReading(list: $0.name, version: $0.list, entries: $0.entries.count, changedAt: $0.position)
      }
      return try MemoryBook.page(lists, limit, cursor) { $0.list }
    }
  }

  func sanctionsEntries(_ id: String, list: String?, atLeast: Int64?) async throws -> Answer<[SanctionsEntryReading]> {
    try await answer(atLeast: atLeast) { state in
      let entries = state.lists.values.filter { list == nil || $0.name == list }.compactMap { list in
        list.entries[id].map {
          SanctionsEntryReading(list: list.name, listVersion: list.list, entry: $0, removed: false)
        }
      }
      guard !entries.isEmpty else { throw QueryFault.unknown(.sanctionsEntry) }
      return entries
    }
  }

  func approvals(limit: Int, cursor: String?, atLeast: Int64?) async throws -> Answer<Page<Approval>> {
    try await answer(atLeast: atLeast) { state in
      let waiting = state.approvals.values.filter { $0.status == .waiting }.sorted { $0.position < $1.position }
      return Page(Array(waiting.prefix(limit)), next: waiting.count > limit ? "next" : nil)
    }
  }

  func events(
    after place: LogPlace, limit: Int, stream: StreamID?, types: Set<String>, atLeast: Int64?
  ) async throws -> Answer<LogPage> {
    let (log, position) = (log, place.position)
    return try await answer(atLeast: atLeast) { _ in
      let found = log.filter {
        $0.origin.position > position && (stream == nil || $0.origin.stream == stream)
          && (types.isEmpty || types.contains($0.event.type))
      }
      let events = Array(found.prefix(limit))
      let through = events.count == limit ? events.last?.origin.position ?? position : Int64(log.count)
      return LogPage(events: events, through: max(through, position))
    }
  }

  func dueHolds(at moment: Moment, after hold: DueHold?, limit: Int) async throws -> [DueHold] {
    try await answer { state in
      let due = state.holds.values.filter { $0.status == .active }.compactMap { hold in
        hold.expiresAt.map { DueHold(id: hold.id, expiresAt: $0) }
      }
      let following = due.filter { next in next.expiresAt <= moment && (hold.map { $0 < next } ?? true) }
      return Array(following.sorted().prefix(limit))
    }.value
  }
}

/// Personal text of a book in memory: nothing there is sealed.
struct ClearTexts: PersonalTextReading {
  func load(_ subjects: Set<Identifier>) async throws {}

  func render(_ event: AppendedEvent, _ view: PersonalTextView) throws -> [UInt8] {
    guard view == .withheld else { return event.payload }
    var writer = RecordWriter(form: .withheld)
    event.event.write(to: &writer)
    return writer.json.bytes
  }

  func open(_ sealed: [UInt8], subject: Identifier, field: StaticString) throws -> String? { nil }
}
