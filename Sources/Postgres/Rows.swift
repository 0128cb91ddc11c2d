import CLibpq

/// Owns one `PGresult` and clears it.
struct ResultHandle: ~Copyable {
  let pointer: OpaquePointer

  init(_ pointer: OpaquePointer) { self.pointer = pointer }

  deinit { PQclear(pointer) }

  var status: ExecStatusType { PQresultStatus(pointer) }
  var commandTag: String { String(cString: PQcmdStatus(pointer)) }
}

/// What a statement gave back, read in place from libpq's memory.
///
/// Columns are numbered from 0 in the order of the statement. A reader of the wrong type, a NULL where none is
/// expected, and an index outside the result throw `.decoding`; nothing traps. `Rows` stays on the session's thread:
/// take values out of it and pass those on.
public final class Rows {
  public struct Column: Sendable, Equatable {
    public let name: String
    public let type: OID
  }

  private let handle: ResultHandle
  /// Number of rows.
  public let count: Int
  let types: [OID]

  init(_ handle: consuming ResultHandle) {
    count = Int(PQntuples(handle.pointer))
    let columns = PQnfields(handle.pointer)
    types = (0..<columns).map { [pointer = handle.pointer] in OID(rawValue: PQftype(pointer, $0)) }
    self.handle = handle
  }

  public var columns: [Column] {
    types.enumerated().map { index, type in
      Column(name: PQfname(handle.pointer, CInt(index)).map { String(cString: $0) } ?? "", type: type)
    }
  }

  /// The rows that an INSERT, UPDATE, DELETE, MERGE, COPY or SELECT touched; 0 for other statements.
  public var affected: Int { PQcmdTuples(handle.pointer).flatMap { Int(String(cString: $0)) } ?? 0 }

  /// What the server says it did: `INSERT 0 5`, `COMMIT`.
  public var commandTag: String { handle.commandTag }

  /// The value's bytes where they lie, or nil for NULL; they live as long as this object.
  func value(_ row: Int, _ column: Int) throws(PostgresError) -> UnsafeRawBufferPointer? {
    guard row >= 0, row < count, column >= 0, column < types.count else {
      throw PostgresError(
        .decoding, "there is no row \(row), column \(column) in a result of \(count) by \(types.count)")
    }
    let row = CInt(truncatingIfNeeded: row)
    let column = CInt(truncatingIfNeeded: column)
    if PQgetisnull(handle.pointer, row, column) == 1 { return nil }
    return UnsafeRawBufferPointer(
      start: PQgetvalue(handle.pointer, row, column), count: Int(PQgetlength(handle.pointer, row, column)))
  }

  func value(_ row: Int, _ column: Int, as type: OID) throws(PostgresError) -> UnsafeRawBufferPointer? {
    let bytes = try value(row, column)
    guard types[column] == type else { throw wrongType(column, wanted: "type \(type.rawValue)") }
    return bytes
  }

  func wrongType(_ column: Int, wanted: String) -> PostgresError {
    PostgresError(.decoding, "column \(column) has type \(types[column].rawValue), not \(wanted)")
  }

  func integer<Wire: FixedWidthInteger>(
    _ row: Int, _ column: Int, _ type: OID, as _: Wire.Type
  ) throws(PostgresError) -> Wire? {
    guard let bytes = try value(row, column, as: type) else { return nil }
    return try Wire(wire: bytes)
  }

  func present<Value>(_ value: Value?, _ row: Int, _ column: Int) throws(PostgresError) -> Value {
    guard let value else { throw PostgresError(.decoding, "row \(row), column \(column) is NULL") }
    return value
  }
}

extension FixedWidthInteger {
  /// A big-endian integer of just this size.
  init(wire bytes: UnsafeRawBufferPointer) throws(PostgresError) {
    guard bytes.count == MemoryLayout<Self>.size else {
      throw PostgresError(.decoding, "\(bytes.count) bytes instead of \(MemoryLayout<Self>.size)")
    }
    self.init(bigEndian: bytes.loadUnaligned(as: Self.self))
  }
}

extension Rows {
  public func isNull(_ row: Int, _ column: Int) throws(PostgresError) -> Bool { try value(row, column) == nil }

  public func int2OrNil(_ row: Int, _ column: Int) throws(PostgresError) -> Int16? {
    try integer(row, column, .int2, as: Int16.self)
  }

  public func int4OrNil(_ row: Int, _ column: Int) throws(PostgresError) -> Int32? {
    try integer(row, column, .int4, as: Int32.self)
  }

  public func int8OrNil(_ row: Int, _ column: Int) throws(PostgresError) -> Int64? {
    try integer(row, column, .int8, as: Int64.self)
  }

  public func boolOrNil(_ row: Int, _ column: Int) throws(PostgresError) -> Bool? {
    try integer(row, column, .bool, as: UInt8.self).map { $0 != 0 }
  }

  public func float8OrNil(_ row: Int, _ column: Int) throws(PostgresError) -> Double? {
    try integer(row, column, .float8, as: UInt64.self).map { Double(bitPattern: $0) }
  }

  /// A text, varchar, name, json, jsonb or a value of an enum type.
  public func textOrNil(_ row: Int, _ column: Int) throws(PostgresError) -> String? {
    guard var bytes = try value(row, column) else { return nil }
    if types[column] == .jsonb {
      guard bytes.first == 1 else { throw PostgresError(.decoding, "an unknown version of jsonb") }
      bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    } else if !types[column].isTextual {
      throw wrongType(column, wanted: "a text")
    }
    return try String(wire: bytes)
  }

  /// A bytea.
  public func bytesOrNil(_ row: Int, _ column: Int) throws(PostgresError) -> [UInt8]? {
    try value(row, column, as: .bytea).map { Array($0) }
  }

  /// The 16 bytes as two big-endian halves.
  public func uuidOrNil(_ row: Int, _ column: Int) throws(PostgresError) -> (UInt64, UInt64)? {
    guard let bytes = try value(row, column, as: .uuid) else { return nil }
    return try UUIDHalves(wire: bytes).halves
  }

  /// A moment, in microseconds since the start of 1970, UTC; an infinite one is refused.
  public func timestamptzOrNil(_ row: Int, _ column: Int) throws(PostgresError) -> Int64? {
    guard let wire = try integer(row, column, .timestamptz, as: Int64.self) else { return nil }
    let (moment, overflow) = wire.addingReportingOverflow(Epoch.microseconds)
    guard !overflow, wire != .min else { throw PostgresError(.decoding, "an infinite moment") }
    return moment
  }

  /// A calendar day, counted from 1 January 1970; an infinite one is refused.
  public func dateOrNil(_ row: Int, _ column: Int) throws(PostgresError) -> Int32? {
    guard let wire = try integer(row, column, .date, as: Int32.self) else { return nil }
    let (day, overflow) = wire.addingReportingOverflow(Epoch.days)
    guard !overflow, wire != .min else { throw PostgresError(.decoding, "an infinite day") }
    return day
  }

  public func int2(_ row: Int, _ column: Int) throws(PostgresError) -> Int16 {
    try present(int2OrNil(row, column), row, column)
  }

  public func int4(_ row: Int, _ column: Int) throws(PostgresError) -> Int32 {
    try present(int4OrNil(row, column), row, column)
  }

  public func int8(_ row: Int, _ column: Int) throws(PostgresError) -> Int64 {
    try present(int8OrNil(row, column), row, column)
  }

  public func bool(_ row: Int, _ column: Int) throws(PostgresError) -> Bool {
    try present(boolOrNil(row, column), row, column)
  }

  public func float8(_ row: Int, _ column: Int) throws(PostgresError) -> Double {
    try present(float8OrNil(row, column), row, column)
  }

  /// A text, varchar, name, json, jsonb or a value of an enum type.
  public func text(_ row: Int, _ column: Int) throws(PostgresError) -> String {
    try present(textOrNil(row, column), row, column)
  }

  /// A bytea.
  public func bytes(_ row: Int, _ column: Int) throws(PostgresError) -> [UInt8] {
    try present(bytesOrNil(row, column), row, column)
  }

  /// The 16 bytes as two big-endian halves.
  public func uuid(_ row: Int, _ column: Int) throws(PostgresError) -> (UInt64, UInt64) {
    try present(uuidOrNil(row, column), row, column)
  }

  /// A moment, in microseconds since the start of 1970, UTC; an infinite one is refused.
  public func timestamptz(_ row: Int, _ column: Int) throws(PostgresError) -> Int64 {
    try present(timestamptzOrNil(row, column), row, column)
  }

  /// A calendar day, counted from 1 January 1970; an infinite one is refused.
  public func date(_ row: Int, _ column: Int) throws(PostgresError) -> Int32 {
    try present(dateOrNil(row, column), row, column)
  }

  /// The value's binary form, of whatever type, without a copy. The bytes mustn't outlive the call. NULL throws.
  public func withBytes<Value>(
    _ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer) throws -> Value
  ) throws -> Value {
    try withExtendedLifetime(self) { try body(present(value(row, column), row, column)) }
  }
}

extension String {
  init(wire bytes: UnsafeRawBufferPointer) throws(PostgresError) {
    // Names and actors, and nearly every other text there is. Validating looks its generic types up, text for text.
    guard !bytes.isASCII else {
      self.init(decoding: bytes, as: UTF8.self)
      return
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw PostgresError(.decoding, "a text that isn't UTF-8")
    }
    self = text
  }
}

extension UnsafeRawBufferPointer {
  fileprivate var isASCII: Bool {
    var bits: UInt64 = 0
    var index = 0
    while index + 8 <= count {
      bits |= loadUnaligned(fromByteOffset: index, as: UInt64.self)
      index += 8
    }
    while index < count {
      bits |= UInt64(self[index])
      index += 1
    }
    return bits & 0x8080_8080_8080_8080 == 0
  }
}

/// The two halves of a UUID on their way out of a result.
struct UUIDHalves {
  let halves: (UInt64, UInt64)

  init(wire bytes: UnsafeRawBufferPointer) throws(PostgresError) {
    guard bytes.count == 16 else { throw PostgresError(.decoding, "a UUID of \(bytes.count) bytes") }
    halves = (
      UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    )
  }
}
