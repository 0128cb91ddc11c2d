/// One pass over a document's bytes that verifies everything and leaves its tokens on the tape.
///
/// The grammar is RFC 8259 without its liberties: UTF-8 only and no byte order mark, no two fields of one name in an
/// object, no U+0000 (Postgres can't hold it in text), no half of a surrogate pair, nothing behind the value.
///
/// There is no recursion: a container that is still open keeps the index of the one around it in its own token.
struct JSONScanner {
  /// The bytes that offsets count in, of which the document begins at `index` and goes to `end`.
  let text: UnsafeRawBufferPointer
  let limits: JSONLimits
  let base: Int
  let end: Int
  var index: Int
  var tokens: [JSONToken]
  /// The innermost open container, or `none`.
  var open = JSONScanner.none
  var depth = 0

  static let none = Int(UInt32.max)

  /// Scans from `start` up to `end`, appending to `tokens`.
  init(_ text: UnsafeRawBufferPointer, from start: Int, to end: Int, limits: JSONLimits, tokens: [JSONToken]) {
    self.text = text
    self.limits = limits
    self.base = start
    self.end = end
    self.index = start
    self.tokens = tokens
  }

  /// Scans the whole document.
  mutating func scanDocument() throws(JSONFault) {
    skipSpace()
    repeat {
      // A value that opens a container is complete only when its end is met.
      guard try scanValue() else { continue }
      try finishValues()
    } while open != JSONScanner.none
    skipSpace()
    if index != end { throw fault("something follows the value") }
  }

  /// Scans what a value starts with, and a name before it where an object wants one. Returns whether a value is
  /// complete.
  private mutating func scanValue() throws(JSONFault) -> Bool {
    guard index < end else { throw fault(base == index ? "nothing is here" : "the document ends too early") }
    switch text[index] {
    case UInt8(ascii: "\""):
      let string = try scanString(limits.stringLength)
      tokens.append(
        JSONToken(
          .string, start: string.start, end: index - 1, next: tokens.count + 1, count: string.scalars,
          flag: string.isEscaped))
    case UInt8(ascii: "{"):
      return try openContainer(.object, closing: UInt8(ascii: "}"))
    case UInt8(ascii: "["):
      return try openContainer(.array, closing: UInt8(ascii: "]"))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      try scanNumber()
    case UInt8(ascii: "t"):
      try scanLiteral("true", .boolean, flag: true)
    case UInt8(ascii: "f"):
      try scanLiteral("false", .boolean, flag: false)
    case UInt8(ascii: "n"):
      try scanLiteral("null", .null, flag: false)
    default:
      throw fault("a value is expected here", inValue: true)
    }
    return true
  }

  /// Returns whether the container is complete, because it is empty.
  private mutating func openContainer(_ kind: JSONToken.Kind, closing: UInt8) throws(JSONFault) -> Bool {
    guard depth < limits.depth else { throw fault("is nested too deep (\(limits.depth))", inValue: true) }
    depth += 1
    tokens.append(JSONToken(kind, start: index, end: 0, next: open))
    open = tokens.count - 1
    index += 1
    skipSpace()
    if index < end, text[index] == closing {
      closeContainer()
      return true
    }
    if kind == .object { try scanName() }
    return false
  }

  private mutating func closeContainer() {
    index += 1
    depth -= 1
    let parent = Int(tokens[open].next)
    tokens[open].end = UInt32(truncatingIfNeeded: index)
    tokens[open].next = UInt32(truncatingIfNeeded: tokens.count)
    open = parent
  }

  /// Counts the value that is complete now, and closes containers as long as they end here. When one goes on, leaves
  /// `index` at its next value.
  private mutating func finishValues() throws(JSONFault) {
    while open != JSONScanner.none {
      let isObject = tokens[open].isKind(.object)
      guard isObject || tokens[open].count < limits.elementsPerArray else {
        throw fault("has too many elements (\(limits.elementsPerArray))")
      }
      tokens[open].detail += 1
      skipSpace()
      guard index < end else { throw fault("the document ends too early") }
      switch text[index] {
      case UInt8(ascii: ","):
        index += 1
        skipSpace()
        if isObject { try scanName() }
        return
      case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
        closeContainer()
      default:
        throw fault(isObject ? "a comma or } is expected here" : "a comma or ] is expected here")
      }
    }
  }

  /// Scans a field's name and the colon, and leaves `index` at the value.
  private mutating func scanName() throws(JSONFault) {
    guard index < end, text[index] == UInt8(ascii: "\"") else { throw fault("a field's name is expected here") }
    guard tokens[open].count < limits.fieldsPerObject else {
      throw fault("has too many fields (\(limits.fieldsPerObject))")
    }
    let quote = index
    let string = try scanString(limits.nameLength, isName: true)
    let name = JSONToken(
      .name, start: string.start, end: index - 1, next: tokens.count + 1, count: string.scalars, flag: string.isEscaped)
    let isNew = isNewName(name)
    tokens.append(name)
    guard isNew else { throw fault("appears twice", at: quote, inValue: true) }
    skipSpace()
    guard index < end, text[index] == UInt8(ascii: ":") else { throw fault("a colon is expected here", inValue: true) }
    index += 1
    skipSpace()
  }

  /// Whether no field of the open object has this name. A set of 32 bits in the object's token knows most new names for
  /// new; only the others are compared with those before them.
  private mutating func isNewName(_ name: JSONToken) -> Bool {
    guard !name.flag else {
      return JSONEscape.undo(bytes(of: name)).withUnsafeBytes { isNewName(spelled: $0) }
    }
    return isNewName(spelled: bytes(of: name))
  }

  private mutating func isNewName(spelled name: UnsafeRawBufferPointer) -> Bool {
    var mixed = UInt32(truncatingIfNeeded: name.count)
    if let first = name.first, let last = name.last { mixed = mixed << 16 | UInt32(first) << 8 | UInt32(last) }
    let bit: UInt32 = 1 << ((mixed &* 0x9E37_79B1) >> 27)
    let seen = tokens[open].end
    tokens[open].end = seen | bit
    guard seen & bit != 0 else { return true }
    var other = open + 1
    while other < tokens.count {
      let isSame =
        tokens[other].flag
        ? JSONEscape.undo(bytes(of: tokens[other])).withUnsafeBytes { $0.holdsSameBytes(as: name) }
        : bytes(of: tokens[other]).holdsSameBytes(as: name)
      if isSame { return false }
      other = Int(tokens[other + 1].next)
    }
    return true
  }

  private func bytes(of token: JSONToken) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: text[token.range])
  }

  private mutating func scanLiteral(
    _ word: StaticString, _ kind: JSONToken.Kind, flag: Bool
  ) throws(JSONFault) {
    let length = word.utf8CodeUnitCount
    let isThere = word.withUTF8Buffer { word in
      index + length <= end
        && UnsafeRawBufferPointer(rebasing: text[index..<index + length])
          .holdsSameBytes(as: UnsafeRawBufferPointer(word))
    }
    guard isThere else { throw fault("a value is expected here", inValue: true) }
    tokens.append(JSONToken(kind, start: index, end: index + length, next: tokens.count + 1, flag: flag))
    index += length
  }

  /// A number of any size; what it must fit is decided when it is read.
  private mutating func scanNumber() throws(JSONFault) {
    let start = index
    if text[index] == UInt8(ascii: "-") { index += 1 }
    let digits = index
    try scanDigits()
    if text[digits] == UInt8(ascii: "0"), index > digits + 1 {
      throw fault("a number must not start with zeros", at: start, inValue: true)
    }
    var isInteger = true
    if index < end, text[index] == UInt8(ascii: ".") {
      isInteger = false
      index += 1
      try scanDigits()
    }
    if index < end, text[index] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      index += 1
      if index < end, text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-") { index += 1 }
      try scanDigits()
    }
    tokens.append(JSONToken(.number, start: start, end: index, next: tokens.count + 1, flag: !isInteger))
  }

  private mutating func scanDigits() throws(JSONFault) {
    let start = index
    while index < end, text[index] &- 0x30 <= 9 { index += 1 }
    if index == start { throw fault("a digit is expected here", inValue: true) }
  }

  @inline(__always)
  mutating func skipSpace() {
    while index < end {
      switch text[index] {
      case 0x20, 0x09, 0x0A, 0x0D: index += 1
      default: return
      }
    }
  }
}
