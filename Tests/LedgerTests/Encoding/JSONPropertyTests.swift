import Ledger
import Testing

/// The scanner beside the oracle, on documents that are right, nearly right, and noise.
@Suite struct JSONPropertyTests {
  /// What is wrong with how the document was read, or nil.
  private func disagreement(_ bytes: [UInt8], _ limits: JSONLimits = .standard, _ bounds: JSONOracle.Bounds = .init())
    throws -> String?
  {
    let expected = JSONOracle.read(bytes, bounds: bounds)
    let document: JSONDocument
    do throws(JSONFault) {
      document = try JSONDocument(bytes, limits: limits)
    } catch {
      if expected != nil { return "refused: \(error)" }
      if !(0...bytes.count).contains(error.offset) { return "a fault outside the document: \(error)" }
      return error.reason.isEmpty ? "a fault without a reason" : nil
    }
    guard let expected else { return "accepted" }
    guard try JSONOracle(document.root) == expected else { return "read as another value" }
    let compact = document.root.compactBytes
    let again = try JSONDocument(compact)
    guard try JSONOracle(again.root) == expected else { return "another value in compact form" }
    return again.root.compactBytes == compact ? nil : "the compact form isn't stable"
  }

  private func expectAgreement(
    _ bytes: [UInt8], _ limits: JSONLimits = .standard, _ bounds: JSONOracle.Bounds = .init()
  ) throws {
    if let problem = try disagreement(bytes, limits, bounds) {
      Issue.record("\(problem): \(String(decoding: bytes, as: UTF8.self).debugDescription) \(bytes)")
    }
  }

  @Test func readsWhateverIsWrittenRight() throws {
    var chance = Chance("right documents")
    for _ in 0..<2_000 {
      let value = JSONOracle.random(&chance)
      let bytes = Array(value.written(&chance).utf8)
      try expectAgreement(bytes)
      #expect(try JSONOracle(JSONDocument(bytes).root) == value)
    }
  }

  /// Never traps, and refuses what the oracle refuses: right documents with bytes changed, dropped, put in, cut off, or
  /// replaced by a piece of another.
  @Test func judgesDamagedDocumentsAsTheOracleDoes() throws {
    var chance = Chance("damaged documents")
    let pieces =
      [
        "\"", "\\", "{", "}", "[", "]", ",", ":", "-", "0", ".", "e", "E+", "\\u", "\\ud800", "\\udc00", "\\u0000",
        "\0",
        "null", "tru", "\u{FEFF}", "  ", "\n", "1e5", "-0", "00", "{}", "[]", "\"a\":1,",
      ].map { Array($0.utf8) } + [
        [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF], [0xE2, 0x82],
      ]
    var seeds = DamagedDocuments.seeds
    for _ in 0..<20 { seeds.append(Array(JSONOracle.random(&chance).written(&chance).utf8)) }
    var accepted = 0
    for _ in 0..<20_000 {
      var bytes = chance.pick(seeds)
      for _ in 0...chance.index(below: 3) { damage(&bytes, pieces, seeds, &chance) }
      try expectAgreement(bytes)
      if JSONOracle.read(bytes) != nil { accepted += 1 }
    }
    // Damage that leaves nothing right, or everything, would test little.
    #expect((500...15_000).contains(accepted))
  }

  private func damage(_ bytes: inout [UInt8], _ pieces: [[UInt8]], _ seeds: [[UInt8]], _ chance: inout Chance) {
    let place = chance.index(below: bytes.count + 1)
    let end = min(bytes.count, place + chance.index(below: 8))
    switch chance.index(below: 7) {
    case 0:
      bytes.replaceSubrange(place..<min(bytes.count, place + 1), with: [UInt8.random(in: 0...255, using: &chance)])
    case 1: bytes.removeSubrange(place..<end)
    case 2: bytes.removeSubrange(place...)
    case 3: bytes.removeSubrange(..<place)
    case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
    case 5: bytes.insert(contentsOf: chance.pick(pieces), at: place)
    default:
      let other = chance.pick(seeds)
      let start = chance.index(below: other.count)
      bytes.replaceSubrange(place..<end, with: other[start..<min(other.count, start + chance.index(below: 20))])
    }
  }

  @Test func everyPrefixOfADocumentIsJudgedRight() throws {
    for document in DamagedDocuments.seeds {
      for length in 0...document.count { try expectAgreement(Array(document.prefix(length))) }
    }
  }

  /// Every string of up to three bytes from those that mean something, and every two bytes inside a string.
  @Test func everyShortDocumentIsJudgedRight() throws {
    let alphabet = Array("{}[]\",:\\-+.01eEtn \n".utf8) + [0x00, 0x7F, 0x80, 0xC2]
    try expectAgreement([])
    for first in alphabet {
      try expectAgreement([first])
      for second in alphabet {
        try expectAgreement([first, second])
        for third in alphabet { try expectAgreement([first, second, third]) }
      }
    }
    let quote = UInt8(ascii: "\"")
    for first in UInt8.min...UInt8.max {
      try expectAgreement([quote, first, quote])
      for second in stride(from: UInt8(0), through: 0xF0, by: 0x08) {
        try expectAgreement([quote, first, second, quote])
        try expectAgreement([quote, first, second, 0x80, quote])
        try expectAgreement([quote, first, second, 0xBF, 0x80, quote])
      }
    }
  }

  @Test func smallLimitsAreJudgedRight() throws {
    var chance = Chance("documents at their limits")
    for _ in 0..<3_000 {
      let depth = chance.index(below: 4)
      let fields = chance.index(below: 4)
      let elements = chance.index(below: 4)
      let string = chance.index(below: 12)
      let name = chance.index(below: 12)
      let limits = JSONLimits(
        depth: depth, fieldsPerObject: fields, elementsPerArray: elements, stringLength: string, nameLength: name)
      let bounds = JSONOracle.Bounds(depth: depth, fields: fields, elements: elements, string: string, name: name)
      try expectAgreement(Array(JSONOracle.random(&chance).written(&chance).utf8), limits, bounds)
    }
  }
}

/// What the damage starts from.
private enum DamagedDocuments {
  static let seeds: [[UInt8]] = [
    """
    {"command":"PostTransfer","id":"0190f3a1-7b2c-7def-8123-456789abcdef","data":{"debit_account_id":\
    "0190f3a1-7b2c-7def-8123-456789abcde0","amount":"125000","currency":"NZD","reference":\
    "Wh\u{101}nau \\u0101 \\"x\\""}}
    """,
    #"{"a":[1,-2.5,3e10,{"b":null,"c":[[],{}]},true,false],"a~1/b":"\ud83d\ude00","":0}"#,
    "[\"\u{1F600}\u{20AC}\u{E9}a\",\"\\b\\f\\n\\r\\t\\/\\\\\\\"\",0,-0,0.1,1E-2]",
    #" { "x" : [ 1 , 2 ] , "y" : { "z" : "0123456789012345678901234567890123456789" } } "#,
    #"{"aa":1,"ab":2,"ba":3,"bb":4,"ca":5,"cb":6,"\u0061c":7}"#,
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    "9223372036854775807", "\"\"",
  ].map { Array($0.utf8) }
}
