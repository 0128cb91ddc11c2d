/// A JSON document, read strictly and in one pass: syntax, UTF-8, escapes, duplicate names and limits are verified
/// before anything is taken from it.
///
/// Only U+0000, lone surrogates and duplicate names are refused beyond what RFC 8259 refuses. Numbers stay as they are
/// written until somebody asks for a value, so no digit is ever lost.
public struct JSONDocument: Sendable {
  let tape: JSONTape
  let rootIndex: UInt32
  let base: UInt32

  init(tape: JSONTape, rootIndex: UInt32, base: UInt32) {
    self.tape = tape
    self.rootIndex = rootIndex
    self.base = base
  }

  /// Reads a document, whose bytes aren't copied.
  ///
  /// - Throws: the first fault, with its place.
  public init(_ bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONFault) {
    guard bytes.count <= JSONDocument.maximumLength else { throw JSONDocument.tooLong }
    let scanned = bytes.withUnsafeBytes { text -> Result<[JSONToken], JSONFault> in
      var tokens: [JSONToken] = []
      // A token for every ten bytes is usual for commands; more are made room for as they come.
      tokens.reserveCapacity(text.count / 10 + 8)
      var scanner = JSONScanner(text, from: 0, to: text.count, limits: limits, tokens: tokens)
      tokens = []
      do throws(JSONFault) {
        try scanner.scanDocument()
      } catch {
        return .failure(error)
      }
      return .success(scanner.tokens)
    }
    tape = JSONTape(bytes: bytes, tokens: try scanned.get())
    rootIndex = 0
    base = 0
  }

  /// Reads a document from a part of an array, which is copied.
  public init(_ bytes: ArraySlice<UInt8>, limits: JSONLimits = .standard) throws(JSONFault) {
    try self.init(Array(bytes), limits: limits)
  }

  /// Reads a document from memory, which is copied.
  public init(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .standard) throws(JSONFault) {
    try self.init(Array(bytes), limits: limits)
  }

  /// The value that the document is.
  public var root: JSONValue {
    JSONValue(tape: tape, index: rootIndex, root: rootIndex, base: base)
  }

  /// Tokens count bytes in 32 bits; half of that is beyond what a server takes in anyway.
  static let maximumLength = Int(Int32.max)
  static var tooLong: JSONFault {
    JSONFault(pointer: "", offset: maximumLength, reason: "is longer than \(maximumLength) bytes")
  }
}
