import EventStore
import Ledger
import Postgres

/// A point of the book's past, found in the log.
struct PastPoint {
  /// The last position that counts.
  let position: Int64
  /// What ages are counted to: the moment that was asked for, or that of the event at the position.
  let moment: Moment
  /// The book date that limits' windows end with.
  let bookDate: CalendarDate
  /// The tables that are live now.
  let live: LiveTables

  init(_ point: PointInTime, _ head: LogHead, _ calendars: Calendars, _ session: Session) throws {
    live = head.tables
    position = try PastPoint.position(of: point, head, session)
    switch point {
    case .position(let position):
      let rows = try session.execute("select moment, book_date from events where position = $1", [.int8(position)])
      guard rows.count == 1 else { throw QueryFault.archived }
      moment = try rows.moment(0, 0)
      bookDate = try rows.calendarDate(0, 1)
    case .moment(let moment):
      self.moment = moment
      let book = try BookRow.load(live, session)
        .orThrow(CorruptRow(table: "book", key: "", reason: "the book isn't open"))
      bookDate = try calendars.calendar(book.timeZone).date(of: moment)
    }
  }

  /// The last position that belongs to a point of time.
  static func position(of point: PointInTime, _ head: LogHead, _ session: Session) throws -> Int64 {
    switch point {
    case .position(let position):
      guard position >= 1 else { throw QueryFault.beforeTheFirst }
      guard position <= head.position else { throw QueryFault.inTheFuture(head: head.position) }
      return position
    case .moment(let moment):
      let rows = try session.execute("select position_at($1), clock_timestamp()", [.moment(moment)])
      // A clock that went back doesn't make what the log has seen already the future.
      let now = max(try rows.moment(0, 1), head.lastMoment)
      guard moment <= now else { throw QueryFault.inTheFuture(head: head.position) }
      let position = try rows.int8(0, 0)
      guard position >= 1 else { throw QueryFault.beforeTheFirst }
      return position
    }
  }

  /// An answer that is about this point.
  func answer<Value>(_ value: Value) -> Answer<Value> { Answer(value, position: position, asOf: moment) }
}
