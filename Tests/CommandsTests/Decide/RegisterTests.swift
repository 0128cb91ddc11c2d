import Commands
import Ledger
import Testing

/// Customers and accounts.
@Suite struct RegisterTests {
  private let carol = Bank.id(0xCA401)
  private let spare = Bank.id(0xA9)
  private var opened: Given { given(Bank.opened()) }

  private func why(_ subject: Identifier = .zero) -> PersonalText { PersonalText("because", subject: subject) }

  // MARK: Customers

  private var registerCarol: RegisterCustomer {
    RegisterCustomer(
      customerID: carol, name: PersonalText("Carol"), dateOfBirth: PersonalText("1990-02-03"), country: "NZ")
  }

  @Test func registerCustomer() {
    var owned = registerCarol
    owned.name.subject = carol
    owned.dateOfBirth?.subject = carol
    opened.when(.registerCustomer(registerCarol)).then([.customerRegistered(CustomerRegistered(instruction: owned))])
  }

  @Test func registerCustomerTwice() {
    opened.and([.customerRegistered(CustomerRegistered(instruction: registerCarol))])
      .when(.registerCustomer(registerCarol)).thenDeclined(.customerExists, [])
  }

  /// Limits and scores are given for an id, of a customer or of an account.
  @Test func oneIDIsNotBoth() {
    var register = registerCarol
    register.customerID = Bank.everyday
    opened.when(.registerCustomer(register))
      .thenDeclined(.accountExists, [.text("account_id", Bank.everyday.description)])
    opened.when(.openAccount(OpenAccount(accountID: Bank.bob, kind: .customer, customerID: Bank.alice, currency: .nzd)))
      .thenDeclined(.customerExists, [.text("customer_id", Bank.bob.description)])
  }

  enum Status: String, CaseIterable, Sendable {
    case unknown, registered, verified, rejected, suspended
  }

  private func customer(_ status: Status) -> Given {
    let registered = Event.customerRegistered(CustomerRegistered(instruction: registerCarol))
    let verified = Event.customerVerified(CustomerVerified(instruction: VerifyCustomer(customerID: carol)))
    switch status {
    case .unknown: return opened
    case .registered: return opened.and([registered])
    case .verified: return opened.and([registered, verified])
    case .rejected:
      return opened.and([
        registered, .customerRejected(CustomerRejected(instruction: RejectCustomer(customerID: carol))),
      ])
    case .suspended: return opened.and([registered, verified, Bank.suspended(carol)])
    }
  }

  private func expect(_ decided: Decided, _ event: Event, from status: Status, allowed: Set<Status>) {
    if allowed.contains(status) {
      decided.then([event])
    } else if status == .unknown {
      decided.thenDeclined(.unknownCustomer, [.text("customer_id", carol.description)])
    } else {
      decided.thenDeclined(.wrongState, [.text("status", status.rawValue)])
    }
  }

  @Test(arguments: Status.allCases) func verifyCustomer(_ status: Status) {
    let verify = VerifyCustomer(customerID: carol)
    expect(
      customer(status).when(.verifyCustomer(verify)), .customerVerified(CustomerVerified(instruction: verify)),
      from: status, allowed: [.registered, .suspended])
  }

  @Test(arguments: Status.allCases) func rejectCustomer(_ status: Status) {
    expect(
      customer(status).when(.rejectCustomer(RejectCustomer(customerID: carol, reason: why()))),
      .customerRejected(CustomerRejected(instruction: RejectCustomer(customerID: carol, reason: why(carol)))),
      from: status, allowed: [.registered])
  }

  @Test(arguments: Status.allCases) func suspendCustomer(_ status: Status) {
    expect(
      customer(status).when(.suspendCustomer(SuspendCustomer(customerID: carol, reason: why()))),
      .customerSuspended(CustomerSuspended(instruction: SuspendCustomer(customerID: carol, reason: why(carol)))),
      from: status, allowed: [.verified])
  }

  // MARK: Opening accounts

  private func open(_ id: AccountID, customer: CustomerID? = nil, number: AccountNumber? = nil) -> Instruction {
    .openAccount(
      OpenAccount(
        accountID: id, kind: customer == nil ? .internal : .customer, customerID: customer, currency: .nzd,
        name: PersonalText("rainy days"), number: number, overdraft: 5))
  }

  @Test func openAccount() {
    let number = Bank.number("08-6523-1954512-001")
    let decided = customer(.verified).when(open(spare, customer: carol, number: number))
    decided.then([
      .accountOpened(
        AccountOpened(
          instruction: OpenAccount(
            accountID: spare, kind: .customer, customerID: carol, currency: .nzd,
            name: PersonalText("rainy days", subject: carol), number: number, overdraft: 5)))
    ])
    let after = decided.after.state
    #expect(after.customers[carol]?.accounts == [spare])
    #expect(after.numbers[number] == spare)
    #expect(after.accounts[spare]?.available == 5)
  }

  @Test func openInternalAccount() {
    opened.when(open(spare)).then([
      .accountOpened(
        AccountOpened(
          instruction: OpenAccount(
            accountID: spare, kind: .internal, currency: .nzd, name: PersonalText("rainy days"), overdraft: 5)))
    ])
  }

  @Test(arguments: [Status.registered, .rejected, .suspended]) func openNeedsAVerifiedCustomer(_ status: Status) {
    customer(status).when(open(spare, customer: carol))
      .thenDeclined(.customerNotVerified, [.text("status", status.rawValue)])
  }

  @Test func openForNobody() {
    opened.when(open(spare, customer: carol)).thenDeclined(.unknownCustomer, [.text("customer_id", carol.description)])
  }

  @Test func openAnIdThatIsTaken() {
    opened.when(open(Bank.everyday, customer: Bank.alice))
      .thenDeclined(.accountExists, [.text("account_id", Bank.everyday.description)])
  }

  /// A number stays taken, by its two-digit and its three-digit suffix alike.
  @Test func openANumberThatIsTaken() {
    opened.and([Bank.closed(Bank.everyday)])
      .when(open(spare, customer: Bank.alice, number: Bank.number("01-0902-0068389-000")))
      .thenDeclined(.numberTaken, [.text("number", Bank.everydayNumber.description)])
  }

  @Test func openDeclinesInTheContractsOrder() {
    let taken = open(Bank.everyday, customer: carol, number: Bank.everydayNumber)
    opened.when(taken).thenDeclined(.unknownCustomer)
    customer(.registered).when(taken).thenDeclined(.customerNotVerified)
    customer(.verified).when(taken).thenDeclined(.accountExists)
  }

  // MARK: Accounts' states

  enum AccountState: String, CaseIterable, Sendable {
    case open, frozen, closed

    var events: [Event] {
      switch self {
      case .open: []
      case .frozen: [Bank.frozen(Bank.everyday)]
      case .closed: [Bank.closed(Bank.everyday)]
      }
    }
  }

  private func terms(_ reference: AccountReference) -> AccountStateTerms {
    AccountStateTerms(AccountStateChange(account: reference, reason: why(Bank.alice)), account: Bank.everyday)
  }

  @Test(arguments: AccountState.allCases, [AccountReference.id(Bank.everyday), .number(Bank.everydayNumber)])
  func freezeUnfreezeClose(_ state: AccountState, _ reference: AccountReference) {
    let book = opened.and(state.events)
    let wrong: [Figure] = [.text("status", state.rawValue)]

    let frozen = book.when(.freezeAccount(FreezeAccount(account: reference, reason: why())))
    if state == .open {
      frozen.then([.accountFrozen(AccountFrozen(terms: terms(reference)))])
    } else {
      frozen.thenDeclined(.wrongState, wrong)
    }

    let unfrozen = book.when(.unfreezeAccount(UnfreezeAccount(account: reference, reason: why())))
    if state == .frozen {
      unfrozen.then([.accountUnfrozen(AccountUnfrozen(terms: terms(reference)))])
      #expect(unfrozen.after.state.accounts[Bank.everyday]?.status == .open)
    } else {
      unfrozen.thenDeclined(.wrongState, wrong)
    }

    let closed = book.when(.closeAccount(CloseAccount(account: reference, reason: why())))
    if state == .closed {
      closed.thenDeclined(.wrongState, wrong)
    } else {
      closed.then([.accountClosed(AccountClosed(terms: terms(reference)))])
    }
  }

  @Test func unknownAccounts() {
    opened.when(.freezeAccount(FreezeAccount(account: .id(Bank.nobodys)))).thenDeclined(.unknownAccount)
    opened.when(.unfreezeAccount(UnfreezeAccount(account: .id(Bank.nobodys)))).thenDeclined(.unknownAccount)
    opened.when(.closeAccount(CloseAccount(account: .id(Bank.nobodys)))).thenDeclined(.unknownAccount)
  }

  @Test func closeWithABalanceOrHolds() {
    let close = Instruction.closeAccount(CloseAccount(account: .id(Bank.everyday)))
    let funded = opened.and([Bank.deposited(10, to: Bank.everyday)])
    funded.when(close).thenDeclined(.balanceNotZero, [.amount("posted", 10)])
    funded.and([Bank.holdPlaced(10, on: Bank.everyday, id: Bank.id(1))]).when(close)
      .thenDeclined(.balanceNotZero, failing: [.balanceNotZero, .fundsHeld])

    // An overdraft can be held without a balance.
    let overdrawn = given(Bank.opened() + [Bank.account(spare, of: Bank.alice, overdraft: 50)])
    overdrawn.and([Bank.holdPlaced(10, on: spare, id: Bank.id(1))])
      .when(.closeAccount(CloseAccount(account: .id(spare)))).thenDeclined(.fundsHeld, [.amount("held", 10)])
    overdrawn.and([Bank.moved(10, from: spare, to: Bank.bobs)])
      .when(.closeAccount(CloseAccount(account: .id(spare)))).thenDeclined(.balanceNotZero, [.amount("posted", -10)])
  }
}
