import Foundation
public import Ledger

/// The calendar of the book's time zone: which day a moment falls on there, daylight saving included.
///
/// The zone's offsets from 1970 to 2100 are worked out once, so that asking costs a search among some two hundred
/// numbers and neither locks nor allocates.
public struct BookCalendar: Sendable {
  /// The name as the IANA time zone database has it, `Pacific/Auckland`.
  public let timeZone: String

  private let zone: TimeZone
  /// When each offset begins, in seconds since 1970; the first one is in force from `horizon`'s start.
  private let starts: [Int64]
  /// In seconds east of UTC.
  private let offsets: [Int64]

  /// From 1970-01-01 to 2100-01-01, in seconds.
  private static let horizon: Range<Int64> = 0..<4_102_444_800

  /// - Throws: `UnknownTimeZone` when there is no zone of this name.
  public init(timeZone name: String) throws(UnknownTimeZone) {
    // Foundation takes abbreviations too, but they aren't zones: they say nothing of daylight saving.
    guard name == "UTC" || TimeZone.knownTimeZoneIdentifiers.contains(name),
      let zone = TimeZone(identifier: name)
    else { throw UnknownTimeZone(name: name) }
    self.zone = zone
    timeZone = name
    (starts, offsets) = BookCalendar.offsets(of: zone)
  }

  /// The day that `moment` falls on.
  public func date(of moment: Moment) -> CalendarDate {
    let seconds = BookCalendar.floorDivide(moment.microseconds, by: 1_000_000)
    return CalendarDate(
      daysSince1970: Int32(clamping: BookCalendar.floorDivide(seconds + offset(at: seconds), by: 86_400)))
  }

  /// Seconds east of UTC.
  private func offset(at seconds: Int64) -> Int64 {
    guard BookCalendar.horizon.contains(seconds) else { return BookCalendar.offset(of: zone, at: seconds) }
    var low = 0
    var high = starts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= seconds { low = middle } else { high = middle }
    }
    return offsets[low]
  }

  /// Every change of the offset within the horizon, to the second. A zone is looked at once a week, and where two looks
  /// differ, the change is searched for between them: no zone has ever changed its offset twice within one.
  private static func offsets(of zone: TimeZone) -> (starts: [Int64], offsets: [Int64]) {
    let week: Int64 = 7 * 86_400
    var known = offset(of: zone, at: horizon.lowerBound)
    var starts = [horizon.lowerBound]
    var offsets = [known]
    for look in stride(from: horizon.lowerBound + week, through: horizon.upperBound, by: Int(week)) {
      let found = offset(of: zone, at: look)
      guard found != known else { continue }
      var before = look - week
      var after = look
      while after - before > 1 {
        let middle = before + (after - before) / 2
        if offset(of: zone, at: middle) == known { before = middle } else { after = middle }
      }
      starts.append(after)
      offsets.append(found)
      known = found
    }
    return (starts, offsets)
  }

  private static func offset(of zone: TimeZone, at seconds: Int64) -> Int64 {
    Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds))))
  }

  private static func floorDivide(_ value: Int64, by divisor: Int64) -> Int64 {
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}

/// A name that no time zone has.
public struct UnknownTimeZone: Error, Hashable, Sendable, CustomStringConvertible {
  public let name: String

  public var description: String { "there is no time zone called \(name); a name looks like Pacific/Auckland" }
}
