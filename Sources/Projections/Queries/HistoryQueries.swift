import EventStore
public import Ledger
import Postgres

extension BookQueries {
  /// An account's statement lines, each with the balance after it.
  public func entries(
    _ reference: AccountReference, _ request: EntriesRequest = EntriesRequest(), atLeast: Int64? = nil
  ) async throws -> Answer<Page<Entry>> {
    try await ask(EntriesModel.self, atLeast: atLeast) { session, view in
      guard let account = try BookQueries.accountID(reference, in: view.head.tables, session) else {
        return .unknown(.account, reached: view.reached)
      }
      var through = view.reached
      if let point = request.at {
        let point = try PastPoint(point, view.head, calendars, session)
        through = point.position
        guard view.reached >= through else { return .behind(reached: view.reached) }
        let past = AccountsPast(point, view, reader, session)
        guard try past.balances([account])[account] != nil else {
          throw try past.register.absence(of: .account, StreamID(.account, account))
        }
      }
      let span = try EntrySpan(request, account, through: through, session)
      let page = try span.page(of: account, request, in: view.generation, session)
      return .found(Answer(page, position: through), reached: view.reached)
    }
  }
}

/// The part of an account's entries that a request is about: book dates and the cursor, as positions.
private struct EntrySpan {
  private struct Place: Comparable {
    var position: Int64
    /// The last place of a position has the highest leg.
    var leg: Int16 = .max

    static func < (left: Place, right: Place) -> Bool {
      (left.position, left.leg) < (right.position, right.leg)
    }
  }

  /// Where it begins, excluded, and where it ends.
  private var after: Place
  private var before: Place
  private let list: Cursor.List

  init(_ request: EntriesRequest, _ account: AccountID, through: Int64, _ session: Session) throws {
    after = Place(position: 0)
    before = Place(position: through)
    list = request.order == .newestFirst ? .entriesNewestFirst : .entriesOldestFirst
    if let from = request.from {
      after = Place(position: try EntrySpan.position(endOf: from.adding(days: -1), session))
    }
    if let last = request.through {
      before = min(before, Place(position: try EntrySpan.position(endOf: last, session)))
    }
    guard let cursor = request.cursor else { return }
    let words = try Cursor.read(cursor, list, words: 3)
    guard words[0] == account.mark, let leg = Int16(exactly: words[2]) else { throw QueryFault.badCursor }
    let place = Place(position: try Cursor.position(words[1]), leg: leg)
    switch request.order {
    case .newestFirst: before = min(before, place)
    case .oldestFirst: after = max(after, place)
    }
  }

  private static func position(endOf day: CalendarDate, _ session: Session) throws -> Int64 {
    try session.execute("select position_at_end_of($1)", [.date(day)]).int8(0, 0)
  }

  func page(
    of account: AccountID, _ request: EntriesRequest, in generation: Generation, _ session: Session
  ) throws -> Page<Entry> {
    let limit = pageLimit(request.limit)
    let direction = request.order == .newestFirst ? "desc" : "asc"
    let rows = try session.execute(
      """
      select account_id, position, leg, kind, movement_id, change, balance, counterparty, book_date, value_date, moment,
        text_subject, text
      from \(generation.table("entries"))
      where account_id = $1 and (position, leg) > ($2, $3) and (position, leg) < ($4, $5)
      order by position \(direction), leg \(direction) limit $6
      """,
      [
        .uuid(account), .int8(after.position), .int2(after.leg), .int8(before.position), .int2(before.leg),
        .int8(Int64(limit + 1)),
      ])
    let entries = try (0..<rows.count).map { try Entry(rows, $0) }
    return Page(entries, limit: limit) { entry in
      Cursor.make(
        list, account.mark, UInt64(bitPattern: entry.position), UInt64(truncatingIfNeeded: entry.leg))
    }
  }
}

extension Entry {
  fileprivate init(_ rows: Rows, _ row: Int) throws {
    let change = try rows.int8(row, 5)
    var text: PersonalText?
    if let subject = try rows.identifierOrNil(row, 11) { text = try rows.personalTextOrNil(row, 12, subject: subject) }
    self.init(
      accountID: try rows.identifier(row, 0), position: try rows.int8(row, 1), leg: Int(try rows.int2(row, 2)),
      kind: try rows.choice(row, 3), movementID: try rows.identifier(row, 4),
      direction: change < 0 ? .debit : .credit, amount: MinorUnits(clamping: change.magnitude),
      balance: try rows.int8(row, 6), counterparty: try rows.identifierOrNil(row, 7),
      bookDate: try rows.calendarDate(row, 8), valueDate: try rows.calendarDateOrNil(row, 9),
      moment: try rows.moment(row, 10), text: text)
  }
}
