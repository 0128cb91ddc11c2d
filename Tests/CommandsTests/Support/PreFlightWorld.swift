import Commands
import Ledger

/// A movement of 100 from Alice's everyday account in which each check of the pre-flight list fails or passes as
/// wanted, whatever the others do. Those that pass do so by the last cent.
struct PreFlightWorld {
  /// The contract's list, in its order.
  static let order: [RejectionCode] = [
    .unknownAccount, .sameAccount, .accountNotOpen, .currencyMismatch, .customerNotVerified, .sanctionsMatch,
    .fraudScoreTooHigh, .fraudScoreStale, .limitPerTransaction, .limitDaily, .limitWeekly, .limitMonthly,
    .limitRolling30Days, .insufficientFunds,
  ]
  /// What can fail where only the debtor is looked at.
  static let ofDebtor = order.filter { $0 != .unknownAccount && $0 != .sameAccount }

  static let amount: MinorUnits = 100
  /// Used already today.
  static let used: MinorUnits = 30
  static let scoredAt = CalendarDate.today.noon(plus: -3_600)
  static let staleSince = CalendarDate.today.noon(plus: -86_400)

  let faults: Set<RejectionCode>

  init(_ faults: some Sequence<RejectionCode>) { self.faults = Set(faults) }

  /// The book with every fault in it.
  var given: Given {
    let deposit = PreFlightWorld.amount + PreFlightWorld.used - (faults.contains(.insufficientFunds) ? 1 : 0)
    return startingFrom(
      Bank.opened(policies) + [
        Bank.deposited(deposit, to: Bank.everyday), Bank.moved(PreFlightWorld.used, from: Bank.everyday, to: Bank.bobs),
      ] + limits(of: Bank.everyday) + laterFaults)
  }

  /// Funds and limits in order: the faults come after something waits for a second person.
  static var sound: Given {
    var policies = Policies()
    policies.staleFraudScore = .block
    return startingFrom(
      Bank.opened(policies) + [
        Bank.deposited(amount + used, to: Bank.everyday), Bank.moved(used, from: Bank.everyday, to: Bank.bobs),
      ])
  }

  /// The scores must be stale and too high independently, so both say when they were computed.
  private var policies: Policies {
    var policies = Policies()
    policies.staleFraudScore = .block
    return policies
  }

  func limits(of account: AccountID) -> [Event] {
    let kinds: [(RejectionCode, LimitKind)] = [
      (.limitPerTransaction, .perTransaction), (.limitDaily, .daily), (.limitWeekly, .weekly),
      (.limitMonthly, .monthly), (.limitRolling30Days, .rolling30Days),
    ]
    return kinds.map { code, kind in
      let fits = PreFlightWorld.amount + (kind == .perTransaction ? 0 : PreFlightWorld.used)
      return Bank.limit(kind, faults.contains(code) ? fits - 1 : fits, of: account)
    }
  }

  /// Faults that are events of their own.
  var laterFaults: [Event] {
    var events: [Event] = []
    if faults.contains(.accountNotOpen) { events.append(Bank.frozen(Bank.everyday)) }
    if faults.contains(.customerNotVerified) { events.append(Bank.suspended(Bank.alice)) }
    if faults.contains(.sanctionsMatch) { events.append(Bank.matched(Bank.alice)) }
    let at = faults.contains(.fraudScoreStale) ? PreFlightWorld.staleSince : PreFlightWorld.scoredAt
    events.append(Bank.fraudScore(faults.contains(.fraudScoreTooHigh) ? 701 : 700, at: at))
    return events
  }

  var currency: Currency { faults.contains(.currencyMismatch) ? .aud : .nzd }

  var creditor: AccountID {
    if faults.contains(.sameAccount) { return Bank.everyday }
    return faults.contains(.unknownAccount) ? Bank.nobodys : Bank.bobs
  }

  var transfer: Instruction {
    .transfer(PreFlightWorld.amount, from: Bank.everyday, to: creditor, currency)
  }

  var journal: Instruction {
    .journal(
      [(Bank.everyday, .debit, PreFlightWorld.amount), (creditor, .credit, PreFlightWorld.amount)], currency)
  }

  var hold: Instruction { .hold(PreFlightWorld.amount, on: Bank.everyday, currency) }

  /// What should be reported, in the contract's order.
  var failing: [RejectionCode] { PreFlightWorld.order.filter(faults.contains) }
}

/// `given`, where a property of the same name hides it.
private func startingFrom(_ events: [Event]) -> Given { given(events) }
