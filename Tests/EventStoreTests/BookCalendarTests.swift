import EventStore
import Foundation
import Ledger
import Testing

@Suite struct BookCalendarTests {
  static let zones = [
    "Pacific/Auckland", "Australia/Sydney", "Australia/Brisbane", "Australia/Perth", "Australia/Adelaide",
    "Australia/Lord_Howe", "Pacific/Chatham", "Pacific/Apia", "Europe/London", "UTC",
  ]

  private func moment(_ text: String) throws -> Moment { try #require(Moment(text)) }

  /// The day by Foundation's own calendar, which shares no code with what is tested.
  private static func expected(_ moment: Moment, _ calendar: Calendar) -> CalendarDate? {
    let seconds = TimeInterval(moment.microseconds.quotientAndRemainder(dividingBy: 1_000_000).quotient)
    let floor = moment.microseconds % 1_000_000 < 0 ? seconds - 1 : seconds
    let parts = calendar.dateComponents([.year, .month, .day], from: Date(timeIntervalSince1970: floor))
    guard let year = parts.year, let month = parts.month, let day = parts.day else { return nil }
    return CalendarDate(year: year, month: month, day: day)
  }

  private static func calendar(_ zone: String) throws -> Calendar {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: zone))
    return calendar
  }

  @Test(arguments: [
    // New Zealand: standard time is UTC+12, and daylight time, from the last Sunday of September to the first of April,
    // +13.
    ("Pacific/Auckland", "2026-07-01T11:59:59.999999Z", "2026-07-01"),
    ("Pacific/Auckland", "2026-07-01T12:00:00Z", "2026-07-02"),
    ("Pacific/Auckland", "2026-01-01T10:59:59.999999Z", "2026-01-01"),
    ("Pacific/Auckland", "2026-01-01T11:00:00Z", "2026-01-02"),
    // It ends on 5 April 2026 at 3:00, which becomes 2:00: that day has 25 hours.
    ("Pacific/Auckland", "2026-04-04T10:59:59Z", "2026-04-04"),
    ("Pacific/Auckland", "2026-04-04T11:00:00Z", "2026-04-05"),
    ("Pacific/Auckland", "2026-04-05T11:59:59Z", "2026-04-05"),
    ("Pacific/Auckland", "2026-04-05T12:00:00Z", "2026-04-06"),
    // It begins on 27 September 2026 at 2:00, which becomes 3:00: that day has 23 hours.
    ("Pacific/Auckland", "2026-09-26T11:59:59Z", "2026-09-26"),
    ("Pacific/Auckland", "2026-09-26T12:00:00Z", "2026-09-27"),
    ("Pacific/Auckland", "2026-09-27T10:59:59Z", "2026-09-27"),
    ("Pacific/Auckland", "2026-09-27T11:00:00Z", "2026-09-28"),
    // Sydney: +10, and +11 from the first Sunday of October to the first of April.
    ("Australia/Sydney", "2026-04-04T12:59:59Z", "2026-04-04"),
    ("Australia/Sydney", "2026-04-04T13:00:00Z", "2026-04-05"),
    ("Australia/Sydney", "2026-04-05T13:59:59Z", "2026-04-05"),
    ("Australia/Sydney", "2026-04-05T14:00:00Z", "2026-04-06"),
    ("Australia/Sydney", "2026-10-04T12:59:59Z", "2026-10-04"),
    ("Australia/Sydney", "2026-10-04T13:00:00Z", "2026-10-05"),
    // Queensland has no daylight time; Samoa had no 30 December 2011.
    ("Australia/Brisbane", "2026-01-01T13:59:59Z", "2026-01-01"),
    ("Australia/Brisbane", "2026-01-01T14:00:00Z", "2026-01-02"),
    ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29"),
    ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31"),
    // Before and after the years that are worked out ahead.
    ("Pacific/Auckland", "1969-12-31T11:59:59.999999Z", "1969-12-31"),
    ("Pacific/Auckland", "1969-12-31T12:00:00Z", "1970-01-01"),
    ("UTC", "1969-12-31T23:59:59.999999Z", "1969-12-31"),
    ("Pacific/Auckland", "2100-06-30T12:00:00Z", "2100-07-01"),
  ])
  func knowsTheDay(zone: String, at text: String, day: String) throws {
    #expect(try BookCalendar(timeZone: zone).date(of: moment(text)).description == day)
  }

  @Test(arguments: zones) func agreesWithFoundationAtRandomMoments(zone: String) throws {
    var chance = Seed.generator()
    let tested = try BookCalendar(timeZone: zone)
    let calendar = try Self.calendar(zone)
    for _ in 0..<4_000 {
      let moment = Moment(microseconds: .random(in: -300_000_000_000_000...4_300_000_000_000_000, using: &chance))
      #expect(tested.date(of: moment) == Self.expected(moment, calendar), "\(moment) in \(zone)")
    }
  }

  /// The seconds around every midnight of a few years, those of the changes among them.
  @Test(arguments: zones) func agreesWithFoundationAroundMidnights(zone: String) throws {
    let tested = try BookCalendar(timeZone: zone)
    let calendar = try Self.calendar(zone)
    let start = try moment("2025-01-01T00:00:00Z").microseconds
    for hour in 0..<(2 * 366 * 24) {
      // Offsets are whole quarters of an hour, so midnights are too.
      for quarter in 0..<4 {
        let edge = start + Int64(hour) * 3_600_000_000 + Int64(quarter) * 900_000_000
        for moment in [Moment(microseconds: edge - 1), Moment(microseconds: edge)]
        where tested.date(of: moment) != Self.expected(moment, calendar) {
          Issue.record("\(moment) in \(zone)")
        }
      }
    }
  }

  @Test(arguments: ["", "NZST", "Pacific/Aukland", "pacific/auckland", "GMT+12", "../etc/passwd"])
  func refusesWhatIsNoTimeZone(name: String) {
    let fault = #expect(throws: UnknownTimeZone.self) { try BookCalendar(timeZone: name) }
    #expect(fault?.name == name)
  }
}
