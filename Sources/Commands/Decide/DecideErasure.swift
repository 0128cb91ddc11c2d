import Ledger

/// Decides whether who a customer was may be erased: no account is open, and the time is over for which the law wants
/// its records kept.
///
/// Retention counts from the day the bank's relationship with the customer ended: the closing of its last account, or
/// the last change of its standing (its registration, verification, rejection or suspension), whichever came later
/// (NZ AML/CFT Act 2009 section 50, AU AML/CTF Act 2006 section 107: from the end of the business relationship). No
/// account moves after it was closed, so every movement is at least as old.
func decideErasure(
  _ erase: EraseCustomer, on state: borrowing BookState, in context: DecisionContext
) -> Decision {
  let instruction = Instruction.eraseCustomer(erase)
  // The book's own key stands under the nil UUID.
  guard erase.customerID != .zero, let customer = state.customers[erase.customerID] else {
    return .decline(instruction, .unknownCustomer, [.text("customer_id", erase.customerID.description)])
  }
  guard customer.status != .erased else {
    return .decline(instruction, .wrongState, [.text("status", customer.status.rawValue)])
  }
  let checks = erasureChecks(customer, on: state, in: context)
  if let failed = checks.first(where: { !$0.passed }) {
    return .decline(instruction, failed.code, checks: checks)
  }
  var owned = erase
  owned.reason = erase.reason.owned(by: .zero)
  return .accept(.customerErased(CustomerErased(instruction: owned, accounts: customer.accounts)))
}

private func erasureChecks(
  _ customer: Customer, on state: borrowing BookState, in context: DecisionContext
) -> [Check] {
  var open = 0
  var ended = customer.standingSince
  for id in customer.accounts {
    // An account that nothing is known of can't be known to be closed.
    if let closedOn = state.accounts[id]?.closedOn { ended = max(ended, closedOn) } else { open += 1 }
  }
  let retained = state.book?.policies.retentionDays ?? Policies().retentionDays
  let days = Figure.integer("retention_days", retained)
  let retention: Check
  if open > 0 {
    // It hasn't begun.
    retention = Check(.withinRetention, passed: false, [days])
  } else {
    let erasable = ended.adding(days: retained)
    retention = Check(
      .withinRetention, passed: context.bookDate >= erasable,
      [days, .text("retained_from", ended.description), .text("erasable_from", erasable.description)])
  }
  return [Check(.accountsOpen, passed: open == 0, [.integer("open", open)]), retention]
}
