import Ledger
import Testing

/// Where each kind of fault points to.
@Suite struct JSONFaultTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let document: String
    let pointer: String
    let offset: Int
    let reason: String

    init(_ document: String, _ pointer: String, _ offset: Int, _ reason: String) {
      self.document = document
      self.pointer = pointer
      self.offset = offset
      self.reason = reason
    }

    var testDescription: String { document.debugDescription }
  }

  @Test(arguments: [
    Case("", "", 0, "nothing is here"),
    Case("  ", "", 2, "ends too early"),
    Case("\u{FEFF}{}", "", 0, "a value is expected"),
    Case("{} {}", "", 3, "something follows"),
    Case("{}\0", "", 2, "something follows"),
    Case("nul", "", 0, "a value is expected"),
    Case("nullx", "", 4, "something follows"),
    Case("NaN", "", 0, "a value is expected"),
    Case("'a'", "", 0, "a value is expected"),
    Case("-", "", 1, "a digit is expected"),
    Case("01", "", 0, "must not start with zeros"),
    Case("-00", "", 0, "must not start with zeros"),
    Case("1.", "", 2, "a digit is expected"),
    Case(".5", "", 0, "a value is expected"),
    Case("1e", "", 2, "a digit is expected"),
    Case("+1", "", 0, "a value is expected"),
    Case("0x10", "", 1, "something follows"),
    Case("\"abc", "", 0, "a string has no end"),
    Case("\"a\nb\"", "", 2, "a control character must be escaped"),
    Case("\"a\0b\"", "", 2, "a control character must be escaped"),
    Case(#""a\x""#, "", 2, "there is no such escape"),
    Case(#""a\u12g4""#, "", 2, "four hexadecimal digits"),
    Case(#""a\u123"#, "", 2, "four hexadecimal digits"),
    Case(#""a\u0000""#, "", 2, "must not contain U+0000"),
    Case(#""a\ud800""#, "", 2, "half of a surrogate pair"),
    Case(#""a\udc00\ud800""#, "", 2, "half of a surrogate pair"),
    Case(#""a\ud800\u0041""#, "", 2, "half of a surrogate pair"),
    Case("[", "", 1, "ends too early"),
    Case("[1", "", 2, "ends too early"),
    Case("[1,]", "/1", 3, "a value is expected"),
    Case("[,1]", "/0", 1, "a value is expected"),
    Case("[1 2]", "", 3, "a comma or ] is expected"),
    Case("[1}", "", 2, "a comma or ] is expected"),
    Case("{", "", 1, "a field's name is expected"),
    Case("{a:1}", "", 1, "a field's name is expected"),
    Case(#"{"a":1,}"#, "", 7, "a field's name is expected"),
    Case(#"{"a":1 "b":2}"#, "", 7, "a comma or } is expected"),
    Case(#"{"a":1]"#, "", 6, "a comma or } is expected"),
    Case(#"{"a" 1}"#, "/a", 5, "a colon is expected"),
    Case(#"{"a":}"#, "/a", 5, "a value is expected"),
    Case(#"{"a":1,"b":2,"a":3}"#, "/a", 13, "appears twice"),
    Case(#"{"x":{"ab":1,"\u0061b":3}}"#, "/x/ab", 13, "appears twice"),
    Case(#"{"\u0061b":1,"ab":3}"#, "/ab", 13, "appears twice"),
    Case(#"{"":1,"":3}"#, "/", 6, "appears twice"),
    Case(#"{"a":[1,{"b":[true,[tru]]}]}"#, "/a/1/b/1/0", 20, "a value is expected"),
    Case(#"{"a/b":[{"c~d":{"\u007e\u002f":"\q"}}]}"#, "/a~1b/0/c~0d/~0~1", 32, "there is no such escape"),
    Case(#"{"a":1,"b":{"c":[[],[[]],{"d":2} 3]}}"#, "/b/c", 33, "a comma or ] is expected"),
    Case(#"[{"a":1},{"b":2},{"c":03}]"#, "/2/c", 22, "must not start with zeros"),
  ])
  func pointsToTheFault(_ fault: Case) {
    expect(fault, bytes: Array(fault.document.utf8))
  }

  private func expect(_ fault: Case, bytes: [UInt8], limits: JSONLimits = .standard) {
    do throws(JSONFault) {
      _ = try JSONDocument(bytes, limits: limits)
      Issue.record("accepted")
    } catch {
      #expect(error.pointer == fault.pointer)
      #expect(error.offset == fault.offset)
      #expect(error.reason.contains(fault.reason), "\(error.reason)")
    }
  }

  @Test(
    arguments: [
      [0x80], [0xC0, 0xAF], [0xC3], [0xC3, 0x28], [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xED, 0xA0, 0x80],
      [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
    ] as [[UInt8]])
  func pointsToBadUTF8(_ sequence: [UInt8]) {
    let value = Array(#"{"a":["0123456789","Māori "#.utf8) + sequence + Array(#""]}"#.utf8)
    expect(Case("", "/a/1", 27, "is not valid UTF-8"), bytes: value)
    let name = Array(#"{"a":{""#.utf8) + sequence + Array(#"":1}}"#.utf8)
    expect(Case("", "/a", 7, "is not valid UTF-8"), bytes: name)
  }

  @Test func pointsToWhatIsBeyondALimit() throws {
    let nested = String(repeating: #"{"a":["#, count: 17) + String(repeating: "]}", count: 17)
    expect(Case("", String(repeating: "/a/0", count: 16), 96, "nested too deep (32)"), bytes: Array(nested.utf8))
    let deepest = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
    #expect(try JSONDocument(Array(deepest.utf8)).root.kind == .array)

    let fields = (0...64).map { "\"f\($0)\":0" }
    #expect(try JSONDocument(Array("{\(fields.dropLast().joined(separator: ","))}".utf8)).root.object().count == 64)
    expect(
      Case("", "/o", fields.dropLast().joined(separator: ",").utf8.count + 7, "too many fields (64)"),
      bytes: Array("{\"o\":{\(fields.joined(separator: ","))}}".utf8))

    let small = JSONLimits(elementsPerArray: 2, stringLength: 3, nameLength: 4)
    expect(Case("", "/a", 11, "too many elements (2)"), bytes: Array(#"{"a":[1,2,3]}"#.utf8), limits: small)
    expect(Case("", "/1", 10, "is too long (3 characters)"), bytes: Array(#"["āāā","abcd"]"#.utf8), limits: small)
    expect(
      Case("", "/a", 6, "a field's name is too long (4 characters)"), bytes: Array(#"{"a":{"abcde":1}}"#.utf8),
      limits: small)
    #expect(try JSONDocument(Array(#"{"abcd":[1,"\ud83d\ude00ab"]}"#.utf8), limits: small).root.kind == .object)
  }

  /// Names of every length that are alike but for one letter, each of them repeated once.
  @Test func pointsToEveryRepeatedName() {
    let names = (0..<60).map { String(repeating: "a", count: $0 / 3) + ["x", "y", "zz"][$0 % 3] }
    let object = names.map { "\"\($0)\":0" }.joined(separator: ",")
    for name in names {
      let last = "\\u00" + String(name.utf8.first ?? 0, radix: 16) + name.dropFirst()
      for spelling in [name, last] {
        expect(
          Case("", "/\(name)", object.utf8.count + 2, "appears twice"),
          bytes: Array("{\(object),\"\(spelling)\":1}".utf8))
      }
    }
  }

  @Test func limitsAreBroughtDownToWhatTheTapeCounts() {
    let limits = JSONLimits(fieldsPerObject: 1_000, elementsPerArray: .max, stringLength: .max, nameLength: .max)
    #expect(limits.fieldsPerObject == 64)
    #expect(limits.elementsPerArray == 16_777_215)
    #expect(limits.stringLength == 16_777_215)
    #expect(limits.nameLength == 16_777_215)
  }

  /// What is sent must not come back in an answer: reasons repeat none of it.
  @Test func reasonsRepeatNothing() {
    for document in [#"{"a":"secret\q"}"#, #"{"a":secret}"#, #"{"a":1,"a":"secret"}"#] {
      do throws(JSONFault) {
        _ = try JSONDocument(Array(document.utf8))
        Issue.record("accepted")
      } catch {
        #expect(!error.reason.contains("secret"))
      }
    }
  }
}
