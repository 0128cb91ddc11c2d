/// The escapes of strings (RFC 8259, section 7).
enum JSONEscape {
  /// The bytes that a verified string stands for.
  static func undo(_ escaped: UnsafeRawBufferPointer) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(escaped.count)
    var index = 0
    while index < escaped.count {
      let byte = escaped[index]
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        index += 1
        continue
      }
      let letter = escaped[index + 1]
      index += 2
      guard letter == UInt8(ascii: "u") else {
        bytes.append(simple(letter) ?? letter)
        continue
      }
      var scalar = hexadecimal(escaped, at: index) ?? 0
      index += 4
      if 0xD800...0xDBFF ~= scalar {
        let trailing = hexadecimal(escaped, at: index + 2) ?? 0
        scalar = 0x1_0000 + (scalar - 0xD800) << 10 + (trailing - 0xDC00)
        index += 6
      }
      appendUTF8(scalar, to: &bytes)
    }
    return bytes
  }

  /// What the letter behind a backslash stands for, but for `u`; nil when it may not stand there.
  @inline(__always)
  static func simple(_ letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
  }

  /// The number that four hexadecimal digits write; nil when they aren't all there.
  static func hexadecimal(_ text: UnsafeRawBufferPointer, at offset: Int) -> UInt32? {
    guard offset + 4 <= text.count else { return nil }
    var value: UInt32 = 0
    for byte in text[offset..<offset + 4] {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
      default: return nil
      }
    }
    return value
  }

  private static func appendUTF8(_ scalar: UInt32, to bytes: inout [UInt8]) {
    let continuation: (UInt32) -> UInt8 = { UInt8(truncatingIfNeeded: 0x80 | $0 & 0x3F) }
    switch scalar {
    case ..<0x80:
      bytes.append(UInt8(truncatingIfNeeded: scalar))
    case ..<0x800:
      bytes.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
      bytes.append(continuation(scalar))
    case ..<0x1_0000:
      bytes.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
      bytes.append(continuation(scalar >> 6))
      bytes.append(continuation(scalar))
    default:
      bytes.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
      bytes.append(continuation(scalar >> 12))
      bytes.append(continuation(scalar >> 6))
      bytes.append(continuation(scalar))
    }
  }
}
