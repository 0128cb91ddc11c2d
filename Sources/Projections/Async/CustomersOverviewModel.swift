public import Ledger
public import Postgres

/// What an event does to the overview of customers.
public enum CustomerChange: Hashable, Sendable {
  case registered(CustomerID, country: String?, at: Moment)
  case status(CustomerID, CustomerStatus)
  case sanctionsMatch(CustomerID, Bool)
  case accountOpened(AccountID, of: CustomerID, Currency)
  case accountClosed(AccountID)
  /// Minor units; of any account, a customer's or not.
  case posted(AccountID, MinorUnits)
}

/// Every customer at a glance: status, accounts, currencies and totals.
public struct CustomersOverviewModel: AsyncReadModel {
  public static let name = "customers_overview"
  public static let eventTypes: Set<String> = Set(
    [
      CustomerRegistered.type, CustomerVerified.type, CustomerRejected.type, CustomerSuspended.type,
      SanctionsMatchConfirmed.type, SanctionsMatchCleared.type, AccountOpened.type, AccountClosed.type,
      TransferPosted.type, TransferReversed.type, JournalPosted.type, HoldCaptured.type,
    ].map(\.description))

  /// Nothing: totals are added to where they stand.
  public struct Memory: Sendable {}

  public init() {}

  public var emptyMemory: Memory { Memory() }

  public func changes(for recorded: RecordedEvent) -> [CustomerChange] {
    let origin = recorded.origin
    switch recorded.event {
    case .customerRegistered(let registered):
      return [
        .registered(registered.instruction.customerID, country: registered.instruction.country, at: origin.moment)
      ]
    case .customerVerified: return [.status(origin.stream.id, .verified)]
    case .customerRejected: return [.status(origin.stream.id, .rejected)]
    case .customerSuspended: return [.status(origin.stream.id, .suspended)]
    case .sanctionsMatchConfirmed: return [.sanctionsMatch(origin.stream.id, true)]
    case .sanctionsMatchCleared: return [.sanctionsMatch(origin.stream.id, false)]
    case .accountOpened(let opened):
      guard let customer = opened.instruction.customerID else { return [] }
      return [.accountOpened(opened.instruction.accountID, of: customer, opened.instruction.currency)]
    case .accountClosed: return [.accountClosed(origin.stream.id)]
    case .transferPosted(let posted):
      return moved(from: posted.terms.debit.id, to: posted.terms.credit.id, posted.terms.amount)
    case .transferReversed(let reversed):
      return moved(from: reversed.debitAccountID, to: reversed.creditAccountID, reversed.amount)
    case .holdCaptured(let captured):
      return moved(from: captured.debitAccountID, to: captured.credit.id, captured.amount)
    case .journalPosted(let posted):
      return posted.terms.postings.map { .posted($0.account.id, $0.signedAmount) }
    default: return []
    }
  }

  private func moved(from debit: AccountID, to credit: AccountID, _ amount: MinorUnits) -> [CustomerChange] {
    [.posted(debit, -amount), .posted(credit, amount)]
  }

  public func apply(
    _ changes: [CustomerChange], to generation: Generation, remembering memory: inout Memory, _ session: Session
  ) throws {
    let net = NetCustomerChanges(changes)
    let customers = generation.table("customers_overview")
    let accounts = generation.table("customers_overview_accounts")
    for statement in net.statements(customers: customers, accounts: accounts) {
      try session.execute(statement.sql, statement.parameters)
    }
  }
}

/// What a run of changes comes to: what is new first, then what became of it, so that the order within no longer
/// matters.
private struct NetCustomerChanges {
  private var registered: [(id: CustomerID, country: String?, at: Moment)] = []
  private var opened: [(id: AccountID, customer: CustomerID, currency: Currency)] = []
  private var statuses: [CustomerID: CustomerStatus] = [:]
  private var matches: [CustomerID: Bool] = [:]
  private var closed: Set<AccountID> = []
  private var posted: [AccountID: MinorUnits] = [:]

  init(_ changes: [CustomerChange]) {
    for change in changes {
      switch change {
      case .registered(let id, let country, let moment): registered.append((id, country, moment))
      case .status(let id, let status): statuses[id] = status
      case .sanctionsMatch(let id, let matched): matches[id] = matched
      case .accountOpened(let id, let customer, let currency): opened.append((id, customer, currency))
      case .accountClosed(let id): closed.insert(id)
      // Each partial sum is a difference of two balances that were in range; wrapped sums of them add up right again.
      case .posted(let id, let amount): posted[id, default: 0] &+= amount
      }
    }
    posted = posted.filter { $0.value != 0 }
  }

  typealias Statement = (sql: String, parameters: [Parameter])

  func statements(customers: String, accounts: String) -> [Statement] {
    var statements: [Statement] = []
    if !registered.isEmpty { statements.append(insertCustomers(customers)) }
    if !opened.isEmpty { statements.append(insertAccounts(accounts)) }
    if !statuses.isEmpty { statements.append(updateStatuses(customers)) }
    if !matches.isEmpty { statements.append(updateMatches(customers)) }
    if !closed.isEmpty {
      statements.append(("update \(accounts) set closed = true where account_id = any($1::uuid[])", [.uuids(closed)]))
    }
    if !posted.isEmpty { statements.append(addPosted(accounts)) }
    return statements
  }

  private func insertCustomers(_ table: String) -> Statement {
    var ids = ArrayBuilder.uuid(reserving: registered.count)
    var countries = ArrayBuilder.text(reserving: registered.count)
    var moments = ArrayBuilder.timestamptz(reserving: registered.count)
    for customer in registered {
      ids.append(customer.id)
      countries.append(customer.country)
      moments.append(microsecondsSince1970: customer.at.microseconds)
    }
    return (
      """
      insert into \(table) (customer_id, status, country, sanctions_match, registered_at)
      select unnest($1::uuid[]), 'registered', unnest($2::text[]), false, unnest($3::timestamptz[])
      """, [ids.parameter, countries.parameter, moments.parameter]
    )
  }

  private func insertAccounts(_ table: String) -> Statement {
    var ids = ArrayBuilder.uuid(reserving: opened.count)
    var customers = ArrayBuilder.uuid(reserving: opened.count)
    var currencies = ArrayBuilder.text(reserving: opened.count, bytesEach: 3)
    for account in opened {
      ids.append(account.id)
      customers.append(account.customer)
      currencies.append(account.currency.code)
    }
    return (
      """
      insert into \(table) (account_id, customer_id, currency, closed, posted)
      select unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::text[]), false, 0
      """, [ids.parameter, customers.parameter, currencies.parameter]
    )
  }

  private func updateStatuses(_ table: String) -> Statement {
    var ids = ArrayBuilder.uuid(reserving: statuses.count)
    var values = ArrayBuilder.text(reserving: statuses.count)
    for (id, status) in statuses.sorted(by: { $0.key < $1.key }) {
      ids.append(id)
      values.append(status.rawValue)
    }
    return (
      """
      update \(table) t set status = new.status
      from (select unnest($1::uuid[]) as customer_id, unnest($2::text[]) as status) as new
      where t.customer_id = new.customer_id
      """, [ids.parameter, values.parameter]
    )
  }

  private func updateMatches(_ table: String) -> Statement {
    var ids = ArrayBuilder.uuid(reserving: matches.count)
    var values = ArrayBuilder.bool(reserving: matches.count)
    for (id, matched) in matches.sorted(by: { $0.key < $1.key }) {
      ids.append(id)
      values.append(matched)
    }
    return (
      """
      update \(table) t set sanctions_match = new.matched
      from (select unnest($1::uuid[]) as customer_id, unnest($2::boolean[]) as matched) as new
      where t.customer_id = new.customer_id
      """, [ids.parameter, values.parameter]
    )
  }

  /// The bank's own accounts are in no customer's overview, so theirs change nothing.
  private func addPosted(_ table: String) -> Statement {
    var ids = ArrayBuilder.uuid(reserving: posted.count)
    var amounts = ArrayBuilder.int8(reserving: posted.count)
    for (id, amount) in posted.sorted(by: { $0.key < $1.key }) {
      ids.append(id)
      amounts.append(amount)
    }
    return (
      """
      update \(table) t set posted = t.posted + new.change
      from (select unnest($1::uuid[]) as account_id, unnest($2::bigint[]) as change) as new
      where t.account_id = new.account_id
      """, [ids.parameter, amounts.parameter]
    )
  }
}
