import Ledger

func decidePlaceHold(
  _ hold: PlaceHold, on state: borrowing BookState, in context: DecisionContext
) -> Decision {
  let instruction = Instruction.placeHold(hold)
  if state.holds[hold.holdID] != nil { return .decline(instruction, .holdExists) }
  if let expiry = hold.expiresAt, expiry <= context.moment {
    return .decline(instruction, .holdExpired, [.text("expires_at", expiry.description)])
  }

  let account = state.account(hold.account)
  let party = PreFlight.Party(
    role: .debtor, reference: hold.account, account: account, currency: hold.currency, amount: hold.amount)
  var preFlight = PreFlight([party], on: state, context: context)
  // Whoever asks for a hold, a shop's terminal say, waits for the answer: no second person can be asked.
  let threshold = preFlight.thresholdExceeded()
  preFlight.run(on: state, reportsAll: threshold != nil)
  guard preFlight.failure == nil, threshold == nil, let account else {
    return .decline(
      instruction, preFlight.failure ?? threshold?.code ?? .unknownAccount,
      checks: preFlight.checks + (threshold.map { [$0] } ?? []))
  }
  let basis = DecisionBasis(availableBefore: account.available, checks: preFlight.checks)
  return .accept(.holdPlaced(HoldPlaced(hold, account: account.id, basis: basis)))
}

/// Limits and funds were settled when the money was reserved; what can have changed since is looked at again, and then
/// the hold itself.
func decideCaptureHold(
  _ capture: CaptureHold, on state: borrowing BookState, in context: DecisionContext
) -> Decision {
  let instruction = Instruction.captureHold(capture)
  guard let hold = state.holds[capture.holdID] else {
    return .decline(instruction, .unknownHold, [.text("hold_id", capture.holdID.description)])
  }
  let amount = capture.amount ?? hold.amount
  let ownChecks = [
    Check(
      .overCapture, passed: amount <= hold.amount, [.amount("held", hold.amount), .amount("amount", amount)]),
    // Between the hold's time and its ExpireHold nothing can be captured.
    Check(
      .holdExpired, passed: hold.expiresAt.map { context.moment < $0 } ?? true,
      [.text("expires_at", hold.expiresAt?.description ?? "never")]),
    Check(.wrongState, passed: hold.status == .active, [.text("status", hold.status.rawValue)]),
  ]
  let ownFailure = ownChecks.first { !$0.passed }?.code

  let debtor = state.accounts[hold.accountID]
  let creditor = state.account(capture.credit)
  var preFlight = PreFlight(
    [
      PreFlight.Party(
        role: .debtor, reference: .id(hold.accountID), account: debtor, currency: hold.currency, amount: amount,
        isHeld: true),
      PreFlight.Party(
        role: .creditor, reference: capture.credit, account: creditor, currency: hold.currency, amount: amount),
    ],
    namesOneAccountTwice: creditor?.id == hold.accountID, on: state, context: context)
  preFlight.run(on: state, reportsAll: ownFailure != nil)
  guard preFlight.failure == nil, ownFailure == nil, let creditor else {
    return .decline(
      instruction, preFlight.failure ?? ownFailure ?? .unknownAccount, checks: preFlight.checks + ownChecks)
  }
  return .accept(
    .holdCaptured(
      HoldCaptured(
        capture, debitAccountID: hold.accountID, credit: creditor.id, amount: amount, released: hold.amount - amount,
        currency: hold.currency, limitsUsedOn: hold.placedOn)))
}

func decideReleaseHold(_ release: ReleaseHold, on state: borrowing BookState) -> Decision {
  let instruction = Instruction.releaseHold(release)
  switch activeHold(release.holdID, instruction, on: state) {
  case .declined(let decision): return decision
  case .found(let hold):
    let subject = state.accounts[hold.accountID]?.customerID ?? .zero
    return .accept(
      .holdReleased(HoldReleased(returned: HoldReturn(hold), reason: release.reason?.owned(by: subject))))
  }
}

func decideExpireHold(
  _ expiry: ExpireHold, on state: borrowing BookState, in context: DecisionContext
) -> Decision {
  let instruction = Instruction.expireHold(expiry)
  switch activeHold(expiry.holdID, instruction, on: state) {
  case .declined(let decision): return decision
  case .found(let hold):
    guard let expiresAt = hold.expiresAt, context.moment >= expiresAt else { return .notDue }
    return .accept(.holdExpired(HoldExpired(returned: HoldReturn(hold))))
  }
}

private enum HoldLookup {
  case found(Hold)
  case declined(Decision)
}

private func activeHold(_ id: HoldID, _ instruction: Instruction, on state: borrowing BookState) -> HoldLookup {
  guard let hold = state.holds[id] else {
    return .declined(.decline(instruction, .unknownHold, [.text("hold_id", id.description)]))
  }
  guard hold.status == .active else {
    return .declined(.decline(instruction, .wrongState, [.text("status", hold.status.rawValue)]))
  }
  return .found(hold)
}

extension HoldReturn {
  init(_ hold: Hold) {
    self.init(
      holdID: hold.id, accountID: hold.accountID, amount: hold.amount, currency: hold.currency,
      limitsUsedOn: hold.placedOn)
  }
}
