import Ledger
import Testing

@Suite struct MomentTests {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
    ("1970-01-01t00:00:00z", 0, "1970-01-01T00:00:00Z"),
    ("1970-01-01T13:00:00+13:00", 0, "1970-01-01T00:00:00Z"),
    ("1969-12-31T14:30:00-09:30", 0, "1970-01-01T00:00:00Z"),
    ("1970-01-01T00:00:00-00:00", 0, "1970-01-01T00:00:00Z"),
    ("1970-01-01T23:59:00+23:59", 0, "1970-01-01T00:00:00Z"),
    ("1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999999Z"),
    ("1970-01-01T00:00:00.1Z", 100_000, "1970-01-01T00:00:00.1Z"),
    ("1970-01-01T00:00:00.100000Z", 100_000, "1970-01-01T00:00:00.1Z"),
    ("1970-01-01T00:00:00.000001Z", 1, "1970-01-01T00:00:00.000001Z"),
    ("1970-01-01T00:00:00.000Z", 0, "1970-01-01T00:00:00Z"),
    ("2026-11-22T22:41:48.5+13:00", 1_795_340_508_500_000, "2026-11-22T09:41:48.5Z"),
    ("0001-01-01T00:00:00Z", -62_135_596_800_000_000, "0001-01-01T00:00:00Z"),
    ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
  ])
  func reads(_ text: String, _ microseconds: Int64, _ canonical: String) throws {
    let moment = try #require(Moment(text))
    #expect(moment.microseconds == microseconds)
    #expect(moment.description == canonical)
  }

  @Test(arguments: [
    ("", Moment.Fault.malformed),
    ("2026-11-22", .malformed),
    ("2026-11-22 09:41:48Z", .malformed),
    ("2026-11-22T09:41:48", .malformed),
    ("2026-11-22T09:41Z", .malformed),
    ("2026-11-22T09:41:48.Z", .malformed),
    ("2026-11-22T09:41:48,5Z", .malformed),
    ("2026-11-22T09:41:48.5", .malformed),
    ("2026-11-22T09:41:48ZZ", .malformed),
    ("2026-11-22T09:41:48+13", .malformed),
    ("2026-11-22T09:41:48+1300", .malformed),
    ("2026-11-22T09:41:48+13:00Z", .malformed),
    ("2026-11-22T9:41:48Z", .malformed),
    ("2026-W47-7T09:41:48Z", .malformed),
    (" 2026-11-22T09:41:48Z", .malformed),
    ("2026-11-22T09:41:48.1234567Z", .tooPrecise),
    ("2026-02-29T09:41:48Z", .outOfRange),
    ("2026-13-01T09:41:48Z", .outOfRange),
    ("2026-11-22T24:00:00Z", .outOfRange),
    ("2026-11-22T09:60:00Z", .outOfRange),
    ("2026-11-22T09:41:61Z", .outOfRange),
    ("2026-11-22T09:41:48+24:00", .outOfRange),
    ("2026-11-22T09:41:48+13:60", .outOfRange),
    ("0000-12-31T23:59:59Z", .outOfRange),
    ("0001-01-01T00:00:00+00:01", .outOfRange),
    ("9999-12-31T23:59:59-00:01", .outOfRange),
    ("2016-12-31T23:59:60Z", .leapSecond),
    ("2017-01-01T12:59:60.5+13:00", .leapSecond),
  ])
  func refuses(_ text: String, _ fault: Moment.Fault) {
    let bytes = Array(text.utf8)
    #expect(bytes.withUnsafeBytes { Moment.parse(utf8: $0) } == .failure(fault))
    #expect(Moment(text) == nil)
  }

  @Test func textRoundTrips() throws {
    var chance = Chance("text of moments")
    for _ in 0..<2_000 {
      let moment = Moment(
        microseconds: Int64.random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &chance))
      let text = moment.description
      #expect(Moment(text) == moment)
      // The same instant, told by a clock with an offset.
      let minutes = Int64(chance.index(below: 2 * 1439 + 1) - 1439)
      if let local = moment.adding(microseconds: minutes * 60_000_000), Moment(local.description) != nil {
        let sign = minutes < 0 ? "-" : "+"
        let offset = [minutes.magnitude / 60, minutes.magnitude % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        #expect(Moment("\(local.description.dropLast())\(sign)\(offset.joined(separator: ":"))") == moment)
      }
    }
  }

  @Test func everyValuePrintsAndHasADay() throws {
    #expect(Moment(microseconds: .max).description == "+294247-01-10T04:00:54.775807Z")
    #expect(Moment(microseconds: .min).description == "-290308-12-21T19:59:05.224192Z")
    #expect(Moment(microseconds: .max).dateUTC.description == "+294247-01-10")
    #expect(Moment(microseconds: -1).dateUTC.description == "1969-12-31")
    #expect(Moment(microseconds: .max).adding(microseconds: 1) == nil)
    let date = try #require(CalendarDate("2026-11-22"))
    #expect(Moment(startOfDayUTC: date).description == "2026-11-22T00:00:00Z")
  }
}
