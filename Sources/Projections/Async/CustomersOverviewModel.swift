public import Ledger
public import Postgres

/// What an event does to the overview of customers.
public enum CustomerChange: Hashable, Sendable {
  case registered(CustomerID, country: String?, at: Moment)
  case status(CustomerID, CustomerStatus)
  case sanctionsMatch(CustomerID, Bool)
  case accountOpened(AccountID, of: CustomerID, Currency)
  case accountClosed(AccountID)
}

/// Every customer at a glance: status, accounts and their currencies. What is on them the entries say, at any position,
/// so a transfer changes nothing here.
public struct CustomersOverviewModel: AsyncReadModel {
  public static let name = "customers_overview"
  public static let tables = ["customers_overview", "customers_overview_accounts"]
  public static let follows: String? = EntriesModel.name
  public static let eventTypes: Set<String> = Set(
    [
      CustomerRegistered.type, CustomerVerified.type, CustomerRejected.type, CustomerSuspended.type,
      CustomerErased.type, SanctionsMatchConfirmed.type, SanctionsMatchCleared.type, AccountOpened.type,
      AccountClosed.type,
    ].map(\.description))

  /// Nothing: a change says all there is to know.
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
    case .customerErased: return [.status(origin.stream.id, .erased)]
    case .sanctionsMatchConfirmed: return [.sanctionsMatch(origin.stream.id, true)]
    case .sanctionsMatchCleared: return [.sanctionsMatch(origin.stream.id, false)]
    case .accountOpened(let opened):
      guard let customer = opened.instruction.customerID else { return [] }
      return [.accountOpened(opened.instruction.accountID, of: customer, opened.instruction.currency)]
    case .accountClosed: return [.accountClosed(origin.stream.id)]
    default: return []
    }
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

  init(_ changes: [CustomerChange]) {
    for change in changes {
      switch change {
      case .registered(let id, let country, let moment): registered.append((id, country, moment))
      case .status(let id, let status): statuses[id] = status
      case .sanctionsMatch(let id, let matched): matches[id] = matched
      case .accountOpened(let id, let customer, let currency): opened.append((id, customer, currency))
      case .accountClosed(let id): closed.insert(id)
      }
    }
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
      insert into \(table) (account_id, customer_id, currency, closed)
      select unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::text[]), false
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
      update \(table) t set status = new.status,
        -- Where somebody lived is part of who it was.
        country = case when new.status = 'erased' then null else t.country end
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
}
