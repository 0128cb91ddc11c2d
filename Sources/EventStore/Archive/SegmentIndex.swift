import Ledger

/// What the end of a segment says of it: where its rows stand, which ids they have, and how they are proved.
///
/// `docs/archive-format.md` specifies every byte. Nothing here is believed when a segment is checked: rows are hashed
/// and the ids are worked out again.
public struct SegmentIndex: Hashable, Sendable {
  /// One frame of rows.
  public struct Frame: Hashable, Sendable {
    /// Of the frame in the file, in bytes.
    public var offset: Int
    public var length: Int
    /// Of what it decompresses to, in bytes.
    public var contentLength: Int
  }

  /// Where one of the two tables of ids stands in the file: entries of an id and a row's number, in order.
  public struct Table: Hashable, Sendable {
    public var offset: Int
    public var count: Int

    static let entryLength = 20
    var end: Int { offset + count * Table.entryLength }
  }

  /// Rows in every frame but the last.
  public static let rowsPerFrame = 1_024

  /// No log gets as far; below it, positions can be counted on without care.
  static let positionMaximum: Int64 = 1 << 62

  /// The position of the first row.
  public var first: Int64
  /// Rows.
  public var count: Int
  public var frames: [Frame]
  /// SHA-256 of the file's bytes before the index's frame.
  public var framesHash: [UInt8] = []
  /// The tree over everything before the first row.
  public var before: MerkleFrontier
  /// The checkpoint that the segment was proved against when it was made, as it was signed.
  public var checkpoint: String
  /// That the checkpoint's tree begins with the tree that ends with the segment (RFC 6962, section 2.1.2).
  public var proof: [TreeHash]
  /// Commands, by the first of their rows.
  public var commands = Table(offset: 0, count: 0)
  /// Streams that aren't named after their command, by each of their rows.
  public var streams = Table(offset: 0, count: 0)

  public var last: Int64 { first + Int64(count) - 1 }

  /// The rows of a frame, counted from the segment's first.
  func rows(ofFrame frame: Int) -> Range<Int> {
    let start = frame * SegmentIndex.rowsPerFrame
    return start..<min(count, start + SegmentIndex.rowsPerFrame)
  }
}

/// An id and the number of a row that has it, counted from the segment's first.
struct SegmentEntry: Hashable, Comparable, Sendable {
  var id: Identifier
  var row: UInt32

  static func < (one: SegmentEntry, other: SegmentEntry) -> Bool {
    (one.id, one.row) < (other.id, other.row)
  }
}

// MARK: - As bytes

extension SegmentIndex {
  static let beginning: [UInt8] = Array("KAURIIDX".utf8)
  static let end: [UInt8] = Array("KAURIEND".utf8)
  static let version: UInt32 = 1
  /// Bytes of the hash, the offset and the mark that the file ends with.
  static let trailerLength = TreeHash.length + 16

  /// Everything up to the tables.
  func head(commands: Int, streams: Int) -> [UInt8] {
    var bytes = SegmentIndex.beginning
    bytes.append(number: SegmentIndex.version)
    bytes.append(number: first)
    bytes.append(number: UInt64(count))
    bytes.append(number: UInt32(frames.count))
    for frame in frames {
      bytes.append(number: UInt64(frame.offset))
      bytes.append(number: UInt32(frame.length))
      bytes.append(number: UInt32(frame.contentLength))
    }
    bytes.append(contentsOf: framesHash)
    bytes.append(counted: before.encoded)
    bytes.append(counted: Array(checkpoint.utf8))
    bytes.append(number: UInt32(proof.count))
    for hash in proof { hash.append(to: &bytes) }
    bytes.append(number: UInt64(commands))
    bytes.append(number: UInt64(streams))
    return bytes
  }

  /// Reads what `head` wrote, with the tables' places.
  ///
  /// - Parameters:
  ///   - bytes: from the beginning of the index on, as many as the head may take.
  ///   - start: where in the file that is.
  ///   - fileSize: within which the tables must lie, in bytes.
  init?(_ bytes: [UInt8], at start: Int, fileSize: Int) {
    var reader = NumberReader(bytes: bytes)
    guard reader.take(8).map(Array.init) == SegmentIndex.beginning, reader.number(UInt32.self) == SegmentIndex.version,
      let first = reader.number(Int64.self), first > 0, let count = reader.number(UInt64.self), count > 0,
      count <= UInt64(UInt32.max), let frames = reader.number(UInt32.self),
      Int(frames) == (Int(count) + SegmentIndex.rowsPerFrame - 1) / SegmentIndex.rowsPerFrame
    else { return nil }
    self.first = first
    self.count = Int(count)
    self.frames = []
    // One after the other, from the file's beginning to the index: nothing may stand between them that no hash covers.
    var end = 0
    for _ in 0..<frames {
      guard let offset = reader.number(UInt64.self), offset == UInt64(end), let length = reader.number(UInt32.self),
        let contentLength = reader.number(UInt32.self)
      else { return nil }
      self.frames.append(Frame(offset: Int(offset), length: Int(length), contentLength: Int(contentLength)))
      end += Int(length)
    }
    guard end == start - LZ4Frame.skippableHeader else { return nil }
    guard let framesHash = reader.take(TreeHash.length), let frontier = reader.counted(),
      let before = MerkleFrontier(encoded: Array(frontier)),
      let note = reader.counted(), let checkpoint = String(validating: note, as: UTF8.self),
      let hashes = reader.number(UInt32.self), hashes <= 64, let proof = reader.take(Int(hashes) * TreeHash.length),
      let list = [TreeHash](concatenated: proof), let commands = reader.number(UInt64.self),
      let streams = reader.number(UInt64.self), commands <= count, streams <= count
    else { return nil }
    self.framesHash = Array(framesHash)
    self.before = before
    self.checkpoint = checkpoint
    self.proof = list
    self.commands = Table(offset: start + reader.offset, count: Int(commands))
    self.streams = Table(offset: self.commands.end, count: Int(streams))
    guard before.size == UInt64(first - 1), self.streams.end + SegmentIndex.trailerLength == fileSize else {
      return nil
    }
  }
}

/// Reads big-endian numbers; nil once the bytes end.
struct NumberReader {
  let bytes: [UInt8]
  private(set) var offset = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, count <= bytes.count - offset else { return nil }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  mutating func number<Value: FixedWidthInteger>(_: Value.Type) -> Value? {
    take(MemoryLayout<Value>.size)?.reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
  }

  /// Bytes after their length in 4 bytes.
  mutating func counted() -> ArraySlice<UInt8>? {
    number(UInt32.self).flatMap { take(Int($0)) }
  }
}

extension [UInt8] {
  mutating func append(number value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  mutating func append(counted bytes: [UInt8]) {
    append(number: UInt32(bytes.count))
    append(contentsOf: bytes)
  }
}
