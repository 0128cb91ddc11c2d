import Ledger

/// Bytes that aren't the canonical encoding of a row.
public struct LeafEncodingFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// From 0, where the fault was met.
  public let offset: Int
  public let reason: String

  public init(offset: Int, reason: String) {
    self.offset = offset
    self.reason = reason
  }

  public var description: String { "byte \(offset) of the row: \(reason)" }
}

extension LeafEncoding {
  /// Reads what `bytes(of:)` wrote. Every encoding has one row and every row one encoding: what this reads, encodes to
  /// the same bytes.
  ///
  /// - Throws: `LeafEncodingFault` for any other bytes.
  public static func row(from bytes: [UInt8]) throws(LeafEncodingFault) -> LogRow {
    var reader = LeafReader(bytes: bytes)
    guard try reader.integer(UInt8.self) == version else {
      throw LeafEncodingFault(offset: 0, reason: "the version isn't \(version)")
    }
    let row = LogRow(
      position: try reader.integer(Int64.self), streamKind: try reader.text(), streamID: try reader.identifier(),
      streamVersion: try reader.integer(Int64.self), type: try reader.text(),
      schemaVersion: try reader.integer(Int16.self), payload: Array(try reader.counted()),
      commandID: try reader.identifier(), commandIndex: try reader.integer(Int32.self), actor: try reader.text(),
      causationID: try reader.optional(), correlationID: try reader.optional(),
      moment: try reader.integer(Int64.self), bookDate: try reader.integer(Int32.self),
      ruleSet: try reader.integer(Int32.self))
    guard reader.offset == bytes.count else { throw reader.fault("something follows the last column") }
    return row
  }
}

private struct LeafReader {
  let bytes: [UInt8]
  var offset = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  func fault(_ reason: String) -> LeafEncodingFault { LeafEncodingFault(offset: offset, reason: reason) }

  mutating func take(_ count: Int) throws(LeafEncodingFault) -> ArraySlice<UInt8> {
    guard count <= bytes.count - offset else { throw fault("the bytes end early") }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  mutating func integer<Value: FixedWidthInteger>(_: Value.Type) throws(LeafEncodingFault) -> Value {
    try take(MemoryLayout<Value>.size).reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
  }

  mutating func counted() throws(LeafEncodingFault) -> ArraySlice<UInt8> {
    try take(Int(integer(UInt32.self)))
  }

  mutating func text() throws(LeafEncodingFault) -> String {
    let start = offset
    guard let text = String(validating: try counted(), as: UTF8.self) else {
      throw LeafEncodingFault(offset: start, reason: "a text that isn't UTF-8")
    }
    return text
  }

  mutating func identifier() throws(LeafEncodingFault) -> Identifier {
    Identifier(high: try integer(UInt64.self), low: try integer(UInt64.self))
  }

  mutating func optional() throws(LeafEncodingFault) -> Identifier? {
    switch try integer(UInt8.self) {
    case 0: return nil
    case 1: return try identifier()
    default: throw LeafEncodingFault(offset: offset - 1, reason: "neither 0 nor 1 before an optional column")
    }
  }
}
