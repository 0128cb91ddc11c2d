extension JSONScanner {
  /// Scans a string and leaves `index` behind its closing quote. Returns where its content starts, its length in
  /// Unicode scalars, and whether there are escapes to undo.
  @inline(__always)
  mutating func scanString(
    _ maximumLength: Int, isName: Bool = false
  ) throws(JSONFault) -> (start: Int, scalars: Int, isEscaped: Bool) {
    index += 1
    let start = index
    // How many bytes more than scalars there are.
    var surplus = 0
    var isEscaped = false
    while true {
      skipPlainText()
      guard index < end else { throw fault("a string has no end", at: start - 1, inValue: !isName) }
      let byte = text[index]
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\") {
        isEscaped = true
        surplus += try scanEscape(isName: isName) - 1
      } else if byte >= 0x80 {
        let length = lengthOfSequence()
        guard length > 0 else { throw fault("is not valid UTF-8", inValue: !isName) }
        index += length
        surplus += length - 1
      } else {
        throw fault("a control character must be escaped", inValue: !isName)
      }
    }
    let scalars = index - start - surplus
    index += 1
    guard scalars <= maximumLength else {
      let what = isName ? "a field's name is too long" : "is too long"
      throw fault("\(what) (\(maximumLength) characters)", at: start - 1, inValue: !isName)
    }
    return (start, scalars, isEscaped)
  }

  /// Moves on to the first byte that needs a look: a quote, a backslash, a control character, or one beyond ASCII.
  @inline(__always)
  private mutating func skipPlainText() {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let high: UInt64 = 0x8080_8080_8080_8080
    while index + 8 <= end {
      let word = text.word(at: index)
      let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
      let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
      // A byte's high bit is set where a subtraction borrowed; only bytes above the first such one may be wrong.
      let found = ((quote &- ones) | (backslash &- ones) | (word &- ones &* 0x20) | word) & high
      if found == 0 {
        index += 8
        continue
      }
      index += found.trailingZeroBitCount / 8
      return
    }
    while index < end {
      let byte = text[index]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 || byte >= 0x80 { return }
      index += 1
    }
  }

  /// Scans the escape at `index` and returns how many bytes it took.
  private mutating func scanEscape(isName: Bool) throws(JSONFault) -> Int {
    let start = index
    guard index + 1 < end else { throw fault("a string has no end", inValue: !isName) }
    guard text[index + 1] == UInt8(ascii: "u") else {
      guard JSONEscape.simple(text[index + 1]) != nil else {
        throw fault("there is no such escape", inValue: !isName)
      }
      index += 2
      return 2
    }
    let unit = try scanUnit(isName: isName)
    switch unit {
    case 0: throw fault("must not contain U+0000", at: start, inValue: !isName)
    case 0xDC00...0xDFFF: throw fault("is half of a surrogate pair", at: start, inValue: !isName)
    case 0xD800...0xDBFF:
      guard index + 1 < end, text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u"),
        0xDC00...0xDFFF ~= (try scanUnit(isName: isName))
      else { throw fault("is half of a surrogate pair", at: start, inValue: !isName) }
    default: break
    }
    return index - start
  }

  /// Scans `\uXXXX`.
  private mutating func scanUnit(isName: Bool) throws(JSONFault) -> UInt32 {
    let document = UnsafeRawBufferPointer(rebasing: text[..<end])
    guard let unit = JSONEscape.hexadecimal(document, at: index + 2) else {
      throw fault("four hexadecimal digits are expected here", inValue: !isName)
    }
    index += 6
    return unit
  }

  /// The length of the UTF-8 sequence at `index`, whose first byte isn't ASCII; 0 when it isn't well formed (Unicode,
  /// table 3-7: no overlong forms, no surrogates, nothing beyond U+10FFFF).
  private func lengthOfSequence() -> Int {
    let first = text[index]
    let length: Int
    let second: ClosedRange<UInt8>
    switch first {
    case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xE1...0xEC, 0xEE...0xEF: (length, second) = (3, 0x80...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return 0
    }
    guard index + length <= end, second.contains(text[index + 1]) else { return 0 }
    for offset in 2..<max(2, length) where text[index + offset] & 0xC0 != 0x80 { return 0 }
    return length
  }
}
