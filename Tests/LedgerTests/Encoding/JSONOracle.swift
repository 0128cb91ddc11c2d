/// A second opinion on what a document is: slow, recursive, on Unicode scalars instead of bytes, and sharing no code
/// with the scanner.
indirect enum JSONOracle: Equatable {
  case null
  case bool(Bool)
  case number(String)
  case string([Unicode.Scalar])
  case array([JSONOracle])
  case object([Field])

  struct Field: Equatable {
    let name: [Unicode.Scalar]
    let value: JSONOracle
  }

  struct Bounds {
    var depth = 32
    var fields = 64
    var elements = 1_000_000
    var string = 65_536
    var name = 128
  }

  /// The value of a document, or nil when it isn't one.
  static func read(_ bytes: [UInt8], bounds: Bounds = Bounds()) -> JSONOracle? {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    var reader = Reader(rest: Array(text.unicodeScalars)[...], bounds: bounds)
    reader.space()
    guard let value = reader.value(depth: 0) else { return nil }
    reader.space()
    return reader.rest.isEmpty ? value : nil
  }

  private struct Reader {
    var rest: ArraySlice<Unicode.Scalar>
    let bounds: Bounds

    mutating func space() {
      rest = rest.drop { [" ", "\t", "\n", "\r"].contains($0) }
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
      guard rest.first == scalar else { return false }
      rest.removeFirst()
      return true
    }

    mutating func value(depth: Int) -> JSONOracle? {
      switch rest.first {
      case "{": return depth < bounds.depth ? object(depth: depth + 1) : nil
      case "[": return depth < bounds.depth ? array(depth: depth + 1) : nil
      case "\"": return string().flatMap { $0.count <= bounds.string ? .string($0) : nil }
      case "t": return word("true") ? .bool(true) : nil
      case "f": return word("false") ? .bool(false) : nil
      case "n": return word("null") ? .null : nil
      default: return number()
      }
    }

    mutating func word(_ word: String) -> Bool {
      word.unicodeScalars.allSatisfy { take($0) }
    }

    mutating func object(depth: Int) -> JSONOracle? {
      rest.removeFirst()
      space()
      var fields: [Field] = []
      if take("}") { return .object([]) }
      repeat {
        space()
        guard rest.first == "\"", let name = string(), name.count <= bounds.name else { return nil }
        guard !fields.contains(where: { $0.name == name }) else { return nil }
        space()
        guard take(":") else { return nil }
        space()
        guard let value = value(depth: depth) else { return nil }
        fields.append(Field(name: name, value: value))
        space()
      } while take(",")
      return take("}") && fields.count <= bounds.fields ? .object(fields) : nil
    }

    mutating func array(depth: Int) -> JSONOracle? {
      rest.removeFirst()
      space()
      var elements: [JSONOracle] = []
      if take("]") { return .array([]) }
      repeat {
        space()
        guard let value = value(depth: depth) else { return nil }
        elements.append(value)
        space()
      } while take(",")
      return take("]") && elements.count <= bounds.elements ? .array(elements) : nil
    }

    mutating func number() -> JSONOracle? {
      var text = ""
      let digits = { (reader: inout Reader) -> String in
        var digits = ""
        while let scalar = reader.rest.first, ("0"..."9").contains(scalar) {
          digits.unicodeScalars.append(scalar)
          reader.rest.removeFirst()
        }
        return digits
      }
      if take("-") { text = "-" }
      let whole = digits(&self)
      guard !whole.isEmpty, whole == "0" || whole.first != "0" else { return nil }
      text += whole
      if take(".") {
        let fraction = digits(&self)
        guard !fraction.isEmpty else { return nil }
        text += "." + fraction
      }
      if let letter = rest.first, letter == "e" || letter == "E" {
        rest.removeFirst()
        text.unicodeScalars.append(letter)
        if let sign = rest.first, sign == "+" || sign == "-" {
          rest.removeFirst()
          text.unicodeScalars.append(sign)
        }
        let exponent = digits(&self)
        guard !exponent.isEmpty else { return nil }
        text += exponent
      }
      return .number(text)
    }

    mutating func string() -> [Unicode.Scalar]? {
      rest.removeFirst()
      // Code units of UTF-16, in which escapes are written.
      var units: [UInt16] = []
      while let scalar = rest.popFirst() {
        switch scalar {
        case "\"": return scalars(units)
        case "\\":
          guard let unit = escape() else { return nil }
          units.append(unit)
        case _ where scalar.value < 0x20: return nil
        default: units.append(contentsOf: UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter)
        }
      }
      return nil
    }

    mutating func escape() -> UInt16? {
      let letters: [Unicode.Scalar: UInt16] = [
        "\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9,
      ]
      guard let letter = rest.popFirst() else { return nil }
      guard letter == "u" else { return letters[letter] }
      let digits = rest.prefix(4)
      guard digits.count == 4, digits.allSatisfy({ $0.properties.isASCIIHexDigit }) else { return nil }
      rest = rest.dropFirst(4)
      return UInt16(String(String.UnicodeScalarView(digits)), radix: 16)
    }

    func scalars(_ units: [UInt16]) -> [Unicode.Scalar]? {
      guard let text = String(validating: units, as: UTF16.self) else { return nil }
      let scalars = Array(text.unicodeScalars)
      return scalars.contains("\0") ? nil : scalars
    }
  }
}
