public import Ledger

/// One version of the rules that decide, under the number that the log knows it by.
///
/// A rule that changes in code is a new rule set with a function of its own; the old function stays for as long as a log
/// has events that it decided, so that they can be decided again. A book follows a rule set from its `BookOpened` or
/// its last `RuleSetActivated` on.
public struct RuleSet: Sendable {
  /// Which events a command leads to. Pure, as `decide` is.
  public typealias Decide = @Sendable (CommandEnvelope, borrowing BookState, DecisionContext) -> Decision

  /// From 1.
  public let number: Int
  public let decide: Decide

  public init(_ number: Int, decide: @escaping Decide) {
    self.number = number
    self.decide = decide
  }
}

/// The rule sets that a build knows. A server whose build doesn't know the active one refuses to write, and says why.
public struct RuleSets: Sendable {
  /// Those of this build.
  public static let standard = RuleSets([RuleSet(1) { Commands.decide($0, on: $1, in: $2) }])

  /// By number, from 1.
  private let sets: [RuleSet]

  /// - Parameter sets: numbered from 1 without gaps, in their order.
  package init(_ sets: [RuleSet]) {
    precondition(!sets.isEmpty && sets.enumerated().allSatisfy { $0.offset + 1 == $0.element.number })
    self.sets = sets
  }

  /// The numbers of those that are known.
  public var known: ClosedRange<Int> { 1...sets.count }
  public var newest: Int { sets.count }

  public func contains(_ number: Int) -> Bool { known.contains(number) }

  /// Decides a command under the context's rule set.
  ///
  /// - Returns: nil when the rule set isn't known.
  public func decide(
    _ command: CommandEnvelope, on state: borrowing BookState, in context: DecisionContext
  ) -> Decision? {
    guard contains(context.ruleSet) else { return nil }
    if case .activateRuleSet(var activate) = command.instruction, activate.newestKnown == nil {
      activate.newestKnown = newest
      var informed = command
      informed.instruction = .activateRuleSet(activate)
      return sets[context.ruleSet - 1].decide(informed, state, context)
    }
    return sets[context.ruleSet - 1].decide(command, state, context)
  }

  /// The rule set that a decision would activate and that isn't known here: whoever doesn't know it leaves that to one
  /// who does.
  package func unknown(activatedBy decision: Decision) -> Int? {
    guard case .record(let events, _) = decision, case .ruleSetActivated(let activated)? = events.first,
      !contains(activated.ruleSet)
    else { return nil }
    return activated.ruleSet
  }
}
