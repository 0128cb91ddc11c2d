/// What is wrong with a document, and where.
public struct JSONFault: Error, Equatable, Sendable {
  /// The place as a JSON pointer (RFC 6901): empty for the whole document, else `/field/0/…`.
  public let pointer: String
  /// The place in bytes from the start of the document (of the line, for one of `JSONLines`).
  public let offset: Int
  /// What is wrong there, for the person who wrote the document. It repeats none of the document's values.
  public let reason: String

  public init(pointer: String, offset: Int, reason: String) {
    self.pointer = pointer
    self.offset = offset
    self.reason = reason
  }
}

/// Bounds on what a document may hold, so that none can cost more than its length allows.
public struct JSONLimits: Equatable, Sendable {
  /// How deep arrays and objects may be nested.
  public var depth: Int
  /// How many fields an object may have, at most 64: `JSONObject` remembers in one word which of them were read.
  public var fieldsPerObject: Int
  /// How many elements an array may have, at most 16,777,215.
  public var elementsPerArray: Int
  /// How long a string may be, in Unicode scalars, at most 16,777,215.
  public var stringLength: Int
  /// How long a field's name may be, in Unicode scalars. Names appear in pointers, and these in answers.
  public var nameLength: Int

  public static let standard = JSONLimits()

  /// Bounds; those beyond what the documentation of each allows are brought down to it.
  public init(
    depth: Int = 32, fieldsPerObject: Int = 64, elementsPerArray: Int = 1_000_000, stringLength: Int = 65_536,
    nameLength: Int = 128
  ) {
    self.depth = depth
    self.fieldsPerObject = min(fieldsPerObject, 64)
    self.elementsPerArray = min(elementsPerArray, JSONToken.maximumCount)
    self.stringLength = min(stringLength, JSONToken.maximumCount)
    self.nameLength = min(nameLength, JSONToken.maximumCount)
  }
}
