import Commands
import EventStore
import Ledger
import Postgres

/// What accounts had used of their limits.
///
/// Usage reaches back a month at most. What transfers and journals used on a day is the difference of a running total
/// in the entries: one row a day, however many entries the day has. What holds, reversals and second persons did to
/// it, to earlier days too, is read from the log and folded with `evolve`.
struct UsagePast {
  let past: AccountsPast
  /// The first book date that matters.
  let start: CalendarDate

  private var entries: String { past.generation.table("entries") }

  func usages(of accounts: [Account]) throws -> [AccountID: LimitUsage] {
    guard !accounts.isEmpty else { return [:] }
    guard past.entries.shape >= EntriesModel.shape else { throw QueryFault.outdated(model: EntriesModel.name) }
    let before = try past.session.execute("select position_at_end_of($1)", [.date(start.adding(days: -1))]).int8(0, 0)
    let month: [Parameter] = [.uuids(accounts.map(\.id)), .int8(before), .int8(past.point.position)]
    var state = BookState()
    for account in accounts {
      state.accounts[account.id] = account
      UsagePast.forgetMoney(of: account.id, in: &state, usage: LimitUsage())
    }
    for day in try days(of: try spenders(month)) {
      state.accounts[day.account]?.balance.usage.use(day.amount, on: day.date)
    }
    for event in try events(at: try heldPositions(month).union(try reversals(month))) {
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

  // MARK: Transfers and journals

  /// The accounts of which transfers and journals used something in the month.
  private func spenders(_ month: [Parameter]) throws -> [AccountID] {
    let total = { (position: String) in
      """
      (select used from \(entries) e where e.account_id = wanted.account_id and e.position <= \(position)
        order by e.position desc, e.leg desc limit 1)
      """
    }
    let rows = try past.session.execute(
      """
      select wanted.account_id from unnest($1::uuid[]) as wanted (account_id)
      where coalesce(\(total("$2")), 0) <> coalesce(\(total("$3")), 0)
      """, month)
    return try (0..<rows.count).map { try rows.identifier($0, 0) }
  }

  private struct Day {
    var account: AccountID
    var date: CalendarDate
    var amount: MinorUnits
  }

  /// What they used, by day, in the order of the days.
  private func days(of accounts: [AccountID]) throws -> [Day] {
    guard !accounts.isEmpty else { return [] }
    let yesterday = start.adding(days: -1)
    let rows = try past.session.execute(
      """
      with ends as materialized (
        select $2::date + n as day, least(position_at_end_of($2::date + n), $4) as last
        from generate_series(0, $3::integer) as n
      )
      select ends.day, wanted.account_id, coalesce(total.used, 0)
      from ends cross join unnest($1::uuid[]) as wanted (account_id) left join lateral (
        select used from \(entries) e where e.account_id = wanted.account_id and e.position <= ends.last
        order by e.position desc, e.leg desc limit 1
      ) as total on true
      order by ends.day
      """,
      [
        .uuids(accounts), .date(yesterday),
        .int4(past.point.bookDate.daysSince1970 - yesterday.daysSince1970), .int8(past.point.position),
      ])
    var totals: [AccountID: MinorUnits] = [:]
    var days: [Day] = []
    for row in 0..<rows.count {
      let (date, account) = (try rows.calendarDate(row, 0), try rows.identifier(row, 1))
      let total = try rows.int8(row, 2)
      // The total goes round at 2^64, so its difference is right though it may have gone round between: below 2^64 a day,
      // which no money reaches.
      let used = UInt64(bitPattern: total &- totals[account, default: total])
      totals[account] = total
      if used > 0 { days.append(Day(account: account, date: date, amount: MinorUnits(clamping: used))) }
    }
    return days
  }

  // MARK: Everything else

  /// Where what was held on these accounts changed. An account's opening holds nothing.
  private func heldPositions(_ month: [Parameter]) throws -> Set<Int64> {
    try positions(in: "held_changes", where: "change <> 0", month)
  }

  /// Where a transfer of these accounts was reversed, which gives back what it had used.
  private func reversals(_ month: [Parameter]) throws -> Set<Int64> {
    try positions(in: "entries", where: "kind = 'reversal' and change > 0", month)
  }

  private func positions(in table: String, where condition: String, _ month: [Parameter]) throws -> Set<Int64> {
    let rows = try past.session.execute(
      """
      select position from \(past.generation.table(table))
      where account_id = any($1::uuid[]) and position > $2 and position <= $3 and \(condition)
      """, month)
    return Set(try (0..<rows.count).map { try rows.int8($0, 0) })
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
