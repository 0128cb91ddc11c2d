import Ledger

/// Which commands each role may give at all.
enum Authorisation {
  static func allows(_ role: Role, _ instruction: Instruction) -> Bool {
    switch instruction {
    case .openBook: role == .system
    case .activateRuleSet: role == .operator || role == .system
    case .recordDataRead, .recordRefusal: true
    case .postTransfer: role == .customer || role == .operator || role == .service
    case .approve, .reject, .setPolicy, .setLimit, .confirmMatch, .clearMatch, .reverseTransfer, .eraseCustomer:
      role == .operator
    case .expireHold: role == .system || role == .operator || role == .service
    case .registerCustomer, .verifyCustomer, .rejectCustomer, .suspendCustomer, .openAccount, .freezeAccount,
      .unfreezeAccount, .closeAccount, .postJournal, .placeHold, .captureHold, .releaseHold, .recordFraudScore,
      .recordRiskScore, .recordAmlScore, .importSanctionsList:
      role == .operator || role == .service
    }
  }

  /// A customer debits only what is its own; an account that isn't there is refused the same way, so that nobody learns
  /// which accounts exist.
  static func owns(_ actor: Actor, _ instruction: Instruction, in state: borrowing BookState) -> Bool {
    guard actor.role == .customer else { return true }
    switch instruction {
    case .postTransfer(let transfer):
      guard let customer = actor.customer else { return false }
      return state.account(transfer.debit)?.customerID == customer
    // Kauri notes in the customer's name that it was refused something.
    case .recordRefusal: return true
    default: return false
    }
  }
}
