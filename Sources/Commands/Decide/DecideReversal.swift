import Ledger

/// A correction is a new event that names the one it reverses; the money goes back whatever the debtor's limits say,
/// and may not overdraw whoever has it now.
func decideReversal(_ reversal: ReverseTransfer, on state: borrowing BookState) -> Decision {
  let instruction = Instruction.reverseTransfer(reversal)
  guard let transfer = state.transfers[reversal.transferID] ?? nil else {
    return .decline(instruction, .unknownTransfer, [.text("transfer_id", reversal.transferID.description)])
  }
  let debtor = state.accounts[transfer.debit]
  let subject = debtor?.customerID ?? state.accounts[transfer.credit]?.customerID ?? .zero
  switch transfer.status {
  case .posted: break
  case .reversed: return .decline(instruction, .alreadyReversed, subject: subject)
  case .heldForApproval, .declined, .rejected:
    return .decline(instruction, .notPosted, [.text("status", transfer.status.rawValue)], subject: subject)
  }
  guard let debtor, let creditor = state.accounts[transfer.credit] else {
    return .decline(instruction, .unknownAccount, subject: subject)
  }
  for account in [debtor, creditor] where account.status == .closed {
    let figures: [Figure] = [.text("account_id", account.id.description), .text("status", account.status.rawValue)]
    return .decline(instruction, .accountNotOpen, figures, subject: subject)
  }
  if let available = creditor.available, available < transfer.amount {
    let figures: [Figure] = [
      .text("account_id", creditor.id.description), .amount("available", available), .amount("amount", transfer.amount),
    ]
    return .decline(instruction, .wouldOverdraw, figures, subject: subject)
  }
  guard !debtor.balance.posted.addingReportingOverflow(transfer.amount).overflow,
    !creditor.balance.posted.subtractingReportingOverflow(transfer.amount).overflow
  else { return .decline(instruction, .balanceOverflow, subject: subject) }

  return .accept(
    .transferReversed(
      TransferReversed(
        transferID: transfer.id, reason: reversal.reason.owned(by: subject), debitAccountID: transfer.credit,
        creditAccountID: transfer.debit, amount: transfer.amount, currency: transfer.currency,
        limitsUsedOn: transfer.limitsUsedOn)))
}
