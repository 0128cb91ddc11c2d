import Ledger

/// Folds every row's leaf to the tree and holds it against everything that was said of it: the tiles, every signed
/// checkpoint, the head's frontier.
///
/// A row that was altered shows in its tile, where it stands. Where the tile was altered with it, the next checkpoint
/// shows it; and a checkpoint that was altered shows by its signature, or to whoever kept an older one.
struct SealCheck: Sendable {
  /// Checkpoints whose root is the tree's, and of these those whose signature was looked at.
  private(set) var checkpoints = 0
  private(set) var signatures = 0
  /// Nodes above the leaves that have still to be looked for in their tiles.
  private(set) var nodes: [SealedNode] = []

  private var frontier = MerkleFrontier()
  /// After which event each later incarnation began.
  private let histories: [Int: Int64]
  private let key: CheckpointPublicKey?
  /// Those that the auditor brought, by size.
  private var given: ArraySlice<GivenCheckpoint>
  /// Incarnations whose checkpoints no longer agree: one difference says it.
  private var parted: Set<Int> = []
  /// By incarnation, how many events were kept of it and how many were signed.
  private var lostThrough: [Int: (kept: Int64, signed: Int64)] = [:]

  init(histories: [Int: Int64], key: CheckpointPublicKey?, given: [GivenCheckpoint]) {
    self.histories = histories
    self.key = key
    self.given = given.sorted { $0.checkpoint.size < $1.checkpoint.size }[...]
  }

  /// The next rows, with the checkpoints and the tiles of their positions.
  mutating func take(_ page: PreparedPage, _ differences: inout LogDifferences) {
    var stored = page.seal.checkpoints[...]
    for prepared in page.rows {
      compareLeaf(prepared, page.seal.tiles, &differences)
      append(prepared.leaf)
      while let next = stored.first, next.checkpoint.size <= Int64(frontier.size) {
        stored.removeFirst()
        compare(next, &differences)
      }
      while let next = given.first, next.checkpoint.size <= Int64(frontier.size) {
        given.removeFirst()
        compare(next, &differences)
      }
    }
    // Rows are missing: the tree doesn't reach as far as was signed.
    for next in stored { compare(next, &differences) }
  }

  private mutating func append(_ leaf: TreeHash) {
    let size = frontier.size + 1
    var completed: [SealedNode] = []
    frontier.append(leaf) { level, node in
      guard level > 0, level.isMultiple(of: TileID.height) else { return }
      let number = size >> UInt64(level) - 1
      completed.append(SealedNode(level: level / TileID.height, number: number, hash: node))
    }
    nodes += completed
  }

  // MARK: Tiles

  private func compareLeaf(
    _ prepared: PreparedRow, _ tiles: [TileID: [TreeHash]]?, _ differences: inout LogDifferences
  ) {
    let position = prepared.row.position
    guard let tiles, position > 0 else { return }
    let node = SealedNode(level: 0, number: UInt64(position - 1), hash: prepared.leaf)
    differences.compare(
      position, "leaf",
      expected: node.hash(in: tiles)?.description ?? "no leaf: tile \(node.tile.index) ends before it",
      found: prepared.leaf.description)
  }

  /// Holds the nodes above the leaves against their tiles.
  ///
  /// - Parameter tiles: nil where there are none.
  mutating func compareNodes(_ tiles: [TileID: [TreeHash]]?, _ differences: inout LogDifferences) {
    for node in nodes {
      guard let tiles else { break }
      differences.compare(
        0, "tile \(node.tile.index) of level \(node.level), node \(node.number)",
        expected: node.hash.description, found: node.hash(in: tiles)?.description ?? "nothing")
    }
    nodes = []
  }

  // MARK: Checkpoints

  private mutating func compare(_ signed: GivenCheckpoint, _ differences: inout LogDifferences) {
    let size = signed.checkpoint.size
    let field = "\(signed.name) of \(size) events"
    checkSignature(signed, field, &differences)
    if let kept = kept(of: signed), size > kept { return lost(signed, kept, field, &differences) }
    guard size == Int64(frontier.size), frontier.root == signed.checkpoint.root else {
      // What comes after one that differs differs too; what an auditor brought is said for each.
      if let stored = signed.incarnation, !parted.insert(stored).inserted { return }
      return differences.add(
        min(size, Int64(frontier.size)), field, expected: "root \(signed.checkpoint.root)",
        found: "root \(frontier.root) of \(frontier.size) events")
    }
    checkpoints += 1
  }

  /// How many events were kept of the history that a checkpoint is of; nil for the history that goes on.
  private func kept(of signed: GivenCheckpoint) -> Int64? {
    guard let number = signed.incarnation ?? signed.checkpoint.incarnation else { return nil }
    return histories.filter { $0.key > number }.values.min()
  }

  /// A restore or a failover began another history: what the earlier one had signed beyond that is lost. The log's own
  /// tables say so themselves; to an auditor's checkpoint it is a difference.
  private mutating func lost(
    _ signed: GivenCheckpoint, _ kept: Int64, _ field: String, _ differences: inout LogDifferences
  ) {
    guard let stored = signed.incarnation else {
      return differences.add(
        kept + 1, field, expected: "events \(kept + 1) to \(signed.checkpoint.size), which were signed",
        found: "nothing: a new incarnation began after event \(kept)")
    }
    lostThrough[stored] = (kept, max(lostThrough[stored]?.1 ?? 0, signed.checkpoint.size))
  }

  /// What is said of histories that this log doesn't go on with.
  var notes: [String] {
    lostThrough.sorted { $0.key < $1.key }.map { number, lost in
      "events \(lost.kept + 1) to \(lost.signed) of incarnation \(number) were signed and are lost: it ended with event "
        + "\(lost.kept)"
    }
  }

  private mutating func checkSignature(
    _ signed: GivenCheckpoint, _ field: String, _ differences: inout LogDifferences
  ) {
    if let fault = signed.fault {
      differences.add(0, field, expected: "a note that says what its row says", found: fault)
    }
    guard key != nil, let signature = signed.signature else { return }
    switch signature {
    case .success: signatures += 1
    case .failure(let fault): differences.add(0, "\(field): signature", expected: "one by the key", found: "\(fault)")
    }
  }

  // MARK: The end

  mutating func finish(_ extent: LogExtent, _ differences: inout LogDifferences) {
    for stored in extent.signedBeyond { missing(GivenCheckpoint(stored, key: key), &differences) }
    for signed in given { missing(signed, &differences) }
    given = []
    if let end = extent.end { compare(end, &differences) }
    guard let sealed = extent.frontier else { return }
    guard let frontier = MerkleFrontier(encoded: sealed) else {
      return differences.add(0, "log_head.frontier", expected: "a tree's edge", found: "\(sealed.count) other bytes")
    }
    differences.compare(
      0, "log_head.frontier", expected: "\(self.frontier.size) events, root \(self.frontier.root)",
      found: "\(frontier.size) events, root \(frontier.root)")
  }

  private mutating func missing(_ signed: GivenCheckpoint, _ differences: inout LogDifferences) {
    let size = signed.checkpoint.size
    let field = "\(signed.name) of \(size) events"
    checkSignature(signed, field, &differences)
    if let kept = kept(of: signed), size > kept { return lost(signed, kept, field, &differences) }
    if let stored = signed.incarnation, !parted.insert(stored).inserted { return }
    let last = Int64(frontier.size)
    differences.add(
      last + 1, field, expected: "events \(last + 1) to \(size), which were signed",
      found: "nothing: the log ends with event \(last)")
  }

  /// A segment's own proof that its end leads to a checkpoint.
  private mutating func compare(_ end: SegmentProof, _ differences: inout LogDifferences) {
    let signed: GivenCheckpoint
    do throws(CheckpointFault) {
      signed = try GivenCheckpoint(note: end.note, name: "checkpoint in \(end.name)", key: key)
    } catch {
      return differences.add(0, "checkpoint in \(end.name)", expected: "a signed note", found: error.description)
    }
    let field = "\(signed.name) of \(signed.checkpoint.size) events"
    checkSignature(signed, field, &differences)
    let isProven = MerkleProof.verifyConsistency(
      size1: frontier.size, root1: frontier.root, size2: UInt64(signed.checkpoint.size),
      root2: signed.checkpoint.root, proof: end.hashes)
    if isProven {
      checkpoints += 1
    } else {
      differences.add(
        Int64(frontier.size), field, expected: "root \(signed.checkpoint.root)",
        found: "root \(frontier.root) of \(frontier.size) events, which doesn't lead there")
    }
  }
}

/// A node of the tree that a tile holds.
struct SealedNode: Hashable, Sendable {
  /// The tile's level.
  var level: Int
  /// Along the level, from 0.
  var number: UInt64
  var hash: TreeHash

  var tile: TileID { TileID(level: level, index: number / UInt64(TileID.width)) }

  func hash(in tiles: [TileID: [TreeHash]]) -> TreeHash? {
    let slot = Int(number % UInt64(TileID.width))
    guard let hashes = tiles[tile], slot < hashes.count else { return nil }
    return hashes[slot]
  }
}
