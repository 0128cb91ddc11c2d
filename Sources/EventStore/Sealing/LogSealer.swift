/// Seals the log row by row: folds leaves into the tree and gathers what its tiles gain.
///
/// The writer seals each batch with one of these, begun at the head's frontier; an auditor begins at the empty tree and
/// compares roots. Either way the leaf is worked out from the very columns that are sent or were read.
public struct LogSealer: Sendable {
  /// The tree over everything sealed so far.
  public private(set) var frontier: MerkleFrontier
  private var hasher = LeafHasher()
  private var runs: [TileRun]

  /// - Parameters:
  ///   - frontier: of the log up to the row that comes first.
  ///   - gathersTiles: false for who only wants the root.
  public init(_ frontier: MerkleFrontier = MerkleFrontier(), gathersTiles: Bool = false) {
    self.frontier = frontier
    runs = []
    self.gathersTiles = gathersTiles
  }

  private let gathersTiles: Bool

  /// The root of the log up to the last row that was sealed.
  public var root: TreeHash { frontier.root }

  /// Seals the next row.
  ///
  /// - Returns: its leaf.
  @discardableResult
  public mutating func seal(_ row: LogRow) -> TreeHash {
    let leaf = hasher.hash(of: row)
    seal(leaf: leaf)
    return leaf
  }

  /// Seals the next row by a leaf that is known already: leaves can be worked out in parallel, the tree can't.
  public mutating func seal(leaf: TreeHash) {
    let size = frontier.size + 1
    guard gathersTiles else { return frontier.append(leaf) }
    frontier.append(leaf) { level, node in
      guard level.isMultiple(of: TileID.height) else { return }
      LogSealer.add(node, at: level, size: size, to: &runs)
    }
  }

  private static func add(_ node: TreeHash, at level: Int, size: UInt64, to runs: inout [TileRun]) {
    let number = size >> UInt64(level) - 1
    let tile = TileID(level: level / TileID.height, index: number / UInt64(TileID.width))
    // A level's newest run is among the last few: a batch begins some tiles of leaves and at most one above them.
    if let known = runs.lastIndex(where: { $0.tile == tile }) {
      node.append(to: &runs[known].hashes)
    } else {
      var run = TileRun(tile: tile, start: Int(number % UInt64(TileID.width)), hashes: [])
      node.append(to: &run.hashes)
      runs.append(run)
    }
  }

  /// What the tiles gained since this was last called.
  mutating func takeRuns() -> [TileRun] {
    defer { runs = [] }
    return runs
  }
}

/// Hashes that a tile gains.
struct TileRun: Hashable, Sendable {
  let tile: TileID
  /// Hashes that the tile has already.
  let start: Int
  /// 32 bytes each.
  var hashes: [UInt8]
}
