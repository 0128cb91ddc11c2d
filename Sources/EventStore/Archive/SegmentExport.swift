public import Postgres

/// Exports a range of the log as segments.
///
/// Reads in short statements beside a bank that is open. Each segment is held against a signed checkpoint while it is
/// written: what isn't what was signed isn't archived.
public struct SegmentExport: Sendable {
  /// What a segment's name ends with.
  public static let nameEnd = ".kauri.lz4"
  /// Segments are cut at multiples of this many positions.
  public static let segmentSize: Int64 = 1_000_000

  /// A segment that was written.
  public struct Written: Hashable, Sendable {
    public var path: String
    public var positions: ClosedRange<Int64>
    /// Of the checkpoint that it is proved against, in events.
    public var checkpointSize: UInt64
    /// The same file was there already.
    public var wasThere: Bool
  }

  private let pool: Pool
  private let folder: String
  private let segmentSize: Int64

  /// - Parameter folder: must be there.
  public init(pool: Pool, folder: String) {
    self.init(pool: pool, folder: folder, segmentSize: SegmentExport.segmentSize)
  }

  package init(pool: Pool, folder: String, segmentSize: Int64) {
    self.pool = pool
    self.folder = folder
    self.segmentSize = segmentSize
  }

  /// Writes the segments of a range.
  ///
  /// - Parameters:
  ///   - checkpoint: gives the checkpoint to prove a segment against that ends with a position.
  ///   - progress: how many rows have been written.
  /// - Throws: `ArchiveFault`; what the database and `checkpoint` throw.
  public func run(
    _ range: ClosedRange<Int64>, checkpoint: @Sendable (_ last: Int64) async throws -> ExportCheckpoint,
    progress: @Sendable (Int64) -> Void = { _ in }
  ) async throws -> [Written] {
    var written: [Written] = []
    var first = range.lowerBound
    while first <= range.upperBound {
      let last = min(range.upperBound, (first - 1) / segmentSize * segmentSize + segmentSize)
      let done = first - range.lowerBound
      written.append(try await write(first...last, try await checkpoint(last)) { progress(done + $0) })
      first = last + 1
    }
    return written
  }

  private func write(
    _ positions: ClosedRange<Int64>, _ checkpoint: ExportCheckpoint, progress: (Int64) -> Void
  ) async throws -> Written {
    let path = "\(folder)/\(SegmentExport.name(of: positions))"
    guard checkpoint.size >= UInt64(positions.upperBound) else {
      throw ArchiveFault(
        path: path, reason: "the checkpoint covers \(checkpoint.size) events, and so not event \(positions.upperBound)")
    }
    let last = UInt64(positions.upperBound)
    let (before, proof) = try await tree(before: UInt64(positions.lowerBound - 1), from: last, to: checkpoint.size)
    var writer = try SegmentWriter(path: path, first: positions.lowerBound, before: before)
    let page: Int64 = 4_096
    while writer.last < positions.upperBound {
      let range = writer.last + 1...min(positions.upperBound, writer.last + page)
      let rows = try await DatabaseLog(pool: pool, keyring: nil).bareRows(range)
      for row in rows { try writer.append(row) }
      guard writer.last == range.upperBound else {
        throw ArchiveFault(path: path, reason: "event \(writer.last + 1) isn't in the log")
      }
      progress(writer.last - positions.lowerBound + 1)
    }
    let root = writer.frontier.root
    guard
      MerkleProof.verifyConsistency(
        size1: last, root1: root, size2: checkpoint.size, root2: checkpoint.root, proof: proof)
    else {
      throw ArchiveFault(
        path: path,
        reason:
          "events \(positions.lowerBound) to \(positions.upperBound) aren't what was signed at \(checkpoint.size) "
          + "events: nothing was archived; kauri replay verify says where")
    }
    let wasThere = try writer.finish(checkpoint: checkpoint.note, proof: proof)
    return Written(path: path, positions: positions, checkpointSize: checkpoint.size, wasThere: wasThere)
  }

  /// The frontier of the tree that the segment follows on, and the proof from its end to the checkpoint.
  private func tree(
    before size: UInt64, from last: UInt64, to checkpoint: UInt64
  ) async throws -> (MerkleFrontier, [TreeHash]) {
    let roots = size == 0 ? [] : TreePlan.root(size: size).wanted[0].map { [$0] }
    let own = TreePlan(roots)
    let proof = last == checkpoint ? TreePlan() : TreePlan.consistency(size1: last, size2: checkpoint)
    let plan = own.with(proof)
    let tiles = try await pool.run { session in try TileTable.read(plan.tiles, session) }
    let hashes = try plan.hashes(from: tiles)
    guard let before = MerkleFrontier(size: size, roots: Array(hashes[..<roots.count])) else {
      throw ArchiveFault(path: folder, reason: "the tree over the first \(size) events isn't whole")
    }
    return (before, Array(hashes[roots.count...]))
  }

  /// The first checkpoint that covers a position and that the log still goes on from: the same one whenever it is asked
  /// for.
  ///
  /// - Throws: `ArchiveFault` while nothing was signed that covers it.
  public static func firstCheckpoint(covering position: Int64, _ session: Session) throws -> ExportCheckpoint {
    let rows = try session.execute(
      """
      select c.note from log_head h cross join generate_series(1, h.incarnation) as n (number)
      cross join lateral (select note from checkpoints where incarnation = n.number and size >= $1 and size <= coalesce(
          (select min(begins_after) from incarnations i where i.incarnation > n.number), h.position)
        order by size limit 1) as c
      order by n.number limit 1
      """, [.int8(position)])
    guard rows.count > 0 else {
      throw ArchiveFault(
        path: "event \(position)", reason: "no signed checkpoint covers it yet: a running server signs them")
    }
    return try ExportCheckpoint(note: rows.text(0, 0))
  }

  static func name(of positions: ClosedRange<Int64>) -> String {
    "\(digits(positions.lowerBound))-\(digits(positions.upperBound))\(nameEnd)"
  }

  private static func digits(_ position: Int64) -> String {
    let text = String(position)
    return String(repeating: "0", count: max(0, 12 - text.count)) + text
  }
}

/// A signed checkpoint that a segment is proved against.
public struct ExportCheckpoint: Hashable, Sendable {
  /// The signed note, as it was stored.
  public let note: String
  /// Of its tree, in events.
  public let size: UInt64
  public let root: TreeHash

  /// - Throws: `CheckpointFault` for what isn't a checkpoint. Its signature isn't looked at.
  public init(note: String) throws(CheckpointFault) {
    guard let checkpoint = Checkpoint(text: try SignedNote(parsing: note).text) else {
      throw .malformed("its text isn't an origin, a size and a root")
    }
    self.note = note
    size = UInt64(checkpoint.size)
    root = checkpoint.root
  }
}
