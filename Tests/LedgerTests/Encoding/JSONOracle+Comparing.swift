import Ledger

extension JSONOracle {
  /// What the document under test holds, taken out through its public interface alone.
  init(_ value: JSONValue) throws {
    switch value.kind {
    case .null: self = .null
    case .boolean: self = .bool(try value.bool())
    case .number: self = .number(String(decoding: value.rawBytes, as: UTF8.self))
    case .string: self = .string(Array(try value.string().unicodeScalars))
    case .array: self = .array(try value.array().map { try JSONOracle($0) })
    case .object:
      self = .object(
        try value.object().map { Field(name: Array($0.key.unicodeScalars), value: try JSONOracle($0.value)) })
    }
  }

  /// A value of any shape, with every kind of value and text in it.
  static func random(_ chance: inout Chance, depth: Int = 0) -> JSONOracle {
    switch chance.index(below: depth < 5 ? 10 : 6) {
    case 0: return .null
    case 1: return .bool(chance.oneIn(2))
    case 2: return .number(String(chance.integer()))
    case 3:
      return .number(chance.pick(["0", "-0", "1.0", "1e2", "-12.5E-7", "0.0000", "123456789012345678901234567890"]))
    case 4, 5: return .string(Array(chance.text().unicodeScalars))
    case 6, 7:
      var elements: [JSONOracle] = []
      for _ in 0..<chance.index(below: 5) { elements.append(random(&chance, depth: depth + 1)) }
      return .array(elements)
    default:
      var fields: [Field] = []
      for _ in 0..<chance.index(below: 7) {
        let name = Array(chance.text().unicodeScalars)
        if !fields.contains(where: { $0.name == name }) {
          fields.append(Field(name: name, value: random(&chance, depth: depth + 1)))
        }
      }
      return .object(fields)
    }
  }

  /// The value as somebody might write it: spaces anywhere, more escapes than need be.
  func written(_ chance: inout Chance) -> String {
    let space = { (chance: inout Chance) in chance.oneIn(4) ? chance.pick([" ", "\t", "\r\n", "   "]) : "" }
    let body: String
    switch self {
    case .null: body = "null"
    case .bool(let value): body = value ? "true" : "false"
    case .number(let text): body = text
    case .string(let scalars): body = JSONOracle.quoted(scalars, &chance)
    case .array(let elements):
      var parts: [String] = []
      for element in elements { parts.append(element.written(&chance)) }
      body = "[" + (parts.isEmpty ? space(&chance) : parts.joined(separator: ",")) + "]"
    case .object(let fields):
      var parts: [String] = []
      for field in fields {
        let name = space(&chance) + JSONOracle.quoted(field.name, &chance) + space(&chance)
        parts.append(name + ":" + field.value.written(&chance))
      }
      body = "{" + (parts.isEmpty ? space(&chance) : parts.joined(separator: ",")) + "}"
    }
    return space(&chance) + body + space(&chance)
  }

  private static func quoted(_ scalars: [Unicode.Scalar], _ chance: inout Chance) -> String {
    let short: [Unicode.Scalar: String] = [
      "\"": #"\""#, "\\": #"\\"#, "/": #"\/"#, "\u{8}": #"\b"#, "\u{C}": #"\f"#, "\n": #"\n"#, "\r": #"\r"#,
      "\t": #"\t"#,
    ]
    var text = "\""
    for scalar in scalars {
      let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
      guard mustEscape || chance.oneIn(6) else {
        text.unicodeScalars.append(scalar)
        continue
      }
      if let escape = short[scalar], chance.oneIn(2) {
        text += escape
        continue
      }
      for unit in String(scalar).utf16 {
        let digits = String(unit, radix: 16, uppercase: chance.oneIn(2))
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return text + "\""
  }
}
