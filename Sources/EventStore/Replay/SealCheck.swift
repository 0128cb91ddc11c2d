import Ledger

/// Folds every row's leaf to the tree and holds it against everything that was said of it: the tiles, every signed
/// checkpoint, the head's frontier.
///
/// A row that was altered shows in its tile, where it stands. Where the tile was altered with it, the next checkpoint
/// shows it; and a checkpoint that was altered shows by its signature, or to whoever kept an older one.
struct SealCheck: Sendable {
  private(set) var checkpoints: CheckpointCheck
  /// Nodes above the leaves that have still to be looked for in their tiles.
  private(set) var nodes: [SealedNode] = []

  private var frontier = MerkleFrontier()
  /// Those that the auditor brought, by size.
  private var given: ArraySlice<GivenCheckpoint>

  init(checkpoints: CheckpointCheck, given: [GivenCheckpoint]) {
    self.checkpoints = checkpoints
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
        checkpoints.hold(next, against: frontier, &differences)
      }
      while let next = given.first, next.checkpoint.size <= Int64(frontier.size) {
        given.removeFirst()
        checkpoints.hold(next, against: frontier, &differences)
      }
    }
    // Rows are missing: the tree doesn't reach as far as was signed.
    for next in stored { checkpoints.hold(next, against: frontier, &differences) }
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
    differences.compare(position, "leaf", expected: node.hash(in: tiles), found: prepared.leaf) { hash in
      hash?.description ?? "no leaf: tile \(node.tile.index) ends before it"
    }
  }

  /// Holds the nodes above the leaves against their tiles.
  ///
  /// - Parameter tiles: nil where there are none.
  mutating func compareNodes(_ tiles: [TileID: [TreeHash]]?, _ differences: inout LogDifferences) {
    for node in nodes {
      guard let tiles else { break }
      differences.compare(
        0, "tile \(node.tile.index) of level \(node.level), node \(node.number)", expected: node.hash,
        found: node.hash(in: tiles)
      ) { hash in hash?.description ?? "nothing" }
    }
    nodes = []
  }

  /// Every level has the tiles that a tree of the head's size has, and no more bytes than those. Nodes are compared one
  /// by one elsewhere.
  private func compareTiles(_ extent: LogExtent, _ differences: inout LogDifferences) {
    guard let tiles = extent.tiles, let frontier = extent.frontier.flatMap(MerkleFrontier.init(encoded:)) else {
      return
    }
    for level in Set(tiles.keys).union(0..<8).sorted() {
      differences.compare(
        0, "tiles of level \(level)", expected: TileLevel.expected(level: level, size: frontier.size),
        found: tiles[level]
      ) { counted in
        counted.map { "\($0.tiles), the last \($0.last), \($0.bytes) bytes in all" } ?? "none"
      }
    }
  }

  // MARK: The end

  mutating func finish(_ extent: LogExtent, _ differences: inout LogDifferences) {
    checkpoints.finish(extent, given: given, frontier, &differences)
    given = []
    compareTiles(extent, &differences)
    guard let sealed = extent.frontier else { return }
    guard let frontier = MerkleFrontier(encoded: sealed) else {
      return differences.add(0, "log_head.frontier", expected: "a tree's edge", found: "\(sealed.count) other bytes")
    }
    differences.compare(
      0, "log_head.frontier", expected: "\(self.frontier.size) events, root \(self.frontier.root)",
      found: "\(frontier.size) events, root \(frontier.root)")
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
