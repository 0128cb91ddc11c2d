public import Ledger

/// Decides a command: which events it leads to, from the state of the book before it and nothing else.
///
/// Pure: no I/O, no clock, no chance. The same log before it, command and context give the same events, byte for byte,
/// for as long as the rule set exists.
///
/// - Parameters:
///   - command: what is asked, and by whom.
///   - state: must hold everything that `StateNeeds` says the command reads.
///   - context: the clock and rules that the decision is given.
public func decide(
  _ command: CommandEnvelope, on state: borrowing BookState, in context: DecisionContext
) -> Decision {
  guard Authorisation.allows(command.actor.role, command.instruction),
    Authorisation.owns(command.actor, command.instruction, in: state)
  else {
    let refused = command.instruction.owned(by: command.actor.customer ?? .zero)
    return .record([.accessRefused(AccessRefused(instruction: refused))], .refused)
  }
  let decision = decideContent(command, on: state, in: context)
  if let expected = command.expectedVersion, case .record(let events, .accepted) = decision, let first = events.first {
    let current = state.nextVersion(of: first, in: first.stream(command: command.id)) - 1
    if current != expected { return .versionConflict(current: current) }
  }
  return decision
}

private func decideContent(
  _ command: CommandEnvelope, on state: borrowing BookState, in context: DecisionContext
) -> Decision {
  switch command.instruction {
  case .postTransfer(let transfer): decideTransfer(transfer, command, on: state, in: context)
  case .postJournal(let journal): decideJournal(journal, command, on: state, in: context)
  case .reverseTransfer(let reversal): decideReversal(reversal, on: state)
  case .placeHold(let hold): decidePlaceHold(hold, on: state, in: context)
  case .captureHold(let capture): decideCaptureHold(capture, on: state, in: context)
  case .releaseHold(let release): decideReleaseHold(release, on: state)
  case .expireHold(let expiry): decideExpireHold(expiry, on: state, in: context)
  case .approve(let approve): decideApprove(approve, command.actor, on: state, in: context)
  case .reject(let reject): decideReject(reject, command.actor, on: state)
  case .setLimit(let limit): decideSetLimit(limit, on: state)
  case .setPolicy(let policy): decideSetPolicy(policy, on: state)
  case .recordFraudScore(let score): decideScore(score.report, .fraud, command.instruction, on: state, in: context)
  case .recordRiskScore(let score): decideScore(score.report, .risk, command.instruction, on: state, in: context)
  case .recordAmlScore(let score): decideScore(score.report, .aml, command.instruction, on: state, in: context)
  case .importSanctionsList(let list): decideImport(list, on: state)
  case .confirmMatch(let match): decideMatch(match.finding, .confirm, command.instruction, on: state)
  case .clearMatch(let match): decideMatch(match.finding, .clear, command.instruction, on: state)
  case .eraseCustomer(let erase): decideErasure(erase, on: state, in: context)
  case .openBook(let open): decideOpenBook(open, on: state)
  case .activateRuleSet(let activate): decideActivateRuleSet(activate, command.actor, on: state)
  case .recordDataRead(let read): .accept(.customerDataRead(CustomerDataRead(instruction: read)))
  case .recordRefusal: .record([.accessRefused(AccessRefused(instruction: command.instruction))], .accepted)
  default: decideRegister(command.instruction, on: state)
  }
}

extension Decision {
  /// A command that changes nothing, for one reason.
  static func decline(
    _ instruction: Instruction, _ code: RejectionCode, _ figures: [Figure] = [], subject: Identifier = .zero
  ) -> Decision {
    decline(instruction, code, checks: [Check(code, passed: false, figures)], subject: subject)
  }

  /// A command that changes nothing, for the first of the checks that failed.
  static func decline(
    _ instruction: Instruction, _ code: RejectionCode, checks: [Check], subject: Identifier = .zero
  ) -> Decision {
    let declined = CommandDeclined(instruction: instruction.owned(by: subject), code: code, checks: checks)
    return .record([.commandDeclined(declined)], .declined(code))
  }
}
