import EventStore
public import Ledger
import Postgres

extension BookQueries {
  /// An account as decisions read it, by its id or its number.
  public func account(_ reference: AccountReference, atLeast: Int64? = nil) async throws -> Answer<Account> {
    try await ask(atLeast: atLeast) { session in
      let (account, position) = try live.ask(session) { try BookQueries.accountAtHead(reference, in: $0, session) }
      guard let account else { return .unknown(.account, reached: position) }
      return .found(account, at: position)
    }
  }

  /// An account's money: now, or at a point of the past.
  public func balance(
    _ reference: AccountReference, at point: PointInTime? = nil, atLeast: Int64? = nil
  ) async throws -> Answer<AccountBalance> {
    guard let point else {
      return try await account(reference, atLeast: atLeast).map {
        AccountBalance($0, $0.balance.posted, $0.balance.held)
      }
    }
    return try await balance(reference, in: point, atLeast: atLeast)
  }

  /// What is held on an account, in the order of the holds' ids.
  public func holds(
    _ reference: AccountReference, activeOnly: Bool = true, limit: Int = 100, cursor: String? = nil,
    atLeast: Int64? = nil
  ) async throws -> Answer<Page<Hold>> {
    let limit = pageLimit(limit)
    return try await askAtHead(atLeast: atLeast) { session, head in
      guard let id = try BookQueries.accountID(reference, in: head.tables, session) else {
        return .unknown(.account, reached: head.position)
      }
      let after = try BookQueries.lastHold(cursor, of: id)
      let rows = try session.execute(
        """
        select \(HoldRow.columns) from \(head.tables.holds) where account_id = $1 and hold_id > $2
        \(activeOnly ? "and status = 'active'" : "") order by hold_id limit $3
        """, [.uuid(id), .uuid(after), .int8(Int64(limit + 1))])
      let holds = try (0..<rows.count).map { try HoldRow.hold(rows, $0) }
      let page = Page(holds, limit: limit) { Cursor.make(.holds, id.mark, $0.id.high, $0.id.low) }
      return .found(page, at: head.position)
    }
  }

  /// The limits that bound an account, with what is used and left of each on the book date of `moment`.
  public func limits(
    _ reference: AccountReference, at moment: Moment, atLeast: Int64? = nil
  ) async throws -> Answer<LimitsReading> {
    try await askAtHead(atLeast: atLeast) { session, head in
      guard let account = try BookQueries.account(reference, in: head.tables, session) else {
        return .unknown(.account, reached: head.position)
      }
      let book = try BookRow.load(head.tables, session)
        .orThrow(CorruptRow(table: "book", key: "", reason: "the book isn't open"))
      let date = try calendars.calendar(book.timeZone).date(of: moment)
      var limits = LimitReading.all(
        account.limits, .account, account.id, account.currency, usages: [account.balance.usage], on: date)
      if let id = account.customerID, let customer = try BookQueries.customer(id, in: head.tables, session),
        let own = customer.limits[account.currency]
      {
        let usages = try BookQueries.accounts(customer.accounts, in: head.tables, session)
          .filter { $0.currency == account.currency }.map(\.balance.usage)
        limits += LimitReading.all(own, .customer, id, account.currency, usages: usages, on: date)
      }
      let reading = LimitsReading(
        accountID: account.id, customerID: account.customerID, bookDate: date, limits: limits)
      return .found(reading, at: head.position)
    }
  }

  /// The hold that the page before ended with.
  static func lastHold(_ cursor: String?, of account: AccountID) throws(QueryFault) -> HoldID {
    guard let cursor else { return .zero }
    let words = try Cursor.read(cursor, .holds, words: 3)
    guard words[0] == account.mark else { throw .badCursor }
    return Identifier(high: words[1], low: words[2])
  }

  // MARK: For the server itself

  /// Whose these accounts are; those of nobody, and those that aren't there, are left out.
  public func owners(of accounts: Set<AccountID>) async throws -> [AccountID: CustomerID] {
    guard !accounts.isEmpty else { return [:] }
    return try await askAtHead(atLeast: nil) { session, head in
      let rows = try session.execute(
        """
        select account_id, customer_id from \(head.tables.accounts)
        where account_id = any($1::uuid[]) and customer_id is not null
        """, [.uuids(accounts)])
      var owners: [AccountID: CustomerID] = [:]
      for row in 0..<rows.count { owners[try rows.identifier(row, 0)] = try rows.identifier(row, 1) }
      return .found(owners, at: head.position)
    }.value
  }

  /// Active holds whose time has come, the earliest first, and only those that come after `hold` in that order.
  public func dueHolds(at moment: Moment, after hold: DueHold?, limit: Int) async throws -> [DueHold] {
    try await askAtHead(atLeast: nil) { session, head in
      var parameters: [Parameter] = [.moment(moment), .int8(Int64(limit))]
      if let hold { parameters += [.moment(hold.expiresAt), .uuid(hold.id)] }
      let rows = try session.execute(
        """
        select hold_id, expires_at from \(head.tables.holds)
        where status = 'active' and expires_at is not null and expires_at <= $1
          \(hold == nil ? "" : "and (expires_at, hold_id) > ($3, $4)")
        order by expires_at, hold_id limit $2
        """, parameters)
      let due = try (0..<rows.count).map { DueHold(id: try rows.identifier($0, 0), expiresAt: try rows.moment($0, 1)) }
      return .found(due, at: head.position)
    }.value
  }

  // MARK: Rows

  /// In one statement, so that the position is that of the row.
  private static func accountAtHead(
    _ reference: AccountReference, in live: LiveTables, _ session: Session
  ) throws -> LiveAnswer<(Account?, Int64)> {
    let (condition, parameter) = condition(reference)
    let rows = try session.execute(
      """
      select \(AccountRow.columns), h.position, h.generations::text
      from log_head h left join (\(AccountRow.source(live))) on \(condition)
      """, [parameter])
    let account = try rows.isNull(0, 0) ? nil : AccountRow.account(rows, 0)
    return LiveAnswer((account, try rows.int8(0, 19)), generations: try rows.text(0, 20))
  }

  static func account(_ reference: AccountReference, in live: LiveTables, _ session: Session) throws -> Account? {
    let (condition, parameter) = condition(reference)
    let rows = try session.execute(
      "select \(AccountRow.columns) from \(AccountRow.source(live)) where \(condition)", [parameter])
    return rows.count > 0 ? try AccountRow.account(rows, 0) : nil
  }

  static func accountID(_ reference: AccountReference, in live: LiveTables, _ session: Session) throws -> AccountID? {
    let (condition, parameter) = condition(reference)
    let rows = try session.execute("select account_id from \(live.accounts) a where \(condition)", [parameter])
    return rows.count > 0 ? try rows.identifier(0, 0) : nil
  }

  private static func condition(_ reference: AccountReference) -> (String, Parameter) {
    switch reference {
    case .id(let id): ("a.account_id = $1", .uuid(id))
    case .number(let number): ("a.number = $1", .text(number.description))
    }
  }

  static func accounts(_ ids: [AccountID], in live: LiveTables, _ session: Session) throws -> [Account] {
    let rows = try session.execute(
      "select \(AccountRow.columns) from \(AccountRow.source(live)) where a.account_id = any($1::uuid[])",
      [.uuids(ids)])
    return try (0..<rows.count).map { try AccountRow.account(rows, $0) }
  }
}

extension AccountBalance {
  init(_ account: Account, _ posted: MinorUnits, _ held: MinorUnits) {
    var then = account
    then.balance.posted = posted
    then.balance.held = held
    self.init(
      accountID: account.id, customerID: account.customerID, currency: account.currency, posted: posted, held: held,
      available: then.available)
  }
}

extension LimitReading {
  /// What is set of `limits`, in the order of the contract.
  static func all(
    _ limits: Limits, _ scope: SubjectKind, _ subject: Identifier, _ currency: Currency, usages: [LimitUsage],
    on date: CalendarDate
  ) -> [LimitReading] {
    LimitKind.allCases.compactMap { kind in
      guard let limit = limits[kind] else { return nil }
      var reading = LimitReading(
        scope: scope, subjectID: subject, kind: kind, currency: currency, limit: limit, used: nil, left: nil,
        windowStart: kind.windowStart(on: date))
      if let start = reading.windowStart {
        var used: MinorUnits = 0
        for usage in usages {
          let (sum, overflow) = used.addingReportingOverflow(usage.used(from: start, through: date) ?? .max)
          used = overflow ? .max : sum
        }
        reading.used = used
        // Both are zero or more, so the difference can't overflow.
        reading.left = max(0, limit - used)
      }
      return reading
    }
  }
}

extension Identifier {
  /// Ties a cursor to the thing whose list it is of.
  var mark: UInt64 { high ^ low }
}
