import EventStore
import Testing

@Suite struct LogPlaceTests {
  @Test(
    "a place is read back as it was written",
    arguments: [
      (LogPlace(0, incarnation: 1), "0"), (LogPlace(42, incarnation: 1), "42"), (LogPlace(42, incarnation: 2), "2:42"),
      (LogPlace(.max, incarnation: 300), "300:9223372036854775807"),
    ])
  func writtenAndRead(place: LogPlace, text: String) {
    #expect(place.description == text)
    #expect(LogPlace(text) == place)
  }

  @Test(
    "anything else isn't one",
    arguments: ["", ":", "1:", ":1", "-1", "1:-1", "0:1", "+1", "1:2:3", "1 ", "٣", "9223372036854775808", "0x1"])
  func refused(text: String) {
    #expect(LogPlace(text) == nil)
  }
}
