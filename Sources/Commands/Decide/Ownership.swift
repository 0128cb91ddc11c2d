import Ledger

extension Instruction {
  /// The same command with its personal text under the key of `subject`, the customer that it concerns.
  func owned(by subject: Identifier) -> Instruction {
    switch self {
    case .registerCustomer(let content): return .registerCustomer(content.owned())
    case .rejectCustomer(var content):
      content.reason = content.reason?.owned(by: content.customerID)
      return .rejectCustomer(content)
    case .suspendCustomer(var content):
      content.reason = content.reason?.owned(by: content.customerID)
      return .suspendCustomer(content)
    case .eraseCustomer(var content):
      // The reason outlives the customer's key.
      content.reason = content.reason.owned(by: .zero)
      return .eraseCustomer(content)
    case .openAccount(var content):
      content.name = content.name?.owned(by: content.customerID ?? subject)
      return .openAccount(content)
    case .freezeAccount(var content):
      content.change.reason = content.change.reason?.owned(by: subject)
      return .freezeAccount(content)
    case .unfreezeAccount(var content):
      content.change.reason = content.change.reason?.owned(by: subject)
      return .unfreezeAccount(content)
    case .closeAccount(var content):
      content.change.reason = content.change.reason?.owned(by: subject)
      return .closeAccount(content)
    case .postTransfer(var content):
      content.reference = content.reference?.owned(by: subject)
      return .postTransfer(content)
    case .postJournal(var content):
      content.reference = content.reference?.owned(by: subject)
      return .postJournal(content)
    case .reverseTransfer(var content):
      content.reason = content.reason.owned(by: subject)
      return .reverseTransfer(content)
    case .releaseHold(var content):
      content.reason = content.reason?.owned(by: subject)
      return .releaseHold(content)
    case .approve(var content):
      content.reason = content.reason?.owned(by: subject)
      return .approve(content)
    case .reject(var content):
      content.reason = content.reason?.owned(by: subject)
      return .reject(content)
    case .confirmMatch(var content):
      content.finding.reason = content.finding.reason?.owned(by: content.finding.customerID)
      return .confirmMatch(content)
    case .clearMatch(var content):
      content.finding.reason = content.finding.reason?.owned(by: content.finding.customerID)
      return .clearMatch(content)
    default: return self
    }
  }
}

extension RegisterCustomer {
  /// Its personal text under the new customer's own key.
  func owned() -> RegisterCustomer {
    var owned = self
    owned.name = name.owned(by: customerID)
    owned.dateOfBirth = dateOfBirth?.owned(by: customerID)
    return owned
  }
}
