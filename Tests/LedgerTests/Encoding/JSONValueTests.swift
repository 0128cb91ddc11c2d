import Ledger
import Testing

@Suite struct JSONValueTests {
  private func root(_ text: String) throws -> JSONValue {
    try JSONDocument(Array(text.utf8)).root
  }

  /// Expects that `read` refuses the value at `/a/1`, and that the fault points to it.
  private func expectFault(_ value: String, _ reason: String, _ read: (JSONValue) throws(JSONFault) -> Void) throws {
    var object = try root("{\"a\": [0, \(value)]}").object()
    let elements = Array(try object.required("a").array())
    do throws(JSONFault) {
      try read(elements[1])
      Issue.record("\(value) was accepted")
    } catch {
      #expect(error.pointer == "/a/1")
      #expect(error.offset == 10)
      #expect(error.reason.contains(reason), "\(error.reason)")
    }
  }

  @Test(
    arguments: [
      ("0", 0), ("1", 1), ("-1", -1), ("10", 10), ("9223372036854775807", .max), ("-9223372036854775808", .min),
      ("9223372036854775806", .max - 1), ("-9223372036854775807", .min + 1),
      ("999999999999999999", 999_999_999_999_999_999),
    ] as [(String, Int64)])
  func readsIntegers(_ text: String, _ value: Int64) throws {
    #expect(try root(text).int64() == value)
    #expect(try root(text).minorUnits() == value)
    #expect(try root("\"\(text)\"").minorUnits() == value)
    let escaped = text.unicodeScalars.map { "\\u00\(String($0.value, radix: 16))" }.joined()
    #expect(try root("\"\(escaped)\"").minorUnits() == value)
  }

  @Test(arguments: [
    "1.0", "1e2", "1E0", "-0", "0.0", "9223372036854775808", "-9223372036854775809", "18446744073709551616",
    "18446744073709551617", "99999999999999999999999999999999", "\"1\"", "\"\"", "null", "true", "[]", "{}",
  ])
  func refusesAsInt64(_ text: String) throws {
    try expectFault(text, "must") { value throws(JSONFault) in _ = try value.int64() }
  }

  @Test(arguments: [
    "1.0", "1e2", "-0", "\"-0\"", "\"\"", "\"-\"", "\"+1\"", "\"01\"", "\"-01\"", "\"00\"", "\" 1\"", "\"1 \"",
    "\"1.0\"",
    "\"1e2\"", "\"1_000\"", "\"1,000\"", "\"\u{0661}\"", "\"0x1\"", "\"9223372036854775808\"",
    "\"-9223372036854775809\"",
    "\"18446744073709551616\"", "\"00000000000000000000000001\"", "null", "true", "[]", "{}",
  ])
  func refusesAsMinorUnits(_ text: String) throws {
    try expectFault(text, "must") { value throws(JSONFault) in _ = try value.minorUnits() }
  }

  @Test func int64EdgeSaysWhy() throws {
    try expectFault("9223372036854775808", "must fit 64 bits") { value throws(JSONFault) in _ = try value.int64() }
  }

  @Test func readsTypedText() throws {
    let id = "0190f3a1-7b2c-7def-8123-456789abcdef"
    #expect(try root("\"\(id.uppercased())\"").identifier().description == id)
    #expect(try root("\"\\u0030\(id.dropFirst())\"").identifier().description == id)
    #expect(try root("\"2026-11-22\"").date().description == "2026-11-22")
    #expect(try root("\"2026-11-22T22:41:48+13:00\"").moment().description == "2026-11-22T09:41:48Z")
    #expect(try root("\"NZD\"").currency() == .nzd)
    #expect(try root("\"01-0902-0068389-000\"").accountNumber().description == "01-0902-0068389-00")
    #expect(try root("true").bool())
    #expect(try !root("false").bool())
    #expect(try root("null").isNull)
    #expect(try root("\"\(id)\"").identifierIfAny?.description == id)
    #expect(try root("\"01-0902-0068389-000\"").identifierIfAny == nil)
    #expect(try root("7").identifierIfAny == nil)
  }

  @Test func refusesTypedText() throws {
    for text in ["1", "null", "[]", "\"\""] {
      try expectFault(text, "UUID") { value throws(JSONFault) in _ = try value.identifier() }
      try expectFault(text, "date") { value throws(JSONFault) in _ = try value.date() }
      try expectFault(text, "RFC 3339") { value throws(JSONFault) in _ = try value.moment() }
      try expectFault(text, "ISO 4217") { value throws(JSONFault) in _ = try value.currency() }
      try expectFault(text, "account number") { value throws(JSONFault) in _ = try value.accountNumber() }
      try expectFault(text, "true or false") { value throws(JSONFault) in _ = try value.bool() }
      try expectFault(text, "an object") { value throws(JSONFault) in _ = try value.object() }
    }
    try expectFault("1", "a string") { value throws(JSONFault) in _ = try value.string() }
    try expectFault("{}", "an array") { value throws(JSONFault) in _ = try value.array() }
    try expectFault("\"2016-12-31T23:59:60Z\"", "leap second") { value throws(JSONFault) in _ = try value.moment() }
    try expectFault("\"01-0902-0068388-00\"", "check digit") { value throws(JSONFault) in _ = try value.accountNumber()
    }
  }

  @Test func countsCharactersNotBytes() throws {
    let value = try root(#""Māori \ud83d\ude00 \u0101""#)
    #expect(try value.string(maxLength: 9) == "Māori 😀 ā")
    #expect(throws: JSONFault.self) { try value.string(maxLength: 8) }
  }

  @Test func undoesEveryEscape() throws {
    #expect(
      try root(#""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\uD83D\uDE00""#).string()
        == "\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{20AC}\u{1F600}")
  }

  @Test func pointsToValuesAnywhere() throws {
    let text = #"[{"x":1},[],{"a/b":{"c~d":[true,[null,{"\u0065":"here"}]]},"z":[[0,1],[2]]}]"#
    var found: [String: String] = [:]
    func walk(_ value: JSONValue) throws {
      found[value.pointer] = String(decoding: value.rawBytes, as: UTF8.self)
      if value.kind == .array { for element in try value.array() { try walk(element) } }
      if value.kind == .object { for (_, field) in try value.object() { try walk(field) } }
    }
    try walk(try root(text))
    #expect(found[""] == text)
    #expect(found["/0"] == #"{"x":1}"#)
    #expect(found["/1"] == "[]")
    #expect(found["/2/a~1b/c~0d/1/1/e"] == "\"here\"")
    #expect(found["/2/a~1b/c~0d/1/0"] == "null")
    #expect(found["/2/z/0/1"] == "1")
    #expect(found["/2/z/1/0"] == "2")
    #expect(found.count == 18)
  }

  @Test func compactFormKeepsOrderAndNumbers() throws {
    let text =
      " { \"b\" : [ 1.50 , -0 , 1E+2 , { } , [ ] ] ,\n\t\"a\" : \"\\u0041\\/\\u001f\\n\" , \"\\u00e9\" : null } "
    #expect(
      String(decoding: try root(text).compactBytes, as: UTF8.self)
        == #"{"b":[1.50,-0,1E+2,{},[]],"a":"A/\u001f\n","é":null}"#)
  }

  @Test func readsSlicesAndMemory() throws {
    let bytes = Array("xx[1,2]yy".utf8)
    #expect(try JSONDocument(bytes[2..<7]).root.array().count == 2)
    #expect(
      try bytes.withUnsafeBytes { try JSONDocument(UnsafeRawBufferPointer(rebasing: $0[2..<7])).root.array().count }
        == 2)
    do throws(JSONFault) {
      _ = try JSONDocument(bytes[2..<8])
      Issue.record("accepted")
    } catch {
      #expect(error.offset == 5)
    }
  }
}
