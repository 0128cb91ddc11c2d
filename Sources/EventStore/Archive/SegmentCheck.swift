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
  /// Where the rows are proved by the checkpoint in the file, and not by the one that was given.
  public var own: SegmentOwnProof?

  public var isSound: Bool { faults.isEmpty && proven == positions.count }
}

/// Holds a segment against a checkpoint. Nothing in the file is believed but what the checkpoint confirms: the rows are
/// hashed onto the frontier before them, and the root that this gives must be, or must be the beginning of, the
/// checkpoint's.
public struct SegmentCheck {
  private let segment: Segment
  private let given: Checkpoint
  private let key: CheckpointPublicKey?
  private let consistency: ConsistencyProof?
  private var own: SegmentOwnProof?
  private var size: UInt64 { UInt64(given.size) }
  private var root: TreeHash { given.root }
  private var frontier: MerkleFrontier
  private var hasher = LeafHasher()
  private var faults: [String] = []
  private var tables = SegmentTables()
  /// The root where the checkpoint's tree ends, when that is within the segment.
  private var rootInside: TreeHash?

  /// - Parameters:
  ///   - given: the checkpoint to hold it against; its signature is somebody else's to look at.
  ///   - key: that the checkpoint in the file must be signed by, where it is needed; nil when signatures aren't looked
  ///     at.
  ///   - consistency: that one of the two checkpoints leads to the other.
  public init(
    _ segment: Segment, against given: Checkpoint, key: CheckpointPublicKey? = nil,
    consistency: ConsistencyProof? = nil
  ) {
    self.segment = segment
    self.given = given
    self.key = key
    self.consistency = consistency
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
    return SegmentReport(
      positions: segment.positions, checkpointSize: size, proven: proven, faults: faults, own: own)
  }

  private mutating func take(_ row: LogRow) {
    let expected = Int64(frontier.size) + 1
    if row.position != expected { faults.append("row \(expected): its position is \(row.position)") }
    tables.append(row, number: Int(frontier.size - segment.index.before.size))
    frontier.append(hasher.hash(of: row))
    if frontier.size == size { rootInside = frontier.root }
  }

  // MARK: The proof

  /// - Returns: how many rows the checkpoint that was given proves.
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
    let isProven = MerkleProof.verifyConsistency(
      size1: frontier.size, root1: frontier.root, size2: size, root2: root, proof: segment.index.proof)
    return isProven || proveByOwn() ? segment.index.count : 0
  }

  /// The file's proof leads to the checkpoint that the segment was exported with. From there to another one a
  /// consistency proof leads, which only a server can give.
  ///
  /// - Returns: whether the checkpoint that was given proves the rows so.
  private mutating func proveByOwn() -> Bool {
    let own: GivenCheckpoint
    do throws(CheckpointFault) {
      own = try GivenCheckpoint(note: segment.index.checkpoint, name: segment.path, key: key)
    } catch {
      faults.append(
        "the rows aren't proved by the checkpoint that was given, and the file's own can't be read: \(error)")
      return false
    }
    let name = "the file's own checkpoint of \(own.checkpoint.size) events"
    let leadsThere = MerkleProof.verifyConsistency(
      size1: frontier.size, root1: frontier.root, size2: UInt64(own.checkpoint.size), root2: own.checkpoint.root,
      proof: segment.index.proof)
    guard leadsThere else {
      faults.append(
        "the rows give the root \(frontier.root) at \(frontier.size) events, which the file's proof leads from neither "
          + "to the checkpoint of \(size) events nor to \(name): a row or the proof isn't what was written")
      return false
    }
    guard own.checkpoint.size != given.size else {
      faults.append("the rows lead to \(name), root \(own.checkpoint.root); the checkpoint given says \(root)")
      return false
    }
    if let consistency {
      // What the checkpoint that was given begins with is proved by it, whoever signed it.
      guard let fault = consistency.fault(between: own.checkpoint, and: given) else { return true }
      faults.append(fault)
      return false
    }
    if let fault = own.signatureFault {
      faults.append("\(name): \(fault)")
    } else if own.checkpoint.book != given.book {
      faults.append("\(name) is of another log, \(own.checkpoint.origin)")
    } else {
      self.own = SegmentOwnProof(
        size: UInt64(own.checkpoint.size), givenSize: size, isSignatureChecked: key != nil)
    }
    return false
  }

  // MARK: The index

  /// The rows are proved one by one; that the file is the one that was written, its hashes say.
  private mutating func checkHashes() throws {
    let start = segment.indexOffset + LZ4Frame.skippableHeader
    let end = segment.file.size - SegmentIndex.trailerLength
    if try segment.hash(0..<segment.indexOffset) != segment.index.framesHash {
      faults.append("the frames aren't what was written: their hash differs")
    }
    if try segment.hash(start..<end) != segment.file.read(end..<end + TreeHash.length) {
      faults.append("the index isn't what was written: its hash differs")
    }
    let head = LZ4Frame.skippableHead(count: segment.file.size - start)
    if try segment.file.read(segment.indexOffset..<start) != head {
      faults.append("the index's frame isn't one that the lz4 tool passes over")
    }
  }

  /// The tables of ids must be just what the rows say: a verification finds the past through them.
  private mutating func checkTables() throws(ArchiveFault) {
    tables.sort()
    for name in SegmentTableName.allCases {
      var first: SegmentEntry?
      let isInOrder = try segment.compare(tables.entries(of: name), with: name) { entry, _ in first = first ?? entry }
      if let first {
        faults.append("the table of \(name.rawValue) says otherwise than the rows, at id \(first.id)")
      } else if !isInOrder {
        faults.append("the table of \(name.rawValue) isn't in order")
      }
    }
  }
}
