import Ledger
import Testing

@Suite struct JSONObjectTests {
  private func object(_ text: String) throws -> JSONObject {
    try JSONDocument(Array(text.utf8)).root.object()
  }

  @Test func takesFieldsInAnyOrder() throws {
    var object = try object(#"{"c":3,"a":1,"\u0064":4,"b":2}"#)
    #expect(try object.required("a").int64() == 1)
    #expect(try object.required("b").int64() == 2)
    #expect(try object.required("c").int64() == 3)
    #expect(try object.optional("missing") == nil)
    #expect(try object.required("d").int64() == 4)
    #expect(try object.required("a").int64() == 1)
    try object.finish()
    #expect(object.count == 4)
  }

  @Test func passesOverNestedValues() throws {
    var object = try object(#"{"a":{"b":{"b":9}},"x":[{"b":8}],"b":[1,2]}"#)
    #expect(try object.required("b").array().count == 2)
    #expect(try object.required("a").object().count == 1)
    #expect(throws: JSONFault.self) { try object.finish() }
  }

  @Test func distinguishesNamesOfOneLength() throws {
    var object = try object(#"{"abcdefghij":1,"abcdefghik":2,"bbcdefghij":3}"#)
    #expect(try object.required("abcdefghik").int64() == 2)
    #expect(try object.required("bbcdefghij").int64() == 3)
    #expect(try object.optional("abcdefghi") == nil)
    #expect(try object.optional("abcdefghijk") == nil)
  }

  @Test func nullIsAbsent() throws {
    var object = try object(#"{"a":null,"b":null}"#)
    #expect(try object.optional("a") == nil)
    expectFault(in: &object, "/b", "is required") { object throws(JSONFault) in _ = try object.required("b") }
    try object.finish()
  }

  @Test func pointsToMissingFields() throws {
    let document = try JSONDocument(Array(#"{"list":[{"a":1}]}"#.utf8))
    var outer = try document.root.object()
    for element in try outer.required("list").array() {
      var object = try element.object()
      expectFault(in: &object, "/list/0/b~1c", "is required") { object throws(JSONFault) in
        _ = try object.required("b/c")
      }
      #expect(object.fault("a", "is odd") == JSONFault(pointer: "/list/0/a", offset: 14, reason: "is odd"))
      #expect(object.fault("z", "is odd") == JSONFault(pointer: "/list/0/z", offset: 9, reason: "is odd"))
    }
  }

  @Test func pointsToTheFirstUnknownField() throws {
    var object = try object(#"{"a":1,"b":[1,{"c":2}],"odd~name":3,"more":4}"#)
    expectFault(in: &object, "/a", "is not a known field") { object throws(JSONFault) in try object.finish() }
    _ = try object.required("b")
    _ = try object.required("a")
    expectFault(in: &object, "/odd~0name", "is not a known field") { object throws(JSONFault) in try object.finish() }
    _ = try object.optional("odd~name")
    _ = try object.optional("more")
    try object.finish()
  }

  @Test func remembersSixtyFourFields() throws {
    let fields = (0..<64).map { "\"f\($0)\":\($0)" }.joined(separator: ",")
    var object = try object("{\(fields)}")
    _ = try object.required("f0")
    expectFault(in: &object, "/f1", "is not a known field") { object throws(JSONFault) in try object.finish() }
    #expect(try object.required("f63").int64() == 63)
    #expect(object.map(\.key) == (0..<64).map { "f\($0)" })
    #expect(try object.map { try $0.value.int64() } == Array(0..<64))
  }

  @Test func emptyObjectsAreFinished() throws {
    var object = try object("{ }")
    #expect(try object.optional("a") == nil)
    try object.finish()
    #expect(object.map(\.key) == [])
  }

  private func expectFault(
    in object: inout JSONObject, _ pointer: String, _ reason: String,
    _ read: (inout JSONObject) throws(JSONFault) -> Void
  ) {
    do throws(JSONFault) {
      try read(&object)
      Issue.record("accepted")
    } catch {
      #expect(error.pointer == pointer)
      #expect(error.reason == reason)
    }
  }
}
