import Ledger
import Testing

@Suite struct IdentifierTests {
  @Test func readsBothCasesAndPrintsLower() throws {
    let mixed = try #require(Identifier("0190F3a1-7B2c-7dEf-8123-456789AbCdeF"))
    #expect(mixed.description == "0190f3a1-7b2c-7def-8123-456789abcdef")
    #expect(mixed.high == 0x0190_f3a1_7b2c_7def)
    #expect(mixed.low == 0x8123_4567_89ab_cdef)
    #expect(Identifier("00000000-0000-0000-0000-000000000000") == .zero)
    #expect(Identifier("xx ffffffff-ffff-ffff-ffff-ffffffffffff".dropFirst(3)) == Identifier(high: .max, low: .max))
  }

  @Test(arguments: [
    "", "-", "0190f3a17b2c7def8123456789abcdef", "{0190f3a1-7b2c-7def-8123-456789abcdef}",
    "0190f3a1-7b2c-7def-8123-456789abcde", "0190f3a1-7b2c-7def-8123-456789abcdef0",
    "0190f3a-17b2c-7def-8123-456789abcdef", "0190f3a1-7b2c-7def-8123456789-abcdef",
    "0190f3a1_7b2c-7def-8123-456789abcdef", " 190f3a1-7b2c-7def-8123-456789abcdef",
    "urn:uuid:0190f3a1-7b2c-7def-8123-456789abcdef", "0190f3a1-7b2c-7def-8123-45678\u{1F600}cdef",
  ])
  func refuses(_ text: String) {
    #expect(Identifier(text) == nil)
  }

  /// Eight digits are decoded at once, so each byte is tried at each place that holds a digit.
  @Test func acceptsHexadecimalDigitsOnlyAtEveryPlace() {
    let digits = Array("0123456789abcdefABCDEF".utf8)
    let valid = Array("0190f3a1-7b2c-7def-8123-456789abcdef".utf8)
    for place in valid.indices where valid[place] != UInt8(ascii: "-") {
      for byte in UInt8.min...UInt8.max {
        var text = valid
        text[place] = byte
        let identifier = text.withUnsafeBytes { Identifier(utf8: $0) }
        #expect((identifier != nil) == digits.contains(byte), "byte \(byte) at \(place)")
      }
    }
  }

  @Test func orderIsThatOfTheText() throws {
    var chance = Chance("order of identifiers")
    for _ in 0..<1_000 {
      let left = Identifier(high: chance.oneIn(2) ? 7 : chance.next(), low: chance.next())
      let right = Identifier(high: chance.oneIn(2) ? 7 : chance.next(), low: chance.next())
      #expect((left < right) == (left.description < right.description))
      #expect((left == right) == (left.description == right.description))
    }
  }

  @Test func textRoundTrips() throws {
    var chance = Chance("text of identifiers")
    var bytes: [UInt8] = []
    for _ in 0..<1_000 {
      let identifier = Identifier(high: chance.next(), low: chance.next())
      #expect(Identifier(identifier.description) == identifier)
      #expect(Identifier(identifier.description.uppercased()) == identifier)
      bytes.removeAll()
      identifier.write(to: &bytes)
      #expect(String(decoding: bytes, as: UTF8.self) == identifier.description)
    }
  }
}
