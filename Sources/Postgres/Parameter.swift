import Glibc

/// One value of a statement, in Postgres' binary form, with its type. Sending it needs no text and no escaping.
///
/// A value that Postgres can't hold (a text with U+0000, a moment out of range) is refused with `.encoding` when it is
/// sent, before anything reaches the server, so that it doesn't abort a transaction.
public struct Parameter: Sendable {
  enum Storage: Sendable {
    case null
    /// Up to 16 bytes in memory order, without an allocation.
    case inline(UInt64, UInt64, count: Int)
    case shared(ByteStorage, count: Int)
    case refused(String)
  }

  public let type: OID
  let storage: Storage

  init(_ type: OID, _ storage: Storage) {
    self.type = type
    self.storage = storage
  }

  /// Bytes that already are the binary form of `type`; `nil` is NULL.
  public init(type: OID, bytes: [UInt8]?) {
    self.type = type
    storage = bytes.map { bytes in bytes.withUnsafeBytes { .copying($0) } } ?? .null
  }

  /// The binary form as it will be sent; nil for NULL.
  /// - Throws: `.encoding` when the value can't be sent.
  package func bytes() throws(PostgresError) -> [UInt8]? {
    switch storage {
    case .null: nil
    case .inline(let first, let second, let count): withUnsafeBytes(of: (first, second)) { Array($0.prefix(count)) }
    case .shared(let storage, let count): Array(UnsafeRawBufferPointer(start: storage.base, count: count))
    case .refused(let reason): throw PostgresError(.encoding, reason)
    }
  }

  public var isNull: Bool { if case .null = storage { true } else { false } }

  /// NULL of a type that the server works out.
  public static var null: Parameter { Parameter(.unspecified, .null) }

  public static func int2(_ value: Int16?) -> Parameter {
    Parameter(.int2, .of(value.map { UInt64(UInt16(bitPattern: $0).bigEndian) }, count: 2))
  }

  public static func int4(_ value: Int32?) -> Parameter {
    Parameter(.int4, .of(value.map { UInt64(UInt32(bitPattern: $0).bigEndian) }, count: 4))
  }

  public static func int8(_ value: Int64?) -> Parameter {
    Parameter(.int8, .of(value.map { UInt64(bitPattern: $0).bigEndian }, count: 8))
  }

  public static func bool(_ value: Bool?) -> Parameter {
    Parameter(.bool, .of(value.map { $0 ? 1 : 0 }, count: 1))
  }

  public static func float8(_ value: Double?) -> Parameter {
    Parameter(.float8, .of(value.map { $0.bitPattern.bigEndian }, count: 8))
  }

  public static func text(_ value: String?) -> Parameter {
    guard var value else { return Parameter(.text, .null) }
    return Parameter(.text, value.withUTF8 { .text(UnsafeRawBufferPointer($0)) })
  }

  /// A text that is at hand as UTF-8.
  public static func text(utf8 bytes: [UInt8]?) -> Parameter {
    guard let bytes else { return Parameter(.text, .null) }
    return Parameter(.text, bytes.withUnsafeBytes { .text($0) })
  }

  /// A JSON text; the server parses it.
  public static func jsonb(_ value: String?) -> Parameter {
    guard var value else { return Parameter(.jsonb, .null) }
    return Parameter(.jsonb, value.withUTF8 { .text(UnsafeRawBufferPointer($0), after: 1) })
  }

  public static func bytea(_ value: [UInt8]?) -> Parameter {
    Parameter(type: .bytea, bytes: value)
  }

  /// The 16 bytes as two big-endian halves: `high` is what a UUID's text begins with.
  public static func uuid(_ high: UInt64, _ low: UInt64) -> Parameter {
    Parameter(.uuid, .inline(high.bigEndian, low.bigEndian, count: 16))
  }

  public static func uuid(_ halves: (UInt64, UInt64)?) -> Parameter {
    guard let halves else { return Parameter(.uuid, .null) }
    return uuid(halves.0, halves.1)
  }

  /// A moment, in microseconds since the start of 1970, UTC.
  public static func timestamptz(microsecondsSince1970 value: Int64?) -> Parameter {
    guard let value else { return Parameter(.timestamptz, .null) }
    let (shifted, overflow) = value.subtractingReportingOverflow(Epoch.microseconds)
    guard !overflow, shifted != .min else { return Parameter(.timestamptz, .refused("a moment out of range")) }
    return Parameter(.timestamptz, .of(UInt64(bitPattern: shifted).bigEndian, count: 8))
  }

  /// A calendar day, counted from 1 January 1970.
  public static func date(daysSince1970 value: Int32?) -> Parameter {
    guard let value else { return Parameter(.date, .null) }
    let (shifted, overflow) = value.subtractingReportingOverflow(Epoch.days)
    guard !overflow, shifted != .min else { return Parameter(.date, .refused("a day out of range")) }
    return Parameter(.date, .of(UInt64(UInt32(bitPattern: shifted).bigEndian), count: 4))
  }
}

extension Parameter.Storage {
  /// `word` holds the value's bytes in its lowest ones, which come first in memory: Swift's Linux platforms are all
  /// little-endian.
  fileprivate static func of(_ word: UInt64?, count: Int) -> Self {
    word.map { .inline($0, 0, count: count) } ?? .null
  }

  fileprivate static func copying(_ bytes: UnsafeRawBufferPointer, after prefix: UInt8? = nil) -> Self {
    .shared(ByteStorage(copying: bytes, after: prefix), count: bytes.count + (prefix == nil ? 0 : 1))
  }

  fileprivate static func text(_ bytes: UnsafeRawBufferPointer, after prefix: UInt8? = nil) -> Self {
    containsNUL(bytes) ? .refused("U+0000 in a text") : copying(bytes, after: prefix)
  }
}

/// Postgres' text can't hold U+0000, and its refusal would abort the transaction.
func containsNUL(_ bytes: UnsafeRawBufferPointer) -> Bool {
  guard let base = bytes.baseAddress else { return false }
  return memchr(base, 0, bytes.count) != nil
}

/// Lays parameters out as libpq takes them, and calls `body` with them. Nothing is copied but the inline ones.
func withLibpqParameters(
  _ parameters: [Parameter],
  _ body: (
    _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<CInt>?, _ formats: UnsafePointer<CInt>?
  ) -> CInt
) throws(PostgresError) -> CInt {
  for (index, parameter) in parameters.enumerated() {
    switch parameter.storage {
    case .refused(let reason): throw PostgresError(.encoding, "parameter $\(index + 1): \(reason)")
    case .shared(_, let count) where count > Int(CInt.max):
      throw PostgresError(.encoding, "parameter $\(index + 1): longer than 2 GiB")
    default: break
    }
  }
  let count = parameters.count
  return withUnsafeTemporaryAllocation(of: (UInt64, UInt64).self, capacity: count) { words in
    withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
      withUnsafeTemporaryAllocation(of: CInt.self, capacity: count * 2) { integers in
        for (index, parameter) in parameters.enumerated() {
          switch parameter.storage {
          case .inline(let first, let second, let length):
            words.initializeElement(at: index, to: (first, second))
            let word = UnsafeRawPointer(words.baseAddress.map { $0 + index })
            values.initializeElement(at: index, to: word?.assumingMemoryBound(to: CChar.self))
            integers.initializeElement(at: index, to: CInt(length))
          case .shared(let bytes, let length):
            values.initializeElement(
              at: index, to: UnsafePointer(bytes.base.assumingMemoryBound(to: CChar.self)))
            integers.initializeElement(at: index, to: CInt(length))
          case .null, .refused:
            values.initializeElement(at: index, to: nil)
            integers.initializeElement(at: index, to: 0)
          }
          integers.initializeElement(at: count + index, to: 1)
        }
        return withExtendedLifetime(parameters) {
          body(values.baseAddress, integers.baseAddress, integers.baseAddress.map { $0 + count })
        }
      }
    }
  }
}
