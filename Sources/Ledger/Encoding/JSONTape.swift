/// One token of a document, sixteen bytes: a value, or the name of a field, which its value follows.
struct JSONToken: Sendable {
  /// Where it starts; for a string or a name, behind the quote.
  var start: UInt32
  /// Where it ends: behind the last byte; for a string or a name, at the quote. While an object is being read, the set
  /// of the names seen so far (`JSONScanner.isNewName`).
  var end: UInt32
  /// The index of the token behind this value and all it holds. While a container is being read, that of its container.
  var next: UInt32
  /// Bits 0 to 23: fields of an object, elements of an array, Unicode scalars of a string or name. Bits 24 to 27: the
  /// kind. Bit 28: a string has escapes; a number has a fraction or an exponent; a boolean is true.
  var detail: UInt32

  static let maximumCount = 0x00ff_ffff

  @inline(__always)
  init(_ kind: Kind, start: Int, end: Int, next: Int, count: Int = 0, flag: Bool = false) {
    self.start = UInt32(truncatingIfNeeded: start)
    self.end = UInt32(truncatingIfNeeded: end)
    self.next = UInt32(truncatingIfNeeded: next)
    detail = UInt32(truncatingIfNeeded: count) | kind.rawValue << 24 | (flag ? 1 << 28 : 0)
  }

  enum Kind: UInt32, Sendable {
    case null, boolean, number, string, array, object, name
  }

  var count: Int { Int(detail & 0x00ff_ffff) }
  var flag: Bool { detail & 1 << 28 != 0 }
  var range: Range<Int> { Int(start)..<Int(end) }

  func isKind(_ kind: Kind) -> Bool {
    detail >> 24 & 0xf == kind.rawValue
  }

  var kind: Kind { Kind(rawValue: detail >> 24 & 0xf) ?? .null }
}

/// The tokens of one document, or of the many lines of one, with the bytes they point into.
final class JSONTape: Sendable {
  let bytes: [UInt8]
  let tokens: [JSONToken]

  init(bytes: [UInt8], tokens: [JSONToken]) {
    self.bytes = bytes
    self.tokens = tokens
  }
}

extension JSONTape {
  /// Runs `body` on the bytes of a range.
  @inline(__always)
  func withBytes<Result>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  /// The text of a string or a name, its escapes undone.
  func text(of token: JSONToken) -> String {
    if !token.flag {
      return withBytes(token.range) { String(decoding: $0, as: UTF8.self) }
    }
    return String(decoding: unescaped(token), as: UTF8.self)
  }

  /// The bytes of the text of a string or a name, its escapes undone.
  func unescaped(_ token: JSONToken) -> [UInt8] {
    withBytes(token.range) { JSONEscape.undo($0) }
  }
}
