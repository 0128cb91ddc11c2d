import Ledger

/// Decides the commands that change who the bank's customers are and which accounts they have.
func decideRegister(_ instruction: Instruction, on state: borrowing BookState) -> Decision {
  switch instruction {
  case .registerCustomer(let register):
    if state.customers[register.customerID] != nil { return .decline(instruction, .customerExists) }
    // Limits and scores name either by its id: one id for both would take the account's away from it.
    if state.accounts[register.customerID] != nil {
      return .decline(instruction, .accountExists, [.text("account_id", register.customerID.description)])
    }
    return .accept(.customerRegistered(CustomerRegistered(instruction: register.owned())))
  case .verifyCustomer(let verify):
    return decideStatus(verify.customerID, instruction, from: [.registered, .suspended], on: state) {
      .customerVerified(CustomerVerified(instruction: verify))
    }
  case .rejectCustomer(var reject):
    reject.reason = reject.reason?.owned(by: reject.customerID)
    return decideStatus(reject.customerID, instruction, from: [.registered], on: state) {
      .customerRejected(CustomerRejected(instruction: reject))
    }
  case .suspendCustomer(var suspend):
    suspend.reason = suspend.reason?.owned(by: suspend.customerID)
    return decideStatus(suspend.customerID, instruction, from: [.verified], on: state) {
      .customerSuspended(CustomerSuspended(instruction: suspend))
    }
  case .openAccount(let open): return decideOpenAccount(open, on: state)
  case .freezeAccount(let freeze):
    return decideAccountStatus(freeze.change, instruction, from: [.open], on: state) {
      .accountFrozen(AccountFrozen(terms: $0))
    }
  case .unfreezeAccount(let unfreeze):
    return decideAccountStatus(unfreeze.change, instruction, from: [.frozen], on: state) {
      .accountUnfrozen(AccountUnfrozen(terms: $0))
    }
  case .closeAccount(let close): return decideCloseAccount(close, on: state)
  default: return .decline(instruction, .forbidden)
  }
}

private func decideStatus(
  _ id: CustomerID, _ instruction: Instruction, from allowed: Set<CustomerStatus>, on state: borrowing BookState,
  _ event: () -> Event
) -> Decision {
  guard let customer = state.customers[id] else {
    return .decline(instruction, .unknownCustomer, [.text("customer_id", id.description)])
  }
  guard allowed.contains(customer.status) else {
    return .decline(instruction, .wrongState, [.text("status", customer.status.rawValue)], subject: id)
  }
  return .accept(event())
}

private func decideOpenAccount(_ open: OpenAccount, on state: borrowing BookState) -> Decision {
  let instruction = Instruction.openAccount(open)
  if let id = open.customerID {
    guard let customer = state.customers[id] else {
      return .decline(instruction, .unknownCustomer, [.text("customer_id", id.description)])
    }
    guard customer.status == .verified else {
      return .decline(instruction, .customerNotVerified, [.text("status", customer.status.rawValue)])
    }
  }
  if state.accounts[open.accountID] != nil {
    return .decline(instruction, .accountExists, [.text("account_id", open.accountID.description)])
  }
  if state.customers[open.accountID] != nil {
    return .decline(instruction, .customerExists, [.text("customer_id", open.accountID.description)])
  }
  if let number = open.number, state.numbers[number] != nil {
    return .decline(instruction, .numberTaken, [.text("number", number.description)])
  }
  var owned = open
  owned.name = open.name?.owned(by: open.customerID ?? .zero)
  return .accept(.accountOpened(AccountOpened(instruction: owned)))
}

private func decideCloseAccount(_ close: CloseAccount, on state: borrowing BookState) -> Decision {
  let instruction = Instruction.closeAccount(close)
  if let account = state.account(close.change.account), account.status != .closed {
    let subject = account.customerID ?? .zero
    let balance = account.balance
    let checks = [
      Check(.balanceNotZero, passed: balance.posted == 0, [.amount("posted", balance.posted)]),
      Check(.fundsHeld, passed: balance.held == 0, [.amount("held", balance.held)]),
    ]
    if let failed = checks.first(where: { !$0.passed }) {
      return .decline(instruction, failed.code, checks: checks, subject: subject)
    }
  }
  return decideAccountStatus(close.change, instruction, from: [.open, .frozen], on: state) {
    .accountClosed(AccountClosed(terms: $0))
  }
}

private func decideAccountStatus(
  _ change: AccountStateChange, _ instruction: Instruction, from allowed: Set<AccountStatus>,
  on state: borrowing BookState, _ event: (AccountStateTerms) -> Event
) -> Decision {
  guard let account = state.account(change.account) else { return .decline(instruction, .unknownAccount) }
  let subject = account.customerID ?? .zero
  guard allowed.contains(account.status) else {
    return .decline(instruction, .wrongState, [.text("status", account.status.rawValue)], subject: subject)
  }
  var owned = change
  owned.reason = change.reason?.owned(by: subject)
  return .accept(event(AccountStateTerms(owned, account: account.id)))
}
