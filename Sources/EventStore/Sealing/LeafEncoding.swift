import Ledger

/// The canonical bytes of a row of the log, and the leaf that they hash to. `docs/log-format.md` specifies every byte;
/// a change of anything here is a new version there.
public enum LeafEncoding {
  /// The first byte of every encoding.
  public static let version: UInt8 = 1

  /// All columns in the order of the table: integers big-endian, identifiers as their 16 bytes, texts and bytes after
  /// their length in 4 bytes, and a byte before what may be absent that says whether it is there.
  public static func bytes(of row: LogRow) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(160 + row.payload.count)
    append(row, to: &bytes)
    return bytes
  }

  /// The row's leaf in the tree.
  public static func hash(of row: LogRow) -> TreeHash {
    var hasher = LeafHasher()
    return hasher.hash(of: row)
  }

  fileprivate static func append(_ row: LogRow, to bytes: inout [UInt8]) {
    bytes.append(version)
    bytes.append(integer: row.position)
    bytes.append(text: row.streamKind)
    bytes.append(identifier: row.streamID)
    bytes.append(integer: row.streamVersion)
    bytes.append(text: row.type)
    bytes.append(integer: row.schemaVersion)
    bytes.append(integer: UInt32(row.payload.count))
    bytes.append(contentsOf: row.payload)
    bytes.append(identifier: row.commandID)
    bytes.append(integer: row.commandIndex)
    bytes.append(text: row.actor)
    bytes.append(optional: row.causationID)
    bytes.append(optional: row.correlationID)
    bytes.append(integer: row.moment)
    bytes.append(integer: row.bookDate)
    bytes.append(integer: row.ruleSet)
  }
}

/// Hashes one row after the other in the same memory.
public struct LeafHasher: Sendable {
  private var bytes: [UInt8] = []

  public init() {
    bytes.reserveCapacity(1024)
  }

  /// The row's leaf in the tree.
  public mutating func hash(of row: LogRow) -> TreeHash {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(0x00)
    LeafEncoding.append(row, to: &bytes)
    return bytes.withUnsafeBytes { TreeHash(hashing: $0) }
  }
}

extension [UInt8] {
  fileprivate mutating func append(integer value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  /// Postgres holds no text of 4 GiB.
  fileprivate mutating func append(text: String) {
    append(integer: UInt32(text.utf8.count))
    append(contentsOf: text.utf8)
  }

  fileprivate mutating func append(identifier: Identifier) {
    append(integer: identifier.high)
    append(integer: identifier.low)
  }

  fileprivate mutating func append(optional identifier: Identifier?) {
    guard let identifier else { return append(0x00) }
    append(0x01)
    append(identifier: identifier)
  }
}
