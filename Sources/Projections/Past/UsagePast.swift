import Commands
import EventStore
import Ledger
import Postgres

/// What accounts had used of their limits.
///
/// Usage reaches back a month at most, so only that month is looked at. Nearly all of it is transfers, which are added
/// up by day where their entries stand; what holds, journals, reversals and second persons did to it is read from the
/// log and folded with `evolve`.
struct UsagePast {
  let past: AccountsPast
  /// The first book date that matters.
  let start: CalendarDate

  func usages(of accounts: [Account]) throws -> [AccountID: LimitUsage] {
    guard !accounts.isEmpty else { return [:] }
    let before = try past.session.execute("select position_at_end_of($1)", [.date(start.adding(days: -1))]).int8(0, 0)
    let parameters: [Parameter] = [.uuids(accounts.map(\.id)), .int8(before), .int8(past.point.position)]
    var state = BookState()
    for account in accounts {
      state.accounts[account.id] = account
      UsagePast.forgetMoney(of: account.id, in: &state, usage: LimitUsage())
    }
    try addTransfers(to: &state, parameters)
    for event in try others(parameters) {
      state.evolve(event.event, event.origin)
      // Some movements are left out here, so balances would be those of no account there ever was, and could leave
      // Int64.
      for id in state.touched.balances {
        guard let usage = state.accounts[id]?.balance.usage else { continue }
        UsagePast.forgetMoney(of: id, in: &state, usage: usage)
      }
      state.touched = BookState.Touched()
    }
    return state.accounts.mapValues(\.balance.usage)
  }

  /// A transfer uses its amount on the day that it is posted, unless it used it when it began to wait for approval;
  /// then it also gives back what was held.
  private func addTransfers(to state: inout BookState, _ parameters: [Parameter]) throws {
    let rows = try past.session.execute(
      """
      select e.account_id, e.book_date, least(sum(-e.change), 9223372036854775807)::bigint
      from \(past.generation.table("entries")) e
      where e.account_id = any($1::uuid[]) and e.position > $2 and e.position <= $3
        and e.kind = 'transfer' and e.change < 0
        and not exists (select from \(past.generation.table("held_changes")) h
          where h.account_id = e.account_id and h.position = e.position)
      group by e.account_id, e.book_date order by e.book_date
      """, parameters)
    for row in 0..<rows.count {
      let (amount, date) = (try rows.int8(row, 2), try rows.calendarDate(row, 1))
      state.accounts[try rows.identifier(row, 0)]?.balance.usage.use(amount, on: date)
    }
  }

  /// Everything else that moved or held money of these accounts.
  private func others(_ parameters: [Parameter]) throws -> [AppendedEvent] {
    let rows = try past.session.execute(
      """
      select e.position from \(past.generation.table("entries")) e
      where e.account_id = any($1::uuid[]) and e.position > $2 and e.position <= $3 and e.kind <> 'transfer'
      union
      select h.position from \(past.generation.table("held_changes")) h
      where h.account_id = any($1::uuid[]) and h.position > $2 and h.position <= $3
        -- An account's opening holds nothing.
        and h.change <> 0
      """, parameters)
    let positions = try (0..<rows.count).map { try rows.int8($0, 0) }
    let events = try past.register.reader.events(at: positions, past.session)
    guard events.count == positions.count else { throw QueryFault.archived }
    return events
  }

  private static func forgetMoney(of id: AccountID, in state: inout BookState, usage: LimitUsage) {
    state.accounts[id]?.balance = Balance(usage: usage, position: 0)
  }
}

extension AccountsPast {
  /// The limits that bounded an account, with what was used and left of each.
  func limits(of account: Account, _ customer: Customer?) throws -> LimitsReading {
    let own = customer?.limits[account.currency]
    let windows = LimitKind.allCases.filter { account.limits[$0] != nil || own?[$0] != nil }
      .compactMap { $0.windowStart(on: point.bookDate) }
    var usages: [AccountID: LimitUsage] = [:]
    if let start = windows.min() {
      var counted = [account]
      // The customer's limits count all its accounts in the currency.
      if let customer, own != nil {
        let others = customer.accounts.filter { $0 != account.id }
        counted += try accounts(others).filter { $0.currency == account.currency }
      }
      usages = try UsagePast(past: self, start: start).usages(of: counted)
    }
    var limits = LimitReading.all(
      account.limits, .account, account.id, account.currency, usages: [usages[account.id] ?? LimitUsage()],
      on: point.bookDate)
    if let customer, let own {
      limits += LimitReading.all(
        own, .customer, customer.id, account.currency, usages: Array(usages.values), on: point.bookDate)
    }
    return LimitsReading(
      accountID: account.id, customerID: account.customerID, bookDate: point.bookDate, limits: limits)
  }
}
