/// A type that `ArrayBuilder` can build arrays of: a name for the compiler, never a value.
public protocol ArrayElement {
  /// The element's own type.
  static var type: OID { get }
  /// The type of an array of it.
  static var arrayType: OID { get }
}

/// An element whose binary form is one big-endian integer.
public protocol IntegerElement: ArrayElement {
  associatedtype Wire: FixedWidthInteger
}

public enum PGInt2: IntegerElement {
  public typealias Wire = Int16
  @inlinable public static var type: OID { .int2 }
  @inlinable public static var arrayType: OID { .int2Array }
}

public enum PGInt4: IntegerElement {
  public typealias Wire = Int32
  @inlinable public static var type: OID { .int4 }
  @inlinable public static var arrayType: OID { .int4Array }
}

public enum PGInt8: IntegerElement {
  public typealias Wire = Int64
  @inlinable public static var type: OID { .int8 }
  @inlinable public static var arrayType: OID { .int8Array }
}

public enum PGBool: IntegerElement {
  public typealias Wire = UInt8
  @inlinable public static var type: OID { .bool }
  @inlinable public static var arrayType: OID { .boolArray }
}

public enum PGTimestamptz: IntegerElement {
  public typealias Wire = Int64
  @inlinable public static var type: OID { .timestamptz }
  @inlinable public static var arrayType: OID { .timestamptzArray }
}

public enum PGDate: IntegerElement {
  public typealias Wire = Int32
  @inlinable public static var type: OID { .date }
  @inlinable public static var arrayType: OID { .dateArray }
}

public enum PGUUID: ArrayElement {
  @inlinable public static var type: OID { .uuid }
  @inlinable public static var arrayType: OID { .uuidArray }
}

public enum PGText: ArrayElement {
  @inlinable public static var type: OID { .text }
  @inlinable public static var arrayType: OID { .textArray }
}

public enum PGBytea: ArrayElement {
  @inlinable public static var type: OID { .bytea }
  @inlinable public static var arrayType: OID { .byteaArray }
}

/// Builds one array parameter for a statement over thousands of rows (`select … from unnest($1, $2)`), straight in
/// Postgres' binary format and in one block of memory: an element costs a length, its bytes and nothing else.
///
/// ```swift
/// var amounts = ArrayBuilder.int8(reserving: rows.count)
/// for row in rows { amounts.append(row.amount) }
/// try session.execute(insert, [amounts.parameter])
/// ```
///
/// A parameter shares the builder's memory; going on with the builder while a parameter lives copies it first. So a
/// builder that is kept and emptied with `removeAll()` allocates nothing once it has grown to its size.
public struct ArrayBuilder<Element: ArrayElement>: Sendable {
  /// Number of dimensions, whether there are NULLs, the element's type; and for a non-empty array its length and the
  /// first index (`array_send` in Postgres' `arrayfuncs.c`).
  @usableFromInline static var emptyHeader: Int { 12 }
  @usableFromInline static var header: Int { 20 }

  @usableFromInline var storage: ByteStorage
  @usableFromInline var used: Int
  @usableFromInline var elements: Int32
  @usableFromInline var refusal: String?

  /// - Parameter bytes: room for the elements, beyond which the builder grows by itself.
  @usableFromInline
  init(reservingBytes bytes: Int) {
    storage = ByteStorage(capacity: Self.header + max(bytes, 0))
    used = Self.header
    elements = 0
    writeHeader()
  }

  /// Elements so far, NULLs included.
  @inlinable public var count: Int { Int(elements) }

  /// Appends NULL.
  @inlinable
  public mutating func appendNull() {
    let slot = openSlot(0)
    slot.storeBytes(of: Int32(-1), as: Int32.self)
    storage.base.storeBytes(of: Int32(1).bigEndian, toByteOffset: 4, as: Int32.self)
  }

  /// Empties the builder and keeps its memory, unless a parameter still refers to it.
  public mutating func removeAll() {
    if !isKnownUniquelyReferenced(&storage) { storage = ByteStorage(capacity: storage.capacity) }
    used = Self.header
    elements = 0
    refusal = nil
    writeHeader()
  }

  /// What was appended so far, as a parameter.
  public var parameter: Parameter {
    if let refusal { return Parameter(Element.arrayType, .refused(refusal)) }
    return Parameter(Element.arrayType, .shared(storage, count: elements == 0 ? Self.emptyHeader : used))
  }

  private func writeHeader() {
    storage.base.storeBytes(of: 0, as: Int32.self)
    storage.base.storeBytes(of: 0, toByteOffset: 4, as: Int32.self)
    storage.base.storeBytes(of: Element.type.rawValue.bigEndian, toByteOffset: 8, as: UInt32.self)
    storage.base.storeBytes(of: 0, toByteOffset: 12, as: Int32.self)
    storage.base.storeBytes(of: Int32(1).bigEndian, toByteOffset: 16, as: Int32.self)
  }

  /// Room for one more element of `length` bytes: where its length word goes. Counts the element.
  @inlinable
  mutating func openSlot(_ length: Int) -> UnsafeMutableRawPointer {
    if used + 4 + length > storage.capacity || !isKnownUniquelyReferenced(&storage) { makeRoom(4 + length) }
    if elements == 0 { storage.base.storeBytes(of: Int32(1).bigEndian, as: Int32.self) }
    elements += 1
    storage.base.storeBytes(of: elements.bigEndian, toByteOffset: 12, as: Int32.self)
    let slot = storage.base + used
    used += 4 + length
    return slot
  }

  @usableFromInline
  mutating func makeRoom(_ bytes: Int) {
    let grown = ByteStorage(capacity: max(storage.capacity, (used + bytes) * 2))
    grown.base.copyMemory(from: storage.base, byteCount: used)
    storage = grown
  }

  @inlinable
  mutating func appendInteger<Wire: FixedWidthInteger>(_ value: Wire) {
    let size = MemoryLayout<Wire>.size
    let slot = openSlot(size)
    slot.storeBytes(of: Int32(truncatingIfNeeded: size).bigEndian, as: Int32.self)
    slot.storeBytes(of: value.bigEndian, toByteOffset: 4, as: Wire.self)
  }

  @inlinable
  mutating func appendBytes(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count < 1 << 30 else { return refuse("an element of a gigabyte") }
    let slot = openSlot(bytes.count)
    slot.storeBytes(of: Int32(truncatingIfNeeded: bytes.count).bigEndian, as: Int32.self)
    if let source = bytes.baseAddress { (slot + 4).copyMemory(from: source, byteCount: bytes.count) }
  }

  /// The parameter will be refused when it is sent: appending doesn't throw, so that it stays cheap.
  @usableFromInline
  mutating func refuse(_ reason: String) {
    refusal = refusal ?? "\(reason), at element \(elements)"
  }
}

extension ArrayBuilder where Element == PGInt2 {
  public static func int2(reserving count: Int = 0) -> Self { Self(reservingBytes: count * 6) }
  @inlinable public mutating func append(_ value: Int16) { appendInteger(value) }
  @inlinable public mutating func append(_ value: Int16?) {
    if let value { append(value) } else { appendNull() }
  }
}

extension ArrayBuilder where Element == PGInt4 {
  public static func int4(reserving count: Int = 0) -> Self { Self(reservingBytes: count * 8) }
  @inlinable public mutating func append(_ value: Int32) { appendInteger(value) }
  @inlinable public mutating func append(_ value: Int32?) {
    if let value { append(value) } else { appendNull() }
  }
}

extension ArrayBuilder where Element == PGInt8 {
  public static func int8(reserving count: Int = 0) -> Self { Self(reservingBytes: count * 12) }
  @inlinable public mutating func append(_ value: Int64) { appendInteger(value) }
  @inlinable public mutating func append(_ value: Int64?) {
    if let value { append(value) } else { appendNull() }
  }
}

extension ArrayBuilder where Element == PGBool {
  public static func bool(reserving count: Int = 0) -> Self { Self(reservingBytes: count * 5) }
  @inlinable public mutating func append(_ value: Bool) { appendInteger(value ? UInt8(1) : 0) }
  @inlinable public mutating func append(_ value: Bool?) {
    if let value { append(value) } else { appendNull() }
  }
}

extension ArrayBuilder where Element == PGTimestamptz {
  public static func timestamptz(reserving count: Int = 0) -> Self { Self(reservingBytes: count * 12) }

  /// A moment, in microseconds since the start of 1970, UTC.
  @inlinable
  public mutating func append(microsecondsSince1970 value: Int64) {
    let (shifted, overflow) = value.subtractingReportingOverflow(Epoch.microseconds)
    guard !overflow, shifted != .min else { return refuse("a moment out of range") }
    appendInteger(shifted)
  }

  @inlinable
  public mutating func append(microsecondsSince1970 value: Int64?) {
    if let value { append(microsecondsSince1970: value) } else { appendNull() }
  }
}

extension ArrayBuilder where Element == PGDate {
  public static func date(reserving count: Int = 0) -> Self { Self(reservingBytes: count * 8) }

  /// A calendar day, counted from 1 January 1970.
  @inlinable
  public mutating func append(daysSince1970 value: Int32) {
    let (shifted, overflow) = value.subtractingReportingOverflow(Epoch.days)
    guard !overflow, shifted != .min else { return refuse("a day out of range") }
    appendInteger(shifted)
  }

  @inlinable
  public mutating func append(daysSince1970 value: Int32?) {
    if let value { append(daysSince1970: value) } else { appendNull() }
  }
}

extension ArrayBuilder where Element == PGUUID {
  public static func uuid(reserving count: Int = 0) -> Self { Self(reservingBytes: count * 20) }

  /// The 16 bytes as two big-endian halves: `high` is what a UUID's text begins with.
  @inlinable
  public mutating func append(_ high: UInt64, _ low: UInt64) {
    let slot = openSlot(16)
    slot.storeBytes(of: Int32(16).bigEndian, as: Int32.self)
    slot.storeBytes(of: high.bigEndian, toByteOffset: 4, as: UInt64.self)
    slot.storeBytes(of: low.bigEndian, toByteOffset: 12, as: UInt64.self)
  }

  @inlinable
  public mutating func append(_ halves: (UInt64, UInt64)?) {
    if let halves { append(halves.0, halves.1) } else { appendNull() }
  }
}

extension ArrayBuilder where Element == PGText {
  /// - Parameter bytes: expected length of an element, which only decides how much room is made at first.
  public static func text(reserving count: Int = 0, bytesEach bytes: Int = 16) -> Self {
    Self(reservingBytes: count * (bytes + 4))
  }

  public mutating func append(_ value: String) {
    var value = value
    value.withUTF8 { append(utf8: UnsafeRawBufferPointer($0)) }
  }

  public mutating func append(_ value: String?) {
    if let value { append(value) } else { appendNull() }
  }

  /// A text that is at hand as UTF-8. The server checks that it is.
  public mutating func append(utf8 bytes: UnsafeRawBufferPointer) {
    guard !containsNUL(bytes) else { return refuse("U+0000 in a text") }
    appendBytes(bytes)
  }

  public mutating func append(utf8 bytes: [UInt8]) {
    bytes.withUnsafeBytes { append(utf8: $0) }
  }
}

extension ArrayBuilder where Element == PGBytea {
  /// - Parameter bytes: expected length of an element, which only decides how much room is made at first.
  public static func bytea(reserving count: Int = 0, bytesEach bytes: Int = 32) -> Self {
    Self(reservingBytes: count * (bytes + 4))
  }

  @inlinable public mutating func append(_ bytes: UnsafeRawBufferPointer) { appendBytes(bytes) }
  @inlinable public mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { appendBytes($0) } }
  @inlinable public mutating func append(_ bytes: [UInt8]?) {
    if let bytes { append(bytes) } else { appendNull() }
  }
}
