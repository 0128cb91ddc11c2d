/// A day of the proleptic Gregorian calendar, without time or zone: a book date, a value date, a date of birth.
///
/// Text is the calendar date of RFC 3339 (`full-date`), years 0001 to 9999.
@frozen
public struct CalendarDate: Hashable, Comparable, Sendable {
  /// Days since 1970-01-01, negative before it.
  public var daysSince1970: Int32

  @inlinable
  public init(daysSince1970: Int32) {
    self.daysSince1970 = daysSince1970
  }

  @inlinable
  public static func < (left: CalendarDate, right: CalendarDate) -> Bool {
    left.daysSince1970 < right.daysSince1970
  }

  /// The date of a year from 1 to 9999, a month from 1 and a day from 1; nil when the calendar has no such day.
  public init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month),
      day >= 1, day <= CalendarDate.daysInMonth(month, of: year)
    else { return nil }
    daysSince1970 = Int32(truncatingIfNeeded: CalendarDate.days(year: year, month: month, day: day))
  }
}

extension CalendarDate {
  public var year: Int { components.year }
  /// 1 for January.
  public var month: Int { components.month }
  public var day: Int { components.day }

  /// Year, month and day together, at the cost of one of them.
  public var components: (year: Int, month: Int, day: Int) {
    CalendarDate.components(days: Int(daysSince1970))
  }

  /// The day of the week as ISO 8601 counts: 1 for Monday, 7 for Sunday.
  public var weekday: Int {
    // 1970-01-01 was a Thursday.
    let sinceMonday = (Int(daysSince1970) + 3) % 7
    return (sinceMonday < 0 ? sinceMonday + 7 : sinceMonday) + 1
  }

  /// The Monday of this day's week.
  public var startOfWeek: CalendarDate { adding(days: 1 - weekday) }

  /// The first of this day's month.
  public var startOfMonth: CalendarDate { adding(days: 1 - day) }

  /// The day so many days later, or earlier when negative. The ends of `Int32` days, 5.8 million years away, are not
  /// passed: the result stays there.
  public func adding(days: Int) -> CalendarDate {
    let (sum, overflow) = Int(daysSince1970).addingReportingOverflow(days)
    if overflow { return CalendarDate(daysSince1970: days < 0 ? .min : .max) }
    return CalendarDate(daysSince1970: Int32(clamping: sum))
  }

  /// Days from another date to this one, negative when the other is later.
  public func days(since other: CalendarDate) -> Int {
    Int(daysSince1970) - Int(other.daysSince1970)
  }

  static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  static func daysInMonth(_ month: Int, of year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970-01-01. Years are counted from March, so that the leap day is the last of its year and the months
  /// before it have lengths that a linear formula gives; 400 years are 146,097 days.
  static func days(year: Int, month: Int, day: Int) -> Int {
    let marchYear = month > 2 ? year : year - 1
    let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The inverse of `days(year:month:day:)`.
  static func components(days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}

extension CalendarDate: LosslessStringConvertible {
  /// The length of the textual form of a date of the years 0001 to 9999.
  static let textLength = 10

  /// Reads `YYYY-MM-DD`; nil for another form or a day that the calendar hasn't.
  public init?(_ text: String) {
    var text = text
    guard let value = text.withUTF8({ CalendarDate(utf8: UnsafeRawBufferPointer($0)) }) else { return nil }
    self = value
  }

  /// As `init(_:)`, from the text's bytes.
  public init?(utf8 text: UnsafeRawBufferPointer) {
    guard text.count == CalendarDate.textLength, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
      let year = text.fourDigits(at: 0), let month = text.twoDigits(at: 5), let day = text.twoDigits(at: 8)
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  /// `YYYY-MM-DD`. A year outside 0000 to 9999, which no text read here yields, has a sign and at least five digits, as
  /// ISO 8601 writes an expanded year.
  public var description: String {
    let (year, month, day) = components
    guard (0...9999).contains(year) else {
      let digits = String(year.magnitude)
      let padding = String(repeating: "0", count: max(0, 5 - digits.count))
      let rest = [month, day].map { $0 < 10 ? "-0\($0)" : "-\($0)" }.joined()
      return (year < 0 ? "-" : "+") + padding + digits + rest
    }
    return String(unsafeUninitializedCapacity: CalendarDate.textLength) { buffer in
      CalendarDate.write(year, month, day, to: UnsafeMutableRawBufferPointer(buffer))
      return CalendarDate.textLength
    }
  }

  /// Writes the ten characters of a date of the years 0000 to 9999 over the start of a buffer.
  static func write(_ year: Int, _ month: Int, _ day: Int, to text: UnsafeMutableRawBufferPointer) {
    text.storeFourDigits(year, at: 0)
    text[4] = UInt8(ascii: "-")
    text.storeTwoDigits(month, at: 5)
    text[7] = UInt8(ascii: "-")
    text.storeTwoDigits(day, at: 8)
  }
}
