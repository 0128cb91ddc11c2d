import Ledger

func decidePlaceHold(
  _ hold: PlaceHold, on state: borrowing BookState, in context: DecisionContext
) -> Decision {
  let instruction = Instruction.placeHold(hold)
  if state.holds[hold.holdID] != nil { return .decline(instruction, .holdExists) }

  let account = state.account(hold.account)
  let party = PreFlight.Party(
    role: .debtor, reference: hold.account, account: account, currency: hold.currency, amount: hold.amount)
  var preFlight = PreFlight([party], policies: state.policies, context: context)
  preFlight.run(on: state)
  guard preFlight.failure == nil, let account else {
    let code = preFlight.failure ?? .unknownAccount
    let declined = CommandDeclined(instruction: instruction, code: code, checks: preFlight.checks)
    return .record([.commandDeclined(declined)], .declined(code))
  }
  // Whoever asks for a hold, a shop's terminal say, waits for the answer: no second person can be asked.
  if needsApproval(hold.amount, from: account, on: state) {
    return .decline(instruction, .approvalThreshold, [.amount("amount", hold.amount)])
  }
  let basis = DecisionBasis(availableBefore: account.available, checks: preFlight.checks)
  return .accept(.holdPlaced(HoldPlaced(hold, account: account.id, basis: basis)))
}

func decideCaptureHold(
  _ capture: CaptureHold, on state: borrowing BookState, in context: DecisionContext
) -> Decision {
  let instruction = Instruction.captureHold(capture)
  let hold: Hold
  switch activeHold(capture.holdID, instruction, on: state) {
  case .found(let found): hold = found
  case .declined(let decision): return decision
  }
  // The expiry is looked at here too: between the hold's time and its ExpireHold nothing can be captured.
  if let expiresAt = hold.expiresAt, context.moment >= expiresAt {
    return .decline(instruction, .holdExpired, [.text("expires_at", expiresAt.description)])
  }
  let amount = capture.amount ?? hold.amount
  if amount > hold.amount {
    return .decline(instruction, .overCapture, [.amount("held", hold.amount), .amount("amount", amount)])
  }
  let creditor = state.account(capture.credit)
  let debtor = state.accounts[hold.accountID]
  if let declined = captureChecks(instruction, capture, hold, amount, debtor, creditor, on: state) { return declined }
  guard let creditor else { return .decline(instruction, .unknownAccount) }
  return .accept(
    .holdCaptured(
      HoldCaptured(
        capture, debitAccountID: hold.accountID, credit: creditor.id, amount: amount, released: hold.amount - amount,
        currency: hold.currency, limitsUsedOn: hold.placedOn)))
}

/// What still has to hold when reserved money moves: limits and funds were settled when it was reserved.
private func captureChecks(
  _ instruction: Instruction, _ capture: CaptureHold, _ hold: Hold, _ amount: MinorUnits, _ debtor: Account?,
  _ creditor: Account?, on state: borrowing BookState
) -> Decision? {
  guard let creditor, let debtor else {
    return .decline(instruction, .unknownAccount, [.text("party", debtor == nil ? "debtor" : "creditor")])
  }
  if creditor.id == debtor.id { return .decline(instruction, .sameAccount) }
  for account in [debtor, creditor] where account.status != .open {
    let figures: [Figure] = [.text("account_id", account.id.description), .text("status", account.status.rawValue)]
    return .decline(instruction, .accountNotOpen, figures)
  }
  if creditor.currency != hold.currency {
    return .decline(
      instruction, .currencyMismatch,
      [.text("account_currency", creditor.currency.code), .text("currency", hold.currency.code)])
  }
  for account in [debtor, creditor] {
    guard let id = account.customerID, let customer = state.customers[id] else { continue }
    if customer.status != .verified {
      return .decline(
        instruction, .customerNotVerified,
        [.text("customer_id", id.description), .text("status", customer.status.rawValue)])
    }
    if customer.sanctionsMatch {
      return .decline(instruction, .sanctionsMatch, [.text("customer_id", id.description)])
    }
  }
  if creditor.balance.posted.addingReportingOverflow(amount).overflow
    || debtor.balance.posted.subtractingReportingOverflow(amount).overflow
  {
    return .decline(instruction, .balanceOverflow)
  }
  return nil
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
