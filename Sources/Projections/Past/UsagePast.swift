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
    let held = try heldPositions(parameters)
    let counted = try month(parameters, held)
    for day in counted.transfers.sorted(by: { $0.date < $1.date }) {
      state.accounts[day.account]?.balance.usage.use(day.amount, on: day.date)
    }
    for event in try events(at: held.union(counted.others)) {
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

  /// Where what was held on these accounts changed. An account's opening holds nothing.
  private func heldPositions(_ parameters: [Parameter]) throws -> Set<Int64> {
    let rows = try past.session.execute(
      """
      select position from \(past.generation.table("held_changes"))
      where account_id = any($1::uuid[]) and position > $2 and position <= $3 and change <> 0
      """, parameters)
    return Set(try (0..<rows.count).map { try rows.int8($0, 0) })
  }

  private struct Month {
    /// What transfers used.
    var transfers: [(account: AccountID, date: CalendarDate, amount: MinorUnits)] = []
    /// Where entries stand that aren't transfers'.
    var others: Set<Int64> = []
  }

  /// The entries of the time that counts, read once.
  ///
  /// A transfer uses its amount on the day that it is posted, unless it used it when it began to wait for approval; then
  /// it also gives back what was held.
  private func month(_ parameters: [Parameter], _ held: Set<Int64>) throws -> Month {
    // An account's entries lie all over the table, so a bitmap of them covers whole pages as soon as there are many,
    // and every line of those pages is looked at. And nobody told the planner how many positions $4 has.
    try past.session.simple("set local enable_bitmapscan = off; set local enable_nestloop = off")
    var list = ArrayBuilder.int8(reserving: held.count)
    for position in held { list.append(position) }
    let rows = try past.session.execute(
      """
      with counted as materialized (
        select account_id, book_date, position, change, kind from \(past.generation.table("entries"))
        where account_id = any($1::uuid[]) and position > $2 and position <= $3
      )
      select account_id, book_date, least(sum(-change), 9223372036854775807)::bigint, null::bigint from counted
      where kind = 'transfer' and change < 0
        and not exists (select from unnest($4::bigint[]) as held (at) where held.at = counted.position)
      group by account_id, book_date
      union all
      select account_id, book_date, 0, position from counted where kind <> 'transfer'
      """, parameters + [list.parameter])
    try past.session.simple("set local enable_bitmapscan = on; set local enable_nestloop = on")
    var month = Month()
    for row in 0..<rows.count {
      if let position = try rows.int8OrNil(row, 3) {
        month.others.insert(position)
      } else {
        month.transfers.append(
          (try rows.identifier(row, 0), try rows.calendarDate(row, 1), try rows.int8(row, 2)))
      }
    }
    return month
  }

  private func events(at positions: Set<Int64>) throws -> [AppendedEvent] {
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
