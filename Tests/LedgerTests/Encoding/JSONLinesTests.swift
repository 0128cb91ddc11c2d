import Ledger
import Testing

@Suite struct JSONLinesTests {
  @Test func readsLinesEachForItself() throws {
    let text = "{\"a\":1}\r\n\n   \n[1,\n{\"a\":{\"b\":[x]}}\n\"\u{101}\"\n {\"a\":2} "
    let lines = try JSONLines(Array(text.utf8))
    #expect(lines.map(\.number) == [1, 4, 5, 6, 7])
    #expect(try lines[0].document.get().root.pointer == "")
    var first = try lines[0].document.get().root.object()
    #expect(try first.required("a").int64() == 1)
    #expect(throws: JSONFault(pointer: "", offset: 3, reason: "the document ends too early")) {
      try lines[1].document.get()
    }
    #expect(throws: JSONFault(pointer: "/a/b/0", offset: 11, reason: "a value is expected here")) {
      try lines[2].document.get()
    }
    #expect(try lines[3].document.get().root.string() == "\u{101}")
    var last = try lines[4].document.get().root.object()
    let value = try last.required("a")
    #expect(value.pointer == "/a")
    #expect(value.fault("x").offset == 6)
    #expect(String(decoding: value.rawBytes, as: UTF8.self) == "2")
    #expect(last.fault("b", "x").offset == 1)
  }

  @Test func hasNoLinesWhenBlank() throws {
    #expect(try JSONLines([]).isEmpty)
    #expect(try JSONLines(Array("\n \r\n\t".utf8)).isEmpty)
  }

  @Test func countsLines() throws {
    let text = Array("1\n\n2\n3\n".utf8)
    #expect(try JSONLines(text, maximumCount: 3).count == 3)
    #expect(throws: JSONFault(pointer: "", offset: 5, reason: "has more than 2 lines")) {
      try JSONLines(text, maximumCount: 2)
    }
  }

  /// A line says the same alone as among others, good or bad.
  @Test func agreesWithDocuments() throws {
    var chance = Chance("lines")
    for _ in 0..<100 {
      var text: [UInt8] = []
      var expected: [Result<[UInt8], JSONFault>] = []
      for _ in 0..<20 {
        var line = JSONOracle.random(&chance).written(&chance).utf8.filter { $0 != 0x0A && $0 != 0x0D }
        if chance.oneIn(3) { line.removeSubrange(chance.index(below: line.count)...) }
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
        do throws(JSONFault) {
          expected.append(.success(try JSONDocument(line).root.compactBytes))
        } catch {
          expected.append(.failure(error))
        }
        text += line + [0x0A]
      }
      let lines = try JSONLines(text)
      #expect(lines.map { $0.document.map(\.root.compactBytes) } == expected)
    }
  }
}
