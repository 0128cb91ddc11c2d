import Ledger

/// The second person says yes: what waited is checked again, with its own reservation not counted against it.
func decideApprove(
  _ approve: Approve, _ approver: Actor, on state: borrowing BookState, in context: DecisionContext
) -> Decision {
  let instruction = Instruction.approve(approve)
  let approval: Approval
  switch waiting(approve.commandID, instruction, approver, on: state) {
  case .found(let found): approval = found
  case .declined(let decision): return decision
  }
  let subject = keySubject(of: approval, on: state)
  let note = ApprovalNote(
    commandID: approve.commandID, maker: approval.maker, reason: approve.reason?.owned(by: subject))
  switch approval.subject {
  case .transfer(let terms): return approveTransfer(terms, approval, note, on: state, in: context)
  case .journal(let terms): return approveJournal(terms, approval, note, on: state, in: context)
  case .policy(let change):
    return .accept(.policySet(PolicySet(bookID: approval.stream.id, change: change, approval: note)))
  case .ruleSet(let number):
    // Another may have been activated since.
    let active = state.book?.ruleSet ?? 0
    guard number > active else {
      let check = Check(.ruleSetNotNewer, passed: false, [.integer("active", active)])
      return rejectAfterChecks(note, approval, .ruleSetNotNewer, [check])
    }
    return .accept(
      .ruleSetActivated(RuleSetActivated(bookID: approval.stream.id, ruleSet: number, approval: note)))
  case .match(let finding, _) where state.customers[finding.customerID]?.status == .erased:
    let check = Check(.wrongState, passed: false, [.text("status", CustomerStatus.erased.rawValue)])
    return rejectAfterChecks(note, approval, .wrongState, [check])
  case .match(let finding, .confirm):
    return .accept(.sanctionsMatchConfirmed(SanctionsMatchConfirmed(finding: finding, approval: note)))
  case .match(let finding, .clear):
    return .accept(.sanctionsMatchCleared(SanctionsMatchCleared(finding: finding, approval: note)))
  }
}

/// The second person says no: reservations and limits are given back.
func decideReject(_ reject: Reject, _ actor: Actor, on state: borrowing BookState) -> Decision {
  switch waiting(reject.commandID, .reject(reject), actor, on: state) {
  case .declined(let decision): return decision
  case .found(let approval):
    let subject = keySubject(of: approval, on: state)
    let note = ApprovalNote(
      commandID: reject.commandID, maker: approval.maker, reason: reject.reason?.owned(by: subject))
    return .accept(.approvalRejected(ApprovalRejected(note: note, cause: .rejected, subject: approval.stream)))
  }
}

private func approveTransfer(
  _ terms: TransferTerms, _ approval: Approval, _ note: ApprovalNote, on state: borrowing BookState,
  in context: DecisionContext
) -> Decision {
  let debtor = state.accounts[terms.debit.id]
  var preFlight = PreFlight(
    transferParties(
      terms.instruction, debtor: debtor, creditor: state.accounts[terms.credit.id],
      reserved: (terms.amount, approval.heldOn)),
    on: state, context: context)
  preFlight.run(on: state)
  if let failure = preFlight.failure { return rejectAfterChecks(note, approval, failure, preFlight.checks) }
  // What is available was reduced by this transfer's own reservation, which is part of what it may spend.
  let available = debtor?.available.map { $0.addingReportingOverflow(terms.amount) }
  let basis = DecisionBasis(
    availableBefore: available.map { $0.overflow ? .max : $0.partialValue }, checks: preFlight.checks)
  return .accept(.transferPosted(TransferPosted(terms: terms, basis: basis, approval: note)))
}

private func approveJournal(
  _ terms: JournalTerms, _ approval: Approval, _ note: ApprovalNote, on state: borrowing BookState,
  in context: DecisionContext
) -> Decision {
  var accounts: [Account?] = []
  for posting in terms.postings { accounts.append(state.accounts[posting.account.id]) }
  var preFlight = PreFlight(
    journalParties(terms.instruction, accounts, heldOn: approval.heldOn), on: state, context: context)
  preFlight.run(on: state)
  if let failure = preFlight.failure { return rejectAfterChecks(note, approval, failure, preFlight.checks) }
  return .accept(.journalPosted(JournalPosted(terms: terms, checks: preFlight.checks, approval: note)))
}

private func rejectAfterChecks(
  _ note: ApprovalNote, _ approval: Approval, _ code: RejectionCode, _ checks: [Check]
) -> Decision {
  let rejected = ApprovalRejected(
    note: note, cause: .checksFailed, code: code, checks: checks, subject: approval.stream)
  return .record([.approvalRejected(rejected)], .declined(code))
}

private enum ApprovalLookup {
  case found(Approval)
  case declined(Decision)
}

/// What waits under this command's id, if the actor may decide it: the maker may not.
private func waiting(
  _ id: CommandID, _ instruction: Instruction, _ actor: Actor, on state: borrowing BookState
) -> ApprovalLookup {
  guard let approval = state.approvals[id] else {
    return .declined(.decline(instruction, .unknownApproval, [.text("command_id", id.description)]))
  }
  guard approval.status == .waiting else {
    return .declined(.decline(instruction, .alreadyDecided, [.text("status", approval.status.rawValue)]))
  }
  // The same person under another role is the same person.
  guard approval.maker.subject != actor.subject else {
    return .declined(.decline(instruction, .samePerson, [.text("maker", approval.maker.description)]))
  }
  return .found(approval)
}

private func keySubject(of approval: Approval, on state: borrowing BookState) -> Identifier {
  switch approval.subject {
  case .transfer(let terms):
    state.accounts[terms.debit.id]?.customerID ?? state.accounts[terms.credit.id]?.customerID ?? .zero
  case .match(let finding, _): finding.customerID
  case .journal, .policy, .ruleSet: .zero
  }
}
