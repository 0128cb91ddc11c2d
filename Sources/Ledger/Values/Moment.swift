/// A point in time, to the microsecond.
///
/// Text is the date-time of RFC 3339, years 0001 to 9999. Days have 86,400 seconds: as POSIX and Postgres do, leap
/// seconds are left out of the count, and a text that names one (`23:59:60`) is refused, for it would have no value of
/// its own.
@frozen
public struct Moment: Hashable, Comparable, Sendable {
  /// Microseconds since 1970-01-01T00:00:00Z, negative before it.
  public var microseconds: Int64

  @inlinable
  public init(microseconds: Int64) {
    self.microseconds = microseconds
  }

  @inlinable
  public static func < (left: Moment, right: Moment) -> Bool {
    left.microseconds < right.microseconds
  }

  /// Why a text isn't a moment.
  public enum Fault: Error, Equatable, Sendable {
    /// Not the form `YYYY-MM-DDThh:mm:ss[.ffffff](Z|±hh:mm)`.
    case malformed
    /// More than six digits after the decimal point.
    case tooPrecise
    /// A month, day, hour, minute or offset that doesn't exist, or, in UTC, a year outside 0001 to 9999.
    case outOfRange
    /// The second is 60.
    case leapSecond

    /// What to tell the person who sent the text.
    public var reason: String {
      switch self {
      case .malformed: "must be an RFC 3339 date-time with an offset, such as 2026-11-22T09:30:00Z"
      case .tooPrecise: "must have at most six digits of a second (microseconds)"
      case .outOfRange: "is not a moment of the years 0001 to 9999"
      case .leapSecond: "must not name a leap second: write 59 seconds, or the second that follows"
      }
    }
  }
}

extension Moment {
  static let microsecondsPerDay: Int64 = 86_400_000_000

  /// The first instant of a day in UTC.
  public init(startOfDayUTC date: CalendarDate) {
    microseconds = Int64(date.daysSince1970) * Moment.microsecondsPerDay
  }

  /// The day that this moment falls on in UTC.
  public var dateUTC: CalendarDate {
    CalendarDate(daysSince1970: Int32(clamping: dayAndRest.day))
  }

  /// The moment so many microseconds later; nil when it is beyond what `Int64` counts.
  public func adding(microseconds distance: Int64) -> Moment? {
    let (sum, overflow) = microseconds.addingReportingOverflow(distance)
    return overflow ? nil : Moment(microseconds: sum)
  }

  private var dayAndRest: (day: Int, rest: Int) {
    let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: Moment.microsecondsPerDay)
    return remainder < 0
      ? (Int(quotient) - 1, Int(remainder + Moment.microsecondsPerDay)) : (Int(quotient), Int(remainder))
  }
}

extension Moment: LosslessStringConvertible {
  /// Reads an RFC 3339 date-time; nil when the text isn't one. `parse(utf8:)` says why.
  public init?(_ text: String) {
    var text = text
    guard case .success(let value) = text.withUTF8({ Moment.parse(utf8: UnsafeRawBufferPointer($0)) }) else {
      return nil
    }
    self = value
  }

  /// Reads an RFC 3339 date-time from its bytes: `T` and `Z` in either case, an offset of hours and minutes or `Z`, no
  /// digit or up to six after the decimal point. `-00:00` counts as UTC.
  public static func parse(utf8 text: UnsafeRawBufferPointer) -> Result<Moment, Fault> {
    guard text.count >= 20, text[10] | 0x20 == UInt8(ascii: "t"),
      text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
      text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
      let year = text.fourDigits(at: 0), let month = text.twoDigits(at: 5), let day = text.twoDigits(at: 8),
      let hour = text.twoDigits(at: 11), let minute = text.twoDigits(at: 14), let second = text.twoDigits(at: 17)
    else { return .failure(.malformed) }
    var index = 19
    var fraction = 0
    if text[index] == UInt8(ascii: ".") {
      index += 1
      let start = index
      while index < text.count, text[index] &- 0x30 <= 9 {
        if index - start < 6 { fraction = fraction * 10 + Int(text[index] &- 0x30) }
        index += 1
      }
      let digits = index - start
      guard digits > 0 else { return .failure(.malformed) }
      guard digits <= 6 else { return .failure(.tooPrecise) }
      for _ in digits..<6 { fraction *= 10 }
    }
    guard let offset = parseOffset(text, at: index) else { return .failure(.malformed) }
    guard let date = CalendarDate(year: year, month: month, day: day), hour <= 23, minute <= 59, second <= 60,
      offset.hours <= 23, offset.minutes <= 59
    else { return .failure(.outOfRange) }
    guard second <= 59 else { return .failure(.leapSecond) }
    let offsetSeconds = offset.sign * (offset.hours * 3600 + offset.minutes * 60)
    let seconds = Int(date.daysSince1970) * 86_400 + hour * 3600 + minute * 60 + second - offsetSeconds
    // Year 1 begins 62,135,596,800 seconds before 1970 and year 10000 begins 253,402,300,800 after it.
    guard seconds >= -62_135_596_800, seconds < 253_402_300_800 else { return .failure(.outOfRange) }
    return .success(Moment(microseconds: Int64(seconds) * 1_000_000 + Int64(fraction)))
  }

  /// `Z` or `±hh:mm`, with nothing after it; nil otherwise.
  @inline(__always)
  private static func parseOffset(
    _ text: UnsafeRawBufferPointer, at index: Int
  ) -> (sign: Int, hours: Int, minutes: Int)? {
    guard index < text.count else { return nil }
    if text[index] | 0x20 == UInt8(ascii: "z") { return index + 1 == text.count ? (1, 0, 0) : nil }
    guard index + 6 == text.count, text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-"),
      text[index + 3] == UInt8(ascii: ":"),
      let hours = text.twoDigits(at: index + 1), let minutes = text.twoDigits(at: index + 4)
    else { return nil }
    return (text[index] == UInt8(ascii: "+") ? 1 : -1, hours, minutes)
  }

  /// The most characters that a moment of the years 0000 to 9999 takes.
  static let maximumTextLength = 27

  /// In UTC with `Z`, to the second, with as many digits after it as the value needs: the same moment has one text
  /// only. A year outside 0000 to 9999 is written as `CalendarDate` does.
  public var description: String {
    guard isWritable else {
      let (day, rest) = dayAndRest
      let clock = Moment(microseconds: Int64(rest)).description.dropFirst(CalendarDate.textLength)
      return CalendarDate(daysSince1970: Int32(clamping: day)).description + clock
    }
    return String(unsafeUninitializedCapacity: Moment.maximumTextLength) { buffer in
      write(to: UnsafeMutableRawBufferPointer(buffer))
    }
  }

  /// Whether the year has four digits, so that `write` may be used.
  var isWritable: Bool {
    microseconds >= -62_167_219_200_000_000 && microseconds < 253_402_300_800_000_000
  }

  /// Writes the text of a writable moment over the start of a buffer of at least `maximumTextLength` bytes, and returns
  /// its length.
  func write(to text: UnsafeMutableRawBufferPointer) -> Int {
    let (days, rest) = dayAndRest
    let (year, month, day) = CalendarDate.components(days: days)
    CalendarDate.write(year, month, day, to: text)
    let seconds = rest / 1_000_000
    text[10] = UInt8(ascii: "T")
    text.storeTwoDigits(seconds / 3600, at: 11)
    text[13] = UInt8(ascii: ":")
    text.storeTwoDigits(seconds / 60 % 60, at: 14)
    text[16] = UInt8(ascii: ":")
    text.storeTwoDigits(seconds % 60, at: 17)
    var length = 19
    let fraction = rest % 1_000_000
    if fraction != 0 {
      text[19] = UInt8(ascii: ".")
      text.storeTwoDigits(fraction / 10_000, at: 20)
      text.storeFourDigits(fraction % 10_000, at: 22)
      length = 26
      while text[length - 1] == UInt8(ascii: "0") { length -= 1 }
    }
    text[length] = UInt8(ascii: "Z")
    return length + 1
  }
}
