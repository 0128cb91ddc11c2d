extension Rows {
  /// Reads an array of `element` and hands its elements to `body` in order, NULLs as nil, without a copy. The bytes
  /// mustn't outlive the call.
  /// - Returns: false, and no call, when the array itself is NULL.
  @discardableResult
  public func forEachElement(
    _ row: Int, _ column: Int, of element: OID,
    _ body: (UnsafeRawBufferPointer?) throws(PostgresError) -> Void
  ) throws(PostgresError) -> Bool {
    guard let bytes = try value(row, column) else { return false }
    var reader = WireReader(bytes: bytes)
    let dimensions = try reader.next(Int32.self)
    _ = try reader.next(Int32.self)
    let type = OID(rawValue: try reader.next(UInt32.self))
    guard type == element else { throw wrongType(column, wanted: "an array of type \(element.rawValue)") }
    guard dimensions != 0 else { return true }
    guard dimensions == 1 else { throw PostgresError(.decoding, "an array of \(dimensions) dimensions") }
    let count = try reader.next(Int32.self)
    _ = try reader.next(Int32.self)
    for _ in 0..<max(count, 0) {
      let length = try reader.next(Int32.self)
      try body(length < 0 ? nil : reader.take(Int(length)))
    }
    return true
  }

  /// nil for a NULL array; a NULL among its elements throws.
  private func array<Value>(
    _ row: Int, _ column: Int, of element: OID, _ decode: (UnsafeRawBufferPointer) throws(PostgresError) -> Value
  ) throws(PostgresError) -> [Value]? {
    var values: [Value] = []
    let found = try forEachElement(row, column, of: element) { (bytes) throws(PostgresError) in
      guard let bytes else { throw PostgresError(.decoding, "a NULL in the array of column \(column)") }
      values.append(try decode(bytes))
    }
    return found ? values : nil
  }

  public func int4ArrayOrNil(_ row: Int, _ column: Int) throws(PostgresError) -> [Int32]? {
    try array(row, column, of: .int4) { (bytes) throws(PostgresError) in try Int32(wire: bytes) }
  }

  public func int8ArrayOrNil(_ row: Int, _ column: Int) throws(PostgresError) -> [Int64]? {
    try array(row, column, of: .int8) { (bytes) throws(PostgresError) in try Int64(wire: bytes) }
  }

  public func textArrayOrNil(_ row: Int, _ column: Int) throws(PostgresError) -> [String]? {
    try array(row, column, of: .text) { (bytes) throws(PostgresError) in try String(wire: bytes) }
  }

  public func byteaArrayOrNil(_ row: Int, _ column: Int) throws(PostgresError) -> [[UInt8]]? {
    try array(row, column, of: .bytea) { (bytes) throws(PostgresError) in Array(bytes) }
  }

  public func uuidArrayOrNil(_ row: Int, _ column: Int) throws(PostgresError) -> [(UInt64, UInt64)]? {
    try array(row, column, of: .uuid) { (bytes) throws(PostgresError) in try UUIDHalves(wire: bytes).halves }
  }

  public func int4Array(_ row: Int, _ column: Int) throws(PostgresError) -> [Int32] {
    try present(int4ArrayOrNil(row, column), row, column)
  }

  public func int8Array(_ row: Int, _ column: Int) throws(PostgresError) -> [Int64] {
    try present(int8ArrayOrNil(row, column), row, column)
  }

  public func textArray(_ row: Int, _ column: Int) throws(PostgresError) -> [String] {
    try present(textArrayOrNil(row, column), row, column)
  }

  public func byteaArray(_ row: Int, _ column: Int) throws(PostgresError) -> [[UInt8]] {
    try present(byteaArrayOrNil(row, column), row, column)
  }

  public func uuidArray(_ row: Int, _ column: Int) throws(PostgresError) -> [(UInt64, UInt64)] {
    try present(uuidArrayOrNil(row, column), row, column)
  }
}

/// Reads big-endian integers and runs of bytes off a buffer, and throws where it ends.
struct WireReader {
  var bytes: UnsafeRawBufferPointer

  mutating func next<Wire: FixedWidthInteger>(_: Wire.Type) throws(PostgresError) -> Wire {
    try Wire(wire: take(MemoryLayout<Wire>.size))
  }

  mutating func take(_ count: Int) throws(PostgresError) -> UnsafeRawBufferPointer {
    guard count <= bytes.count else { throw PostgresError(.decoding, "a value that ends early") }
    defer { bytes = UnsafeRawBufferPointer(rebasing: bytes[count...]) }
    return UnsafeRawBufferPointer(rebasing: bytes[..<count])
  }
}
