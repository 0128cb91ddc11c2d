import Commands
import EventStore
public import Ledger
import Postgres

extension BookQueries {
  /// The story of a command; nil when the log has no such command. Reads streams through their indexes, never the whole
  /// log.
  public func story(of command: CommandID) async throws -> CommandStory? {
    let lists: [String]
    do {
      lists = try await sanctionsLists().value.map(\.list)
    } catch QueryFault.unknown {
      lists = []
    }
    return try await ask(atLeast: nil) { [reader, lists] session in
      .found(try StoryReading(reader: reader, lists: lists, session: session).story(of: command), at: 0)
    }.value
  }
}

/// Gathers a story, statement by statement. What it reads are facts of the past, so it needs no snapshot.
private struct StoryReading {
  let reader: LogReader
  let lists: [String]
  let session: Session

  func story(of command: CommandID) throws -> CommandStory? {
    guard let events = try reader.command(command, session), let first = events.first else { return nil }
    let position = first.origin.position
    var past = BookState()
    for event in try history(of: first.origin.stream, events, before: position) {
      past.evolve(event.event, event.origin)
    }
    guard let instruction = Instruction(recoveredFrom: events.map(\.event), on: past) else { return nil }
    let approval = try approval(of: command, events)
    let subjects = try subjects(of: events, approval)
    return CommandStory(
      instruction: instruction, events: events, verdict: Verdict(recorded: first.event), checks: first.event.madeChecks,
      timeZone: past.book?.timeZone ?? "", policies: past.book?.policies ?? Policies(),
      parties: try parties(subjects, before: position), lists: try listsInForce(before: position),
      approval: approval, earlier: try around(events, before: true), later: try around(events, before: false))
  }

  /// What the command has to be recovered on: the book, and for an import the list before it.
  private func history(of stream: StreamID, _ events: [AppendedEvent], before position: Int64) throws
    -> [AppendedEvent]
  {
    var history: [AppendedEvent] = []
    if let opening = try reader.events(after: 0, limit: 1, session).first, opening.origin.stream.kind == .book {
      history = try reader.stream(opening.origin.stream, session)
    }
    if case .sanctionsListImported = events[0].event { history += try reader.stream(stream, session) }
    // The opening itself is decided on nothing, and told with what it says.
    return history.filter { $0.origin.position < max(position, 2) }
  }

  // MARK: Who it is about

  private func subjects(of events: [AppendedEvent], _ approval: StoryApproval?) throws -> ConcernedParties {
    var concerned = ConcernedParties()
    for event in events { concerned.add(event) }
    if let approval, let held = try reader.command(approval.commandID, session) {
      for event in held { concerned.add(event) }
    }
    return concerned
  }

  private func parties(_ concerned: ConcernedParties, before position: Int64) throws -> [StoryParty] {
    var state = BookState()
    var customers = concerned.customers
    for account in concerned.accounts.sorted() { try fold(StreamID(.account, account), before: position, &state) }
    customers.formUnion(state.accounts.values.compactMap(\.customerID))
    for customer in customers.sorted() { try fold(StreamID(.customer, customer), before: position, &state) }
    let accounts = state.accounts.values.sorted { $0.id < $1.id }.map { account in
      StoryParty(
        kind: .account, id: account.id, status: account.status.rawValue, customerID: account.customerID,
        scores: account.scores, limits: account.limits.isEmpty ? [:] : [account.currency: account.limits])
    }
    return accounts
      + state.customers.values.sorted { $0.id < $1.id }.map { customer in
        StoryParty(
          kind: .customer, id: customer.id, status: customer.status.rawValue, sanctionsMatch: customer.sanctionsMatch,
          scores: customer.scores, limits: customer.limits)
      }
  }

  private func fold(_ stream: StreamID, before position: Int64, _ state: inout BookState) throws {
    for event in try reader.stream(stream, session) where event.origin.position < position {
      state.evolve(event.event, event.origin)
    }
  }

  private func listsInForce(before position: Int64) throws -> [StoryList] {
    try lists.compactMap { name in
      let imports = try reader.events(
        after: 0, limit: .max, stream: StreamID(sanctionsList: name),
        types: [SanctionsListImported.type.description], session)
      guard let last = imports.last(where: { $0.origin.position < position }),
        case .sanctionsListImported(let imported) = last.event
      else { return nil }
      return StoryList(name: name, version: imported.version, position: last.origin.position)
    }
  }

  // MARK: What came before and after

  /// Events of other commands in the streams of this one. Of streams that are about more than one matter, only what
  /// answers this command.
  private func around(_ events: [AppendedEvent], before: Bool) throws -> [AppendedEvent] {
    let command = events[0].origin.commandID
    let approved = events[0].event.approvedCommand
    var found: [AppendedEvent] = []
    for stream in Set(events.map(\.origin.stream)) where stream.kind != .command && stream.kind != .sanctionsList {
      let isOneMatter = [.transfer, .journal, .hold].contains(stream.kind)
      for event in try reader.stream(stream, session) where event.origin.commandID != command {
        guard (event.origin.position < events[0].origin.position) == before else { continue }
        let concerns = event.event.approvedCommand == command || event.origin.commandID == approved
        if isOneMatter || concerns { found.append(event) }
      }
    }
    return found.sorted { $0.origin.position < $1.origin.position }
  }

  private func approval(of command: CommandID, _ events: [AppendedEvent]) throws -> StoryApproval? {
    if let waited = events[0].event.approvedCommand {
      guard let held = try reader.command(waited, session)?.first else { return nil }
      return StoryApproval(
        commandID: waited, maker: held.origin.actor, held: held.origin, outcome: events[0].event.approvalOutcome,
        decision: events[0].origin)
    }
    guard events[0].event.waits else { return nil }
    let decision = try around(events, before: false).first { $0.event.approvedCommand == command }
    return StoryApproval(
      commandID: command, maker: events[0].origin.actor, held: events[0].origin,
      outcome: decision?.event.approvalOutcome ?? .waiting, decision: decision?.origin)
  }
}

extension Event {
  /// The checks that were made, whatever came of it.
  fileprivate var madeChecks: [Check] {
    switch self {
    case .transferDeclined(let declined): declined.checks
    case .journalDeclined(let declined): declined.checks
    case .commandDeclined(let declined): declined.checks
    case .approvalRejected(let rejected): rejected.checks
    default: passedChecks
    }
  }

  /// Whether a second person has to decide.
  fileprivate var waits: Bool {
    switch self {
    case .transferHeldForApproval, .journalHeldForApproval, .policyChangeProposed, .ruleSetProposed,
      .sanctionsMatchProposed:
      true
    default: false
    }
  }

  fileprivate var approvalOutcome: StoryApproval.Outcome {
    if case .approvalRejected = self { .rejected } else { .approved }
  }
}
