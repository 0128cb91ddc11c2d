public import Ledger

/// What a customer is shown of what its own commands led to.
///
/// The log keeps every check with its figures. Those of the other party are none of the customer's business: what it is
/// told of it is whether it can be paid, and the same whatever the cause, so that nobody learns by trying whether
/// somebody is on a list, suspended or frozen. A fraud score, what it is held against and who made it are told to no
/// customer, only whether the check passed.
extension CommandOutcome {
  /// The outcome as `reader` may see it: whole for the bank's roles.
  public func shown(to reader: Actor) -> CommandOutcome {
    guard reader.role == .customer else { return self }
    var shown = self
    for index in events.indices { shown.events[index] = events[index].shown(to: reader.customer) }
    // What is said of the whole is what is said of its event.
    if case .declined = verdict, case .transferDeclined(let declined)? = shown.events.last?.event {
      shown.verdict = .declined(declined.code)
    }
    return shown
  }

  /// Whether `reader` may see every byte of the events.
  public func isWhole(to reader: Actor) -> Bool { shown(to: reader).events == events }
}

extension AppendedEvent {
  /// A transfer is the only command that customers give.
  fileprivate func shown(to customer: CustomerID?) -> AppendedEvent {
    switch event {
    case .transferDeclined(var declined):
      declined.checks = declined.checks.shown(to: customer)
      declined.code = declined.checks.first { !$0.passed }?.code ?? declined.code
      return replaced(by: .transferDeclined(declined))
    case .transferPosted(var posted):
      posted.basis.checks = posted.basis.checks.shown(to: customer)
      return replaced(by: .transferPosted(posted))
    case .transferHeldForApproval(var held):
      held.basis.checks = held.basis.checks.shown(to: customer)
      return replaced(by: .transferHeldForApproval(held))
    default: return self
    }
  }

  private func replaced(by shown: Event) -> AppendedEvent {
    guard shown != event else { return self }
    var writer = RecordWriter(reserving: payload.count)
    shown.write(to: &writer)
    return AppendedEvent(origin: origin, event: shown, payload: writer.json.bytes)
  }
}

extension [Check] {
  /// The customer's own checks, and one for all that was looked at on the other side. Where it stands among them is the
  /// same for every cause, for the first check that failed gives the decline its code.
  fileprivate func shown(to customer: CustomerID?) -> [Check] {
    if isEmpty { return self }
    let isOwn =
      customer != nil
      && contains { $0.isOfCreditor && $0.figure("customer_id") == .text(customer?.description ?? "") }
    var shown: [Check] = []
    var isPayable: Bool?
    for check in self {
      if isOwn || !check.isOfCreditor {
        shown.append(check.withoutScore)
      } else if check.code == .unknownAccount {
        // There is nobody there, or somebody of whom nothing is said.
        shown.append(Check(.unknownAccount, passed: check.passed, check.figures.filter { $0 == .creditor }))
      } else {
        isPayable = (isPayable ?? true) && check.passed
      }
    }
    if let isPayable {
      let place = shown.firstIndex { !$0.code.isOfAccounts } ?? shown.endIndex
      shown.insert(Check(.creditorNotPayable, passed: isPayable, [.creditor]), at: place)
    }
    return shown
  }
}

extension Check {
  fileprivate var isOfCreditor: Bool { figures.contains(.creditor) }

  fileprivate func figure(_ name: String) -> Figure.Value? { figures.first { $0.name == name }?.value }

  /// Whose score it is stays, and whether it passed.
  fileprivate var withoutScore: Check {
    guard code == .fraudScoreTooHigh || code == .fraudScoreStale else { return self }
    return Check(code, passed: passed, figures.filter { $0.name == "party" || $0.name == "account_id" })
  }
}

extension Figure {
  fileprivate static let creditor = PreFlight.Party.naming(.creditor)
}

extension RejectionCode {
  /// The checks of who and what the parties are, which come before those of scores and money.
  fileprivate var isOfAccounts: Bool {
    switch self {
    case .unknownAccount, .sameAccount, .accountNotOpen, .currencyMismatch, .customerNotVerified, .sanctionsMatch: true
    default: false
    }
  }
}
