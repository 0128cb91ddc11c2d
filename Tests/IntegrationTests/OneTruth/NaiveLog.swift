import BookByChance
import Foundation
import Postgres

/// The log as plain rows, read with plain SQL, and what the slow calculator makes of any beginning of it. Nothing of it
/// goes through the server's code.
struct NaiveLog: Sendable {
  struct Row: Sendable {
    let position: Int64
    let type: String
    let payload: [UInt8]
    let command: String
    /// Microseconds since 1970.
    let moment: Int64
    let bookDate: String
    let ruleSet: Int32
  }

  let rows: [Row]

  init(_ session: Session) throws {
    let found = try session.execute(
      """
      select position, type, payload, command_id::text, (extract(epoch from moment) * 1000000)::bigint,
        book_date::text, rule_set::integer from events order by position
      """)
    rows = try (0..<found.count).map { row in
      Row(
        position: try found.int8(row, 0), type: try found.text(row, 1), payload: try found.bytes(row, 2),
        command: try found.text(row, 3), moment: try found.int8(row, 4), bookDate: try found.text(row, 5),
        ruleSet: try found.int4(row, 6))
    }
  }

  /// What stands after the event at a position.
  func ledger(through position: Int64) throws -> NaiveLedger {
    var ledger = NaiveLedger()
    for row in rows.prefix(while: { $0.position <= position }) {
      try ledger.read(type: row.type, payload: row.payload, command: row.command, date: row.bookDate)
    }
    return ledger
  }

  /// The last position that was decided at or before a moment; 0 before all.
  func position(at moment: Int64) -> Int64 { rows.last { $0.moment <= moment }?.position ?? 0 }

  func row(at position: Int64) -> Row? { rows.first { $0.position == position } }
}

/// Days by the system's calendar.
enum NaiveDays {
  private static func calendar(_ zone: String) -> Calendar {
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
    return calendar
  }

  /// The day of a moment where the book is.
  static func day(of moment: Int64, in zone: String) -> String {
    text(Date(timeIntervalSince1970: (Double(moment) / 1_000_000).rounded(.down)), calendar(zone))
  }

  /// The first day that counts towards a limit's window on a day; nil for limits that count no past.
  static func windowStart(_ kind: String, on day: String) -> String? {
    switch kind {
    case "daily": day
    case "weekly": monday(of: day)
    case "monthly": String(day.prefix(8)) + "01"
    case "rolling_30_days": self.day(before: day, by: 29)
    default: nil
    }
  }

  static func day(before day: String, by days: Int) -> String {
    text(noon(of: day).addingTimeInterval(-86_400 * Double(days)), calendar("GMT"))
  }

  private static func monday(of day: String) -> String {
    let weekday = calendar("GMT").component(.weekday, from: noon(of: day))
    return self.day(before: day, by: (weekday + 5) % 7)
  }

  private static func noon(of day: String) -> Date {
    let parts = day.split(separator: "-").compactMap { Int($0) }
    let components = DateComponents(year: parts[0], month: parts[1], day: parts[2], hour: 12)
    return calendar("GMT").date(from: components) ?? .distantPast
  }

  private static func text(_ date: Date, _ calendar: Calendar) -> String {
    let parts = calendar.dateComponents([.year, .month, .day], from: date)
    return String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
  }
}
