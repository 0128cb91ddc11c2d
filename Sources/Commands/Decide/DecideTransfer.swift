import Ledger

func decideTransfer(
  _ transfer: PostTransfer, _ command: CommandEnvelope, on state: borrowing BookState, in context: DecisionContext
) -> Decision {
  let debtor = state.account(transfer.debit)
  let creditor = state.account(transfer.credit)
  let owned = transfer.owned(by: writer(command.actor, debtor: debtor, creditor: creditor))

  if transfer.transferID != command.id, state.isClaimed(transfer.transferID) {
    return declineTransfer(owned, .transferExists, [Check(.transferExists, passed: false)])
  }

  var preFlight = PreFlight(
    transferParties(transfer, debtor: debtor, creditor: creditor),
    namesOneAccountTwice: namesOneAccount(transfer, debtor, creditor), on: state, context: context)
  preFlight.run(on: state)
  guard preFlight.failure == nil, let debtor, let creditor else {
    return declineTransfer(owned, preFlight.failure ?? .unknownAccount, preFlight.checks)
  }

  let terms = TransferTerms(owned, debit: debtor.id, credit: creditor.id)
  var basis = DecisionBasis(availableBefore: debtor.available, checks: preFlight.checks)
  if let threshold = preFlight.thresholdExceeded() {
    basis.checks.append(threshold)
    return .accept(.transferHeldForApproval(TransferHeldForApproval(terms: terms, basis: basis)))
  }
  return .accept(.transferPosted(TransferPosted(terms: terms, basis: basis)))
}

func transferParties(
  _ transfer: PostTransfer, debtor: Account?, creditor: Account?,
  reserved: (amount: MinorUnits, on: CalendarDate)? = nil
) -> [PreFlight.Party] {
  [
    PreFlight.Party(
      role: .debtor, reference: transfer.debit, account: debtor, currency: transfer.currency, amount: transfer.amount,
      reserved: reserved),
    PreFlight.Party(
      role: .creditor, reference: transfer.credit, account: creditor, currency: transfer.currency,
      amount: transfer.amount),
  ]
}

private func namesOneAccount(_ transfer: PostTransfer, _ debtor: Account?, _ creditor: Account?) -> Bool {
  if let debtor, let creditor { return debtor.id == creditor.id }
  return transfer.debit == transfer.credit
}

private func declineTransfer(_ transfer: PostTransfer, _ code: RejectionCode, _ checks: [Check]) -> Decision {
  let declined = TransferDeclined(instruction: transfer, code: code, checks: checks)
  return .record([.transferDeclined(declined)], .declined(code))
}

/// Whose key seals the free text of a movement: the customer who wrote it, else the customer whose money it is about,
/// else the book.
func writer(_ actor: Actor, debtor: Account?, creditor: Account?) -> Identifier {
  actor.customer ?? debtor?.customerID ?? creditor?.customerID ?? .zero
}

extension PostTransfer {
  func owned(by subject: Identifier) -> PostTransfer {
    guard let reference else { return self }
    var owned = self
    owned.reference = reference.owned(by: subject)
    return owned
  }
}

extension BookState {
  /// The policies in force; the defaults before the book is open, when no account exists that they could be about.
  var policies: Policies { book?.policies ?? Policies() }
}
