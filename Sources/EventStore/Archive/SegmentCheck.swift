import Crypto
import Ledger

/// What a segment was found to be.
public struct SegmentReport: Sendable {
  public var positions: ClosedRange<Int64>
  /// Of the checkpoint that it was held against, in events.
  public var checkpointSize: UInt64
  /// Rows that the checkpoint proves, from the first on.
  public var proven: Int
  /// What isn't as it must be, in order.
  public var faults: [String]

  public var isSound: Bool { faults.isEmpty && proven == positions.count }
}

/// Holds a segment against a checkpoint. Nothing in the file is believed but what the checkpoint confirms: the rows are
/// hashed onto the frontier before them, and the root that this gives must be, or must be the beginning of, the
/// checkpoint's.
public struct SegmentCheck {
  private let segment: Segment
  private let size: UInt64
  private let root: TreeHash
  private var frontier: MerkleFrontier
  private var hasher = LeafHasher()
  private var faults: [String] = []
  private var commands: [SegmentEntry] = []
  private var streams: [SegmentEntry] = []
  /// The root where the checkpoint's tree ends, when that is within the segment.
  private var rootInside: TreeHash?

  /// - Parameters:
  ///   - size: of the checkpoint's tree, in events.
  ///   - root: of the checkpoint's tree.
  public init(_ segment: Segment, size: UInt64, root: TreeHash) {
    self.segment = segment
    self.size = size
    self.root = root
    frontier = segment.index.before
  }

  /// - Parameter progress: how many rows have been read.
  /// - Throws: `ArchiveFault` when the file can't be read any further; what is wrong with its content is in the report.
  public mutating func run(progress: (Int) -> Void = { _ in }) throws -> SegmentReport {
    try checkHashes()
    for frame in segment.index.frames.indices {
      do throws(ArchiveFault) {
        for row in try segment.rows(ofFrame: frame) { take(row) }
      } catch {
        faults.append(error.reason)
        break
      }
      progress(Int(frontier.size - segment.index.before.size))
    }
    if faults.isEmpty { try checkTables() }
    let proven = faults.isEmpty ? prove() : 0
    return SegmentReport(positions: segment.positions, checkpointSize: size, proven: proven, faults: faults)
  }

  private mutating func take(_ row: LogRow) {
    let expected = Int64(frontier.size) + 1
    if row.position != expected { faults.append("row \(expected): its position is \(row.position)") }
    let number = UInt32(frontier.size - segment.index.before.size)
    if row.commandIndex == 0 { commands.append(SegmentEntry(id: row.commandID, row: number)) }
    if row.streamID != row.commandID { streams.append(SegmentEntry(id: row.streamID, row: number)) }
    frontier.append(hasher.hash(of: row))
    if frontier.size == size { rootInside = frontier.root }
  }

  // MARK: The proof

  /// - Returns: how many rows the checkpoint proves.
  private mutating func prove() -> Int {
    let before = segment.index.before.size
    if let rootInside {
      guard rootInside == root else {
        faults.append("the rows up to event \(size) give the root \(rootInside), the checkpoint says \(root)")
        return 0
      }
      return Int(size - before)
    }
    guard size > frontier.size else {
      faults.append("the checkpoint covers events 1 to \(size), before the segment: it says nothing of it")
      return 0
    }
    guard
      MerkleProof.verifyConsistency(
        size1: frontier.size, root1: frontier.root, size2: size, root2: root, proof: segment.index.proof)
    else {
      faults.append(
        "the rows give the root \(frontier.root) at \(frontier.size) events, which the file's proof doesn't lead from to "
          + "the checkpoint of \(size) events: either a row isn't what was signed, or the proof is for another checkpoint"
      )
      return 0
    }
    return segment.index.count
  }

  // MARK: The index

  /// The rows are proved one by one; that the file is the one that was written, its hashes say.
  private mutating func checkHashes() throws {
    let start = segment.indexOffset + LZ4Frame.skippableHeader
    let end = segment.file.size - SegmentIndex.trailerLength
    if try hash(0..<segment.indexOffset) != segment.index.framesHash {
      faults.append("the frames aren't what was written: their hash differs")
    }
    if try hash(start..<end) != segment.file.read(end..<end + TreeHash.length) {
      faults.append("the index isn't what was written: its hash differs")
    }
    let head = LZ4Frame.skippableHead(count: segment.file.size - start)
    if try segment.file.read(segment.indexOffset..<start) != head {
      faults.append("the index's frame isn't one that the lz4 tool passes over")
    }
  }

  private func hash(_ range: Range<Int>) throws -> [UInt8] {
    var hasher = SHA256()
    let step = 1 << 20
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: step) {
      hasher.update(data: try segment.file.read(offset..<min(range.upperBound, offset + step)))
    }
    return Array(hasher.finalize())
  }

  /// The tables of ids must be just what the rows say: a verification finds the past through them.
  private mutating func checkTables() throws {
    for (table, entries, name) in [
      (segment.index.commands, commands.sorted(), "commands"), (segment.index.streams, streams.sorted(), "streams"),
    ] {
      guard table.count == entries.count else {
        faults.append("the table of \(name) has \(table.count) entries for \(entries.count)")
        continue
      }
      for (number, entry) in entries.enumerated() where try segment.entry(number, of: table) != entry {
        faults.append("the table of \(name) says otherwise than the rows, at entry \(number)")
        break
      }
    }
  }
}
