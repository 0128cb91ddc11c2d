import Commands
import Ledger

/// The rule sets of builds to come. The newest build knows them all; the oldest is today's.
enum LaterRules {
  static let newest = RuleSets([
    RuleSet(1) { decide($0, on: $1, in: $2) },
    RuleSet(2) { heldAbove(300, decide($0, on: $1, in: $2)) },
    RuleSet(3) { heldAbove(90, decide($0, on: $1, in: $2)) },
  ])

  /// A transfer of more than `amount` that would have been posted waits for a second person.
  private static func heldAbove(_ amount: Int64, _ decision: Decision) -> Decision {
    guard case .record(let events, .accepted) = decision, case .transferPosted(let posted)? = events.first,
      posted.approval == nil, posted.terms.amount > amount
    else { return decision }
    let held = TransferHeldForApproval(terms: posted.terms, basis: posted.basis)
    return .record([.transferHeldForApproval(held)], .accepted)
  }
}
