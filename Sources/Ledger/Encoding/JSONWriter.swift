/// Writes compact JSON: no spaces, fields in the order they are written, only such escapes as RFC 8259 demands, each in
/// its shortest form. The same calls give the same bytes always, so what is written may be hashed.
///
/// The writer puts commas and colons; that containers are ended in the order they were begun, and that every field has
/// a value, is up to the caller.
public struct JSONWriter: Sendable {
  /// What has been written so far.
  public var bytes: [UInt8] = []
  /// Whether something stands before the next value or name that a comma must part it from.
  private var wantsComma = false

  /// A writer with room for so many bytes; more are made room for as they come.
  public init(reserving capacity: Int = 256) {
    bytes.reserveCapacity(capacity)
  }

  /// Starts anew and keeps the room.
  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    wantsComma = false
  }

  public mutating func beginObject() { begin(UInt8(ascii: "{")) }
  public mutating func endObject() { end(UInt8(ascii: "}")) }
  public mutating func beginArray() { begin(UInt8(ascii: "[")) }
  public mutating func endArray() { end(UInt8(ascii: "]")) }

  /// Ends a document of an NDJSON text; the next one may follow.
  public mutating func endLine() {
    bytes.append(UInt8(ascii: "\n"))
    wantsComma = false
  }

  /// The name of the next field. It is written as it is: a name in code needs no escape.
  public mutating func key(_ key: StaticString) {
    let comma = wantsComma
    wantsComma = false
    key.withUTF8Buffer { key in
      assert(key.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") })
      write(atMost: key.count + 4) { space in
        var length = 0
        if comma {
          space[0] = UInt8(ascii: ",")
          length = 1
        }
        space[length] = UInt8(ascii: "\"")
        length += 1
        UnsafeMutableRawBufferPointer(rebasing: space[length...]).copyMemory(from: UnsafeRawBufferPointer(key))
        length += key.count
        space[length] = UInt8(ascii: "\"")
        space[length + 1] = UInt8(ascii: ":")
        return length + 2
      }
    }
  }

  /// The name of the next field, escaped as need be.
  public mutating func key(_ key: String) {
    string(key)
    endKey()
  }

  /// Makes a key of the string that was just written.
  mutating func endKey() {
    bytes.append(UInt8(ascii: ":"))
    wantsComma = false
  }

  /// A string. U+0000, which no document may hold because Postgres can't hold it in text, becomes U+FFFD.
  public mutating func string(_ value: String) {
    var value = value
    value.withUTF8 { string(utf8: UnsafeRawBufferPointer($0)) }
  }

  /// As `string(_: String)`.
  public mutating func string(_ value: StaticString) {
    value.withUTF8Buffer { string(utf8: UnsafeRawBufferPointer($0)) }
  }

  /// A string, from its UTF-8.
  mutating func string(utf8 text: UnsafeRawBufferPointer) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    var start = 0
    for (index, byte) in text.enumerated() {
      guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
      bytes.append(contentsOf: text[start..<index])
      escape(byte)
      start = index + 1
    }
    bytes.append(contentsOf: text[start...])
    bytes.append(UInt8(ascii: "\""))
  }

  public mutating func integer(_ value: Int64) {
    separate()
    write(atMost: Decimal.maximumLength) { Decimal.write(value, to: $0) }
  }

  public mutating func integer(_ value: Int) {
    integer(Int64(value))
  }

  /// An amount in minor units, as a string of digits: readers that know only doubles would round a number.
  public mutating func amount(_ value: MinorUnits) {
    quoted(atMost: Decimal.maximumLength) { Decimal.write(value, to: $0) }
  }

  public mutating func identifier(_ value: Identifier) {
    quoted(atMost: Identifier.textLength) {
      value.write(to: $0)
      return Identifier.textLength
    }
  }

  public mutating func moment(_ value: Moment) {
    guard value.isWritable else { return string(value.description) }
    quoted(atMost: Moment.maximumTextLength) { value.write(to: $0) }
  }

  public mutating func date(_ value: CalendarDate) {
    let (year, month, day) = value.components
    guard (0...9999).contains(year) else { return string(value.description) }
    quoted(atMost: CalendarDate.textLength) {
      CalendarDate.write(year, month, day, to: $0)
      return CalendarDate.textLength
    }
  }

  public mutating func currency(_ value: Currency) {
    quoted(atMost: 3) {
      $0[0] = UInt8(truncatingIfNeeded: value.packed >> 16)
      $0[1] = UInt8(truncatingIfNeeded: value.packed >> 8)
      $0[2] = UInt8(truncatingIfNeeded: value.packed)
      return 3
    }
  }

  public mutating func accountNumber(_ value: AccountNumber) { string(value.description) }
  public mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }
  public mutating func null() { literal("null") }

  private mutating func literal(_ word: StaticString) {
    separate()
    word.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// One value that is JSON already, in compact form.
  @inlinable
  public mutating func raw(_ json: some Collection<UInt8>) {
    separate()
    bytes.append(contentsOf: json)
  }

  private mutating func begin(_ bracket: UInt8) {
    separate()
    bytes.append(bracket)
    wantsComma = false
  }

  private mutating func end(_ bracket: UInt8) {
    bytes.append(bracket)
    wantsComma = true
  }

  @usableFromInline
  mutating func separate() {
    if wantsComma { bytes.append(UInt8(ascii: ",")) }
    wantsComma = true
  }

  private mutating func escape(_ byte: UInt8) {
    let hexadecimal: (UInt8) -> UInt8 = { $0 < 10 ? $0 + UInt8(ascii: "0") : $0 - 10 + UInt8(ascii: "a") }
    switch byte {
    case 0x00: bytes.append(contentsOf: "\u{FFFD}".utf8)
    case 0x08: bytes.append(contentsOf: #"\b"#.utf8)
    case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
    case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
    case 0x0C: bytes.append(contentsOf: #"\f"#.utf8)
    case 0x0D: bytes.append(contentsOf: #"\r"#.utf8)
    case ..<0x20:
      bytes.append(contentsOf: #"\u00"#.utf8)
      bytes.append(hexadecimal(byte >> 4))
      bytes.append(hexadecimal(byte & 0xF))
    default:
      bytes.append(UInt8(ascii: "\\"))
      bytes.append(byte)
    }
  }

  /// Appends what `body` writes, quoted, behind a comma where one is due.
  @inline(__always)
  private mutating func quoted(atMost count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) {
    let comma = wantsComma
    wantsComma = true
    write(atMost: count + 3) { space in
      var length = 0
      if comma {
        space[0] = UInt8(ascii: ",")
        length = 1
      }
      space[length] = UInt8(ascii: "\"")
      length += 1
      length += body(UnsafeMutableRawBufferPointer(rebasing: space[length...]))
      space[length] = UInt8(ascii: "\"")
      return length + 1
    }
  }

  /// Appends the bytes that `body` writes to the start of the room it is given; it returns their number.
  @inline(__always)
  private mutating func write(atMost count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) {
    bytes.append(addingCapacity: count) { span in
      span.withUnsafeMutableBufferPointer { buffer, written in
        written = body(UnsafeMutableRawBufferPointer(buffer))
      }
    }
  }
}
