public import Ledger

extension RejectionCode {
  /// What is looked at before money moves, in order of precedence.
  public static let preFlight: [RejectionCode] = [
    .unknownAccount, .sameAccount, .accountNotOpen, .currencyMismatch, .customerNotVerified, .sanctionsMatch,
    .fraudScoreTooHigh, .fraudScoreStale, .limitPerTransaction, .limitDaily, .limitWeekly, .limitMonthly,
    .limitRolling30Days, .insufficientFunds,
  ]
}

extension Event {
  /// What an accepted movement was checked for, every check of the pre-flight list in its order, with the figures that
  /// its event keeps; empty for an event that moved or reserved nothing.
  public var passedChecks: [Check] {
    switch self {
    case .transferPosted(let posted): passed(posted.basis.checks, funds: funds(posted.basis, posted.terms.amount))
    case .transferHeldForApproval(let held): passed(held.basis.checks, funds: funds(held.basis, held.terms.amount))
    case .holdPlaced(let placed): passed(placed.basis.checks, funds: funds(placed.basis, placed.amount))
    case .journalPosted(let posted): passed(posted.checks, funds: [])
    case .journalHeldForApproval(let held): passed(held.checks, funds: [])
    default: []
    }
  }

  private func passed(_ kept: [Check], funds: [Figure]) -> [Check] {
    var checks: [Check] = []
    for code in RejectionCode.preFlight {
      let figured = kept.filter { $0.code == code }
      if figured.isEmpty {
        checks.append(Check(code, passed: true, code == .insufficientFunds ? funds : []))
      } else {
        checks += figured
      }
    }
    return checks + kept.filter { !RejectionCode.preFlight.contains($0.code) }
  }

  private func funds(_ basis: DecisionBasis, _ amount: MinorUnits) -> [Figure] {
    let available = basis.availableBefore.map { Figure.amount("available", $0) } ?? .text("available", "unlimited")
    return [available, .amount("amount", amount)]
  }
}
