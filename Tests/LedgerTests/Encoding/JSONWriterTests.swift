import Ledger
import Testing

@Suite struct JSONWriterTests {
  private func text(_ write: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    write(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func writesEveryKindOfValue() throws {
    let id = try #require(Identifier("0190f3a1-7b2c-7def-8123-456789abcdef"))
    let moment = try #require(Moment("2026-11-22T09:41:48.120Z"))
    let date = try #require(CalendarDate("2026-11-22"))
    let number = try AccountNumber("01-0902-0068389-000")
    let written = text {
      $0.beginObject()
      $0.field("id", id)
      $0.field("moment", moment)
      $0.field("date", date)
      $0.field("currency", Currency.nzd)
      $0.field("number", number)
      $0.field("amount", amount: 1250)
      $0.field("count", integer: -3)
      $0.field("flag", true)
      $0.field("text", "a\"b")
      $0.field("raw", raw: Array("[1]".utf8))
      $0.key("list")
      $0.beginArray()
      $0.null()
      $0.bool(false)
      $0.string("x" as StaticString)
      $0.beginObject()
      $0.endObject()
      $0.beginArray()
      $0.endArray()
      $0.integer(7)
      $0.endArray()
      $0.key("last\n" as String)
      $0.beginObject()
      $0.endObject()
      $0.endObject()
    }
    #expect(
      written == """
        {"id":"0190f3a1-7b2c-7def-8123-456789abcdef","moment":"2026-11-22T09:41:48.12Z","date":"2026-11-22",\
        "currency":"NZD","number":"01-0902-0068389-00","amount":"1250","count":-3,"flag":true,"text":"a\\"b","raw":[1],\
        "list":[null,false,"x",{},[],7],"last\\n":{}}
        """)
  }

  @Test func leavesOutWhatIsAbsent() {
    let written = text {
      $0.beginObject()
      $0.field("a", nil as Identifier?)
      $0.field("b", nil as String?)
      $0.field("c", nil as Moment?)
      $0.field("d", nil as CalendarDate?)
      $0.field("e", nil as Currency?)
      $0.field("f", nil as AccountNumber?)
      $0.field("g", nil as Bool?)
      $0.field("h", amount: nil)
      $0.field("i", integer: nil as Int64?)
      $0.field("j", 1 == 1)
      $0.field("k", nil as Shade?)
      $0.field("l", Shade.dark)
      $0.endObject()
    }
    #expect(written == #"{"j":true,"l":"dark"}"#)
  }

  private enum Shade: String { case dark }

  @Test func escapesOnlyWhatMustBe() {
    let every = String(String.UnicodeScalarView((0x01...0x80).compactMap { Unicode.Scalar($0 as UInt32) }))
    let controls = (0x01...0x1F).map { code in
      switch code {
      case 8: #"\b"#
      case 9: #"\t"#
      case 10: #"\n"#
      case 12: #"\f"#
      case 13: #"\r"#
      default: #"\u00"# + (code < 16 ? "0" : "") + String(code, radix: 16)
      }
    }
    let printable = (0x20...0x80).compactMap { Unicode.Scalar($0 as UInt32) }.map { scalar in
      scalar == "\"" || scalar == "\\" ? "\\\(scalar)" : "\(scalar)"
    }
    #expect(text { $0.string(every) } == "\"" + controls.joined() + printable.joined() + "\"")
    #expect(text { $0.string("\0a\u{2028}/") } == "\"\u{FFFD}a\u{2028}/\"")
  }

  @Test func linesAndReuse() {
    var writer = JSONWriter(reserving: 1)
    for value in 1...2 {
      writer.beginArray()
      writer.integer(value)
      writer.endArray()
      writer.endLine()
    }
    #expect(writer.bytes == Array("[1]\n[2]\n".utf8))
    writer.removeAll()
    writer.null()
    #expect(writer.bytes == Array("null".utf8))
  }

  @Test(
    arguments: [0, 1, 9, 10, 99, 100, -1, -10, 999_999_999, 1_000_000_000, .max, .min, .max - 1, .min + 1] as [Int64])
  func writesIntegers(_ value: Int64) {
    #expect(text { $0.integer(value) } == String(value))
    #expect(text { $0.amount(value) } == "\"\(value)\"")
  }

  @Test func writesTimesThatNoTextHolds() {
    #expect(text { $0.moment(Moment(microseconds: .max)) } == "\"+294247-01-10T04:00:54.775807Z\"")
    #expect(text { $0.date(CalendarDate(daysSince1970: .max)) } == "\"\(CalendarDate(daysSince1970: .max))\"")
  }

  /// What is written is accepted and read as what it was.
  @Test func valuesRoundTrip() throws {
    var chance = Chance("written values")
    for _ in 0..<2_000 {
      let id = Identifier(high: chance.next(), low: chance.next())
      let moment = Moment(
        microseconds: Int64.random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &chance))
      let date = CalendarDate(daysSince1970: Int32.random(in: -719_162...2_932_896, using: &chance))
      let number = chance.integer()
      let string = chance.text()
      let name = chance.text()
      let currency = chance.pick([Currency.nzd, .aud, .jpy])
      var writer = JSONWriter(reserving: 0)
      writer.beginArray()
      writer.identifier(id)
      writer.moment(moment)
      writer.date(date)
      writer.integer(number)
      writer.amount(number)
      writer.currency(currency)
      writer.string(string)
      writer.beginObject()
      writer.key(name)
      writer.bool(true)
      writer.endObject()
      writer.endArray()

      let root = try JSONDocument(writer.bytes).root
      #expect(root.compactBytes == writer.bytes)
      let values = Array(try root.array())
      #expect(try values[0].identifier() == id)
      #expect(try values[1].moment() == moment)
      #expect(try values[2].date() == date)
      #expect(try values[3].int64() == number)
      #expect(try values[4].minorUnits() == number)
      #expect(try values[5].currency() == currency)
      #expect(try Array(values[6].string().utf8) == Array(string.utf8))
      #expect(try values[7].object().map(\.key).map { Array($0.utf8) } == [Array(name.utf8)])
    }
  }
}
