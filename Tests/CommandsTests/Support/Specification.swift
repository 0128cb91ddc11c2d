import Commands
import Ledger
import Testing

/// A specification reads `given(events).when(command).then(events)`.
func given(_ events: [Event], on date: CalendarDate = .today) -> Given {
  Given().and(events, on: date)
}

/// The book as events have made it.
struct Given {
  private(set) var state = BookState(keepsEverything: true)
  private var position: Int64 = 0

  /// More events, each of a command of its own unless `command` names the one they all came of.
  func and(
    _ events: [Event], command: CommandID? = nil, by actor: Actor = .maker, on date: CalendarDate = .today
  ) -> Given {
    var more = self
    for event in events {
      more.position += 1
      let command = command ?? event.ownCommand ?? Identifier(high: 0xC0, low: UInt64(more.position))
      let stream = event.stream(command: command)
      more.state.evolve(
        event,
        EventOrigin(
          position: more.position, stream: stream, version: more.state.nextVersion(of: event, in: stream),
          commandID: command, index: 0, actor: actor, causation: nil, correlation: command,
          moment: date.noon(plus: -1), bookDate: date, ruleSet: 1))
    }
    return more
  }

  static let command = Bank.id(0xC033A9D)

  /// Decides a command, at noon unless said otherwise.
  func when(
    _ instruction: Instruction, by actor: Actor = .maker, as command: CommandID = Given.command,
    on date: CalendarDate = .today, at moment: Moment? = nil, expecting version: Int64? = nil
  ) -> Decided {
    let envelope = CommandEnvelope(id: command, actor: actor, instruction: instruction, expectedVersion: version)
    let context = DecisionContext(moment: moment ?? date.noon(), bookDate: date, ruleSet: 1)
    return Decided(
      given: self, command: command, actor: actor, date: date, decision: decide(envelope, on: state, in: context))
  }

  func balance(_ account: AccountID) -> Balance {
    state.accounts[account]?.balance ?? Balance(position: 0)
  }

  /// What counts on `date`.
  func used(_ account: AccountID, on date: CalendarDate = .today) -> MinorUnits? {
    balance(account).usage.used(from: date, through: date)
  }
}

extension Event {
  /// A movement whose command chose no id of its own is its command.
  fileprivate var ownCommand: CommandID? {
    switch self {
    case .transferPosted(let posted): posted.approval == nil ? posted.terms.transferID : nil
    case .transferHeldForApproval(let held): held.terms.transferID
    case .journalPosted(let posted): posted.approval == nil ? posted.terms.journalID : nil
    case .journalHeldForApproval(let held): held.terms.journalID
    default: nil
    }
  }
}

/// What was decided, to be compared with what should have been.
struct Decided {
  let given: Given
  let command: CommandID
  let actor: Actor
  let date: CalendarDate
  let decision: Decision

  var events: [Event] {
    if case .record(let events, _) = decision { events } else { [] }
  }

  var verdict: Verdict? {
    if case .record(_, let verdict) = decision { verdict } else { nil }
  }

  /// The checks that a decline, or a rejection after a re-check, reports.
  var checks: [Check] {
    switch events.first {
    case .transferDeclined(let declined): declined.checks
    case .journalDeclined(let declined): declined.checks
    case .commandDeclined(let declined): declined.checks
    case .approvalRejected(let rejected): rejected.checks
    default: []
    }
  }

  /// The book with what was decided.
  var after: Given { given.and(events, command: command, by: actor, on: date) }

  /// Accepted, with exactly these events.
  @discardableResult
  func then(_ expected: [Event], at location: SourceLocation = #_sourceLocation) -> Decided {
    #expect(decision == .record(expected, .accepted), sourceLocation: location)
    return self
  }

  /// Accepted, whatever the events.
  @discardableResult
  func thenAccepted(at location: SourceLocation = #_sourceLocation) -> Decided {
    #expect(verdict == .accepted, "\(decision)", sourceLocation: location)
    return self
  }

  /// Declined, with one event that says so, carries `code`, and reports what failed in the order of `failing`.
  @discardableResult
  func thenDeclined(
    _ code: RejectionCode, failing: [RejectionCode]? = nil, at location: SourceLocation = #_sourceLocation
  ) -> Decided {
    #expect(verdict == .declined(code), "\(decision)", sourceLocation: location)
    #expect(events.count == 1, sourceLocation: location)
    #expect(events.first.map(Verdict.init(recorded:)) == .declined(code), sourceLocation: location)
    if let failing {
      var reported: [RejectionCode] = []
      for check in checks where !check.passed && !reported.contains(check.code) { reported.append(check.code) }
      #expect(reported == failing, sourceLocation: location)
    }
    return self
  }

  /// Declined by one check, with exactly these figures.
  @discardableResult
  func thenDeclined(
    _ code: RejectionCode, _ figures: [Figure], at location: SourceLocation = #_sourceLocation
  ) -> Decided {
    thenDeclined(code, failing: [code], at: location)
    #expect(checks.filter { !$0.passed } == [Check(code, passed: false, figures)], sourceLocation: location)
    return self
  }

  /// Not the caller's to give.
  @discardableResult
  func thenRefused(at location: SourceLocation = #_sourceLocation) -> Decided {
    #expect(verdict == .refused, "\(decision)", sourceLocation: location)
    guard case .accessRefused = events.first, events.count == 1 else {
      Issue.record("not one AccessRefused: \(events)", sourceLocation: location)
      return self
    }
    return self
  }
}

extension Instruction {
  /// A transfer in New Zealand dollars between accounts named by id.
  static func transfer(
    _ amount: MinorUnits, from debit: AccountID, to credit: AccountID, _ currency: Currency = .nzd,
    id: TransferID = Given.command
  ) -> Instruction {
    .postTransfer(
      PostTransfer(transferID: id, debit: .id(debit), credit: .id(credit), amount: amount, currency: currency))
  }

  static func journal(
    _ postings: [(AccountID, Direction, MinorUnits)], _ currency: Currency = .nzd, id: JournalID = Given.command
  ) -> Instruction {
    .postJournal(
      PostJournal(
        journalID: id,
        postings: postings.map {
          PostingInstruction(account: .id($0.0), direction: $0.1, amount: $0.2, currency: currency)
        }))
  }

  static func hold(
    _ amount: MinorUnits, on account: AccountID, _ currency: Currency = .nzd, id: HoldID = Given.command,
    expiresAt: Moment? = nil
  ) -> Instruction {
    .placeHold(PlaceHold(holdID: id, account: .id(account), amount: amount, currency: currency, expiresAt: expiresAt))
  }

  static func approve(_ command: CommandID) -> Instruction { .approve(Approve(commandID: command)) }
  static func reject(_ command: CommandID) -> Instruction { .reject(Reject(commandID: command)) }

  static func setLimit(
    _ kind: LimitKind, _ amount: MinorUnits?, of subject: Identifier, _ currency: Currency = .nzd
  ) -> Instruction {
    .setLimit(SetLimit(subject: .id(subject), kind: kind, amount: amount, currency: currency))
  }
}
