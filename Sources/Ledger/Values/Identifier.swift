/// The identity of an account, a customer, a transfer, a hold or a command: a UUID (RFC 9562), held as sixteen bytes.
///
/// Clients choose identifiers. Any UUID is accepted; version 7 is advised, because identifiers that grow with time keep
/// an index compact. Order is the order of the bytes, which for version 7 is the order of creation.
@frozen
public struct Identifier: Hashable, Comparable, Sendable {
  /// Bytes 0 to 7, the first one most significant.
  public var high: UInt64
  /// Bytes 8 to 15, the first one most significant.
  public var low: UInt64

  /// All sixteen bytes zero, which RFC 9562 calls the nil UUID.
  public static let zero = Identifier(high: 0, low: 0)

  @inlinable
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  @inlinable
  public static func < (left: Identifier, right: Identifier) -> Bool {
    left.high == right.high ? left.low < right.low : left.high < right.high
  }

  @inlinable
  public static func == (left: Identifier, right: Identifier) -> Bool {
    ((left.high ^ right.high) | (left.low ^ right.low)) == 0
  }

  /// Both halves are hashed: a client who could choose a half that isn't would make every lookup as slow as a list.
  @inlinable
  public func hash(into hasher: inout Hasher) {
    hasher.combine(high)
    hasher.combine(low)
  }
}

public typealias AccountID = Identifier
public typealias CustomerID = Identifier
public typealias TransferID = Identifier
public typealias JournalID = Identifier
public typealias HoldID = Identifier
public typealias CommandID = Identifier
public typealias ApprovalID = Identifier

extension Identifier: LosslessStringConvertible {
  /// The length of the textual form, in ASCII characters.
  @inlinable public static var textLength: Int { 36 }

  /// Reads the textual form of RFC 9562, `8-4-4-4-12` hexadecimal digits of either case; nil for anything else.
  public init?(_ text: String) {
    var text = text
    guard let value = text.withUTF8({ Identifier(utf8: UnsafeRawBufferPointer($0)) }) else { return nil }
    self = value
  }

  /// As `init(_: String)`, for a part of a string.
  public init?(_ text: some StringProtocol) {
    self.init(String(text))
  }

  /// Reads the textual form from its bytes; nil unless they are exactly the thirty-six characters of a UUID.
  public init?(utf8 text: UnsafeRawBufferPointer) {
    guard text.count == Identifier.textLength,
      text[8] == UInt8(ascii: "-"), text[13] == UInt8(ascii: "-"),
      text[18] == UInt8(ascii: "-"), text[23] == UInt8(ascii: "-"),
      let first = Hexadecimal.decode(text.word(at: 0)),
      let second = Hexadecimal.decode(text.halfWord(at: 9) | text.halfWord(at: 14) << 32),
      let third = Hexadecimal.decode(text.halfWord(at: 19) | text.halfWord(at: 24) << 32),
      let fourth = Hexadecimal.decode(text.word(at: 28))
    else { return nil }
    high = UInt64(first) << 32 | UInt64(second)
    low = UInt64(third) << 32 | UInt64(fourth)
  }

  /// The textual form in lower case, as RFC 9562 asks of those who write one.
  public var description: String {
    String(unsafeUninitializedCapacity: Identifier.textLength) { buffer in
      write(to: UnsafeMutableRawBufferPointer(buffer))
      return Identifier.textLength
    }
  }

  /// Appends the thirty-six characters of the textual form.
  public func write(to bytes: inout [UInt8]) {
    bytes.append(addingCapacity: Identifier.textLength) { span in
      span.withUnsafeMutableBufferPointer { buffer, count in
        write(to: UnsafeMutableRawBufferPointer(buffer))
        count = Identifier.textLength
      }
    }
  }

  /// Writes the textual form over the first thirty-six bytes of a buffer that has at least as many.
  func write(to text: UnsafeMutableRawBufferPointer) {
    let second = Hexadecimal.encode(UInt32(truncatingIfNeeded: high))
    let third = Hexadecimal.encode(UInt32(truncatingIfNeeded: low >> 32))
    text.storeWord(Hexadecimal.encode(UInt32(truncatingIfNeeded: high >> 32)), at: 0)
    text[8] = UInt8(ascii: "-")
    text.storeHalfWord(second, at: 9)
    text[13] = UInt8(ascii: "-")
    text.storeHalfWord(second >> 32, at: 14)
    text[18] = UInt8(ascii: "-")
    text.storeHalfWord(third, at: 19)
    text[23] = UInt8(ascii: "-")
    text.storeHalfWord(third >> 32, at: 24)
    text.storeWord(Hexadecimal.encode(UInt32(truncatingIfNeeded: low)), at: 28)
  }
}

/// Eight hexadecimal digits at a time, as the eight bytes of one word whose lowest byte is the first character: three
/// or four identifiers are read and written for every transfer, and a loop over their digits would be most of the cost.
enum Hexadecimal {
  /// The value of eight digits of either case, or nil when one of the bytes isn't a digit.
  @inline(__always)
  static func decode(_ text: UInt64) -> UInt32? {
    let high: UInt64 = 0x8080_8080_8080_8080
    // Bytes below 0x80 leave room for a carry, so one addition compares all eight of them.
    let seven = text & ~high
    let digit = seven ^ 0x3030_3030_3030_3030
    let isDigit = ~(digit + 0x7676_7676_7676_7676)
    let letter = (seven | 0x2020_2020_2020_2020) ^ 0x6060_6060_6060_6060
    let isLetter = ~(letter + 0x7979_7979_7979_7979) & (letter + 0x7f7f_7f7f_7f7f_7f7f)
    guard (isDigit | isLetter) & ~text & high == high else { return nil }
    let nibbles = (text & 0x0f0f_0f0f_0f0f_0f0f) + 9 * ((text >> 6) & 0x0101_0101_0101_0101)
    let bytes = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff
    let pairs = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff
    return UInt32(truncatingIfNeeded: pairs | pairs >> 16).byteSwapped
  }

  /// Eight digits in lower case.
  @inline(__always)
  static func encode(_ value: UInt32) -> UInt64 {
    var spread = UInt64(value.byteSwapped)
    spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff
    spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff
    let nibbles = (spread >> 4 | spread << 8) & 0x0f0f_0f0f_0f0f_0f0f
    let isLetter = (nibbles + 0x7676_7676_7676_7676) >> 7 & 0x0101_0101_0101_0101
    return nibbles + 0x3030_3030_3030_3030 + isLetter * 0x27
  }
}
