public import Ledger

/// What a state must be brought to know before commands can be decided on it.
///
/// Needs depend on each other (an account names its customer, a customer with limits all its accounts), so a caller
/// collects, loads, and collects again until nothing is missing: at most five times.
public struct StateNeeds: Sendable {
  public var accounts: Set<AccountID> = []
  public var numbers: Set<AccountNumber> = []
  public var customers: Set<CustomerID> = []
  public var holds: Set<HoldID> = []
  public var approvals: Set<CommandID> = []
  public var transfers: Set<TransferID> = []
  public var claims: Set<Identifier> = []
  /// Lists whose version and every entry are needed.
  public var lists: Set<String> = []

  public init() {}

  public var isEmpty: Bool {
    accounts.isEmpty && numbers.isEmpty && customers.isEmpty && holds.isEmpty && approvals.isEmpty
      && transfers.isEmpty && claims.isEmpty && lists.isEmpty
  }
}

/// Finds what is missing. It remembers what has been looked for, so that what isn't there is looked for once.
public struct StateNeedsCollector: Sendable {
  private var sought = StateNeeds()
  private var missing = StateNeeds()

  public init() {}

  /// What has to be loaded before collecting again; empty when the state knows everything.
  public mutating func takeMissing() -> StateNeeds {
    defer { missing = StateNeeds() }
    return missing
  }

  /// Notes what `command` reads that `state` doesn't hold.
  public mutating func collect(_ command: CommandEnvelope, on state: borrowing BookState) {
    switch command.instruction {
    case .postTransfer(let transfer):
      account(transfer.debit, on: state)
      account(transfer.credit, on: state)
      if transfer.transferID != command.id { claim(transfer.transferID, on: state) }
    case .postJournal(let journal):
      for posting in journal.postings { account(posting.account, on: state) }
      if journal.journalID != command.id { claim(journal.journalID, on: state) }
    case .reverseTransfer(let reversal): transfer(reversal.transferID, on: state)
    case .placeHold(let hold):
      self.hold(hold.holdID, on: state)
      account(hold.account, on: state)
    case .captureHold(let capture):
      hold(capture.holdID, on: state)
      account(capture.credit, on: state)
    case .releaseHold(let release): hold(release.holdID, on: state)
    case .expireHold(let expiry): hold(expiry.holdID, on: state)
    case .approve(let approve): approval(approve.commandID, on: state)
    case .reject(let reject): approval(reject.commandID, on: state)
    case .setLimit(let limit):
      subject(limit.subject, on: state)
      // Once it has a limit, the customer's next movement, which may be in the same batch, reads all its accounts.
      if case .id(let id) = limit.subject { everyAccount(of: id, on: state) }
    case .recordFraudScore(let score): subject(score.report.subject, on: state)
    case .recordRiskScore(let score): subject(score.report.subject, on: state)
    case .recordAmlScore(let score): subject(score.report.subject, on: state)
    case .importSanctionsList(let list):
      if state.lists[list.list] == nil, sought.lists.insert(list.list).inserted { missing.lists.insert(list.list) }
    case .confirmMatch(let match): customer(match.finding.customerID, on: state)
    case .clearMatch(let match): customer(match.finding.customerID, on: state)
    case .registerCustomer(let content):
      customer(content.customerID, on: state)
      account(.id(content.customerID), on: state)
    case .verifyCustomer(let content): customer(content.customerID, on: state)
    case .rejectCustomer(let content): customer(content.customerID, on: state)
    case .suspendCustomer(let content): customer(content.customerID, on: state)
    case .eraseCustomer(let content):
      customer(content.customerID, on: state)
      everyAccount(of: content.customerID, on: state)
    case .openAccount(let open):
      account(.id(open.accountID), on: state)
      customer(open.accountID, on: state)
      if let id = open.customerID { customer(id, on: state) }
      if let number = open.number { account(.number(number), on: state) }
    case .freezeAccount(let content): account(content.change.account, on: state)
    case .unfreezeAccount(let content): account(content.change.account, on: state)
    case .closeAccount(let content): account(content.change.account, on: state)
    case .setPolicy, .openBook, .activateRuleSet, .recordDataRead, .recordRefusal: break
    }
  }

  private mutating func account(_ reference: AccountReference, on state: borrowing BookState) {
    switch reference {
    case .id(let id): account(id, on: state)
    case .number(let number):
      if let id = state.numbers[number] {
        account(id, on: state)
      } else if sought.numbers.insert(number).inserted {
        missing.numbers.insert(number)
      }
    }
  }

  private mutating func account(_ id: AccountID, on state: borrowing BookState) {
    guard let index = state.accounts.index(forKey: id) else {
      if sought.accounts.insert(id).inserted { missing.accounts.insert(id) }
      return
    }
    if let owner = state.accounts.values[index].customerID { customer(owner, on: state) }
  }

  private mutating func customer(_ id: CustomerID, on state: borrowing BookState) {
    guard let index = state.customers.index(forKey: id) else {
      if sought.customers.insert(id).inserted { missing.customers.insert(id) }
      return
    }
    // A customer's limits are over all its accounts, so their usage is needed; each is noted without following it back
    // here.
    if !state.customers.values[index].limits.isEmpty { everyAccount(of: id, on: state) }
  }

  private mutating func everyAccount(of id: CustomerID, on state: borrowing BookState) {
    guard let index = state.customers.index(forKey: id) else { return }
    for account in state.customers.values[index].accounts where state.accounts.index(forKey: account) == nil {
      if sought.accounts.insert(account).inserted { missing.accounts.insert(account) }
    }
  }

  private mutating func subject(_ reference: AccountReference, on state: borrowing BookState) {
    if case .id(let id) = reference { customer(id, on: state) }
    account(reference, on: state)
  }

  private mutating func hold(_ id: HoldID, on state: borrowing BookState) {
    if let hold = state.holds[id] {
      account(hold.accountID, on: state)
    } else if sought.holds.insert(id).inserted {
      missing.holds.insert(id)
    }
  }

  private mutating func approval(_ id: CommandID, on state: borrowing BookState) {
    guard let approval = state.approvals[id] else {
      if sought.approvals.insert(id).inserted { missing.approvals.insert(id) }
      return
    }
    switch approval.subject {
    case .transfer(let terms):
      account(terms.debit.id, on: state)
      account(terms.credit.id, on: state)
    case .journal(let terms):
      for posting in terms.postings { account(posting.account.id, on: state) }
    case .match(let finding, _): customer(finding.customerID, on: state)
    case .policy, .ruleSet: break
    }
  }

  private mutating func transfer(_ id: TransferID, on state: borrowing BookState) {
    guard let known = state.transfers[id] else {
      if sought.transfers.insert(id).inserted { missing.transfers.insert(id) }
      return
    }
    guard let known else { return }
    account(known.debit, on: state)
    account(known.credit, on: state)
  }

  private mutating func claim(_ id: Identifier, on state: borrowing BookState) {
    if state.claimed.index(forKey: id) == nil, sought.claims.insert(id).inserted { missing.claims.insert(id) }
  }
}
