/// Integers as JSON writes them: a minus sign perhaps, then digits without a zero in front; never `-0`.
enum Decimal {
  enum Fault: Error {
    case malformed, outOfRange
  }

  static func parse(_ text: UnsafeRawBufferPointer) -> Result<Int64, Fault> {
    let isNegative = text.first == UInt8(ascii: "-")
    let start = isNegative ? 1 : 0
    let count = text.count - start
    guard count > 0 else { return .failure(.malformed) }
    if text[start] == UInt8(ascii: "0") {
      return count == 1 && !isNegative ? .success(0) : .failure(.malformed)
    }
    // Nineteen digits are below 2^64, so nothing overflows before the comparison; a longer number can't fit.
    var magnitude: UInt64 = 0
    for offset in start..<text.count {
      let digit = text[offset] &- 0x30
      guard digit <= 9 else { return .failure(.malformed) }
      if offset - start < 19 { magnitude = magnitude &* 10 &+ UInt64(digit) }
    }
    let limit = UInt64(Int64.max) + (isNegative ? 1 : 0)
    guard count <= 19, magnitude <= limit else { return .failure(.outOfRange) }
    return .success(Int64(truncatingIfNeeded: isNegative ? 0 &- magnitude : magnitude))
  }

  /// The most characters that an integer takes.
  static let maximumLength = 20

  /// Writes an integer over the start of a buffer of at least `maximumLength` bytes, and returns its length.
  @inline(__always)
  static func write(_ value: Int64, to text: UnsafeMutableRawBufferPointer) -> Int {
    var magnitude = value.magnitude
    var length = value < 0 ? 1 : 0
    var power: UInt64 = 1
    length += 1
    while magnitude / power >= 10 {
      power &*= 10
      length += 1
    }
    if value < 0 { text[0] = UInt8(ascii: "-") }
    var offset = length
    repeat {
      offset -= 1
      text[offset] = UInt8(truncatingIfNeeded: 0x30 + magnitude % 10)
      magnitude /= 10
    } while magnitude != 0
    return length
  }
}
