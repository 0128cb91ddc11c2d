import Crypto
import Ledger

/// Writes one segment: frames of rows, then the index. The same rows, checkpoint and proof give the same file.
struct SegmentWriter {
  private var index: SegmentIndex
  private let draft: ArchiveDraft
  private let path: String
  private var frame: [UInt8] = []
  private var frameRows = 0
  private var tables = SegmentTables()
  /// The tree up to the last row that was written.
  private(set) var frontier: MerkleFrontier
  private var hasher = LeafHasher()
  private var framesHasher = SHA256()

  /// - Parameters:
  ///   - first: the position of the first row.
  ///   - before: the tree over everything before it.
  init(path: String, first: Int64, before: MerkleFrontier) throws(ArchiveFault) {
    self.path = path
    draft = try ArchiveDraft(path: path)
    frontier = before
    index = SegmentIndex(first: first, count: 0, frames: [], before: before, checkpoint: "", proof: [])
  }

  var last: Int64 { index.last }

  /// Appends the next row.
  ///
  /// - Throws: when it isn't the next; when the file can't be written.
  mutating func append(_ row: LogRow) throws {
    guard row.position == index.last + 1 else {
      throw ArchiveFault(path: path, reason: "event \(index.last + 1) isn't in the log: \(row.position) follows")
    }
    frontier.append(hasher.hash(of: row))
    tables.append(row, number: index.count)
    frame.append(counted: LeafEncoding.bytes(of: row))
    frameRows += 1
    index.count += 1
    if frameRows == SegmentIndex.rowsPerFrame { try endFrame() }
  }

  private mutating func endFrame() throws {
    guard frameRows > 0 else { return }
    let compressed = try LZ4Frame.compress(frame)
    index.frames.append(
      SegmentIndex.Frame(offset: draft.size, length: compressed.count, contentLength: frame.count))
    try draft.append(compressed)
    framesHasher.update(data: compressed)
    frame.removeAll(keepingCapacity: true)
    frameRows = 0
  }

  /// Writes the index and gives the file its name.
  ///
  /// - Returns: whether the same file was there already.
  mutating func finish(checkpoint: String, proof: [TreeHash]) throws -> Bool {
    try endFrame()
    index.checkpoint = checkpoint
    index.proof = proof
    index.framesHash = Array(framesHasher.finalize())
    let place = draft.size
    tables.sort()
    var content = index.head(commands: tables.commands.count, streams: tables.streams.count)
    for entry in tables.commands + tables.streams {
      content.append(number: entry.id.high)
      content.append(number: entry.id.low)
      content.append(number: entry.row)
    }
    content.append(contentsOf: SHA256.hash(data: content))
    content.append(number: UInt64(place))
    content.append(contentsOf: SegmentIndex.end)
    guard content.count <= Int(UInt32.max) else {
      throw ArchiveFault(path: path, reason: "the index of \(index.count) rows is too large for one segment")
    }
    try draft.append(LZ4Frame.skippable(content))
    return try draft.finish()
  }
}
