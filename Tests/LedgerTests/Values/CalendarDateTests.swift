import Ledger
import Testing

@Suite struct CalendarDateTests {
  @Test(arguments: [
    ("1970-01-01", 0, 4), ("1969-12-31", -1, 3), ("2000-02-29", 11_016, 2), ("2026-11-22", 20_779, 7),
    ("0001-01-01", -719_162, 1), ("9999-12-31", 2_932_896, 5), ("1900-03-01", -25_508, 4), ("2100-02-28", 47_540, 7),
  ])
  func knowsDays(_ text: String, _ days: Int32, _ weekday: Int) throws {
    let date = try #require(CalendarDate(text))
    #expect(date.daysSince1970 == days)
    #expect(date.weekday == weekday)
    #expect(date.description == text)
  }

  @Test(arguments: [
    "", "2026-11-2", "2026-11-222", "2026/11/22", "26-11-22", "2026-11-22T", "+2026-11-2", "2026-1a-22", "0000-01-01",
    "2026-00-10", "2026-13-10", "2026-01-00", "2026-01-32", "2026-04-31", "2026-02-29", "1900-02-29", "2100-02-29",
    "2026-11-\u{0662}2",
  ])
  func refuses(_ text: String) {
    #expect(CalendarDate(text) == nil)
  }

  /// Every day of every year that text can hold, walked one by one beside a calendar that only counts.
  @Test func agreesWithCountingDays() {
    let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    var days: Int32 = -719_162
    var mismatches = 0
    for year in 1...9999 {
      let isLeap = year % 400 == 0 || year % 4 == 0 && year % 100 != 0
      for month in 1...12 {
        for day in 1...(month == 2 && isLeap ? 29 : lengths[month - 1]) {
          let components = CalendarDate(daysSince1970: days).components
          if components != (year, month, day) || CalendarDate(year: year, month: month, day: day)?.daysSince1970 != days
          {
            mismatches += 1
          }
          days += 1
        }
      }
    }
    #expect(mismatches == 0)
    #expect(days == 2_932_897)
  }

  @Test func startsOfWeekAndMonth() throws {
    let date = try #require(CalendarDate("2026-11-22"))
    #expect(date.startOfWeek.description == "2026-11-16")
    #expect(date.startOfWeek.weekday == 1)
    #expect(date.startOfMonth.description == "2026-11-01")
    #expect(try #require(CalendarDate("2026-03-01")).startOfWeek.description == "2026-02-23")
    #expect(try #require(CalendarDate("1969-12-29")).startOfWeek.description == "1969-12-29")
    #expect(date.adding(days: 40).description == "2027-01-01")
    #expect(date.adding(days: -29).days(since: date) == -29)
  }

  @Test func endsAreNotPassed() {
    #expect(CalendarDate(daysSince1970: .max).adding(days: 1).daysSince1970 == .max)
    #expect(CalendarDate(daysSince1970: .min).adding(days: -1).daysSince1970 == .min)
    #expect(CalendarDate(daysSince1970: 5).adding(days: .max).daysSince1970 == .max)
    #expect(CalendarDate(daysSince1970: -5).adding(days: .min).daysSince1970 == .min)
    for end in [Int32.min, Int32.max] {
      let date = CalendarDate(daysSince1970: end)
      #expect((1...7).contains(date.weekday))
      #expect(CalendarDate(date.description) == nil)
    }
    #expect(CalendarDate(daysSince1970: 2_932_897).description == "+10000-01-01")
    #expect(CalendarDate(daysSince1970: -719_163).description == "0000-12-31")
    #expect(CalendarDate(daysSince1970: -719_529).description == "-00001-12-31")
  }
}
