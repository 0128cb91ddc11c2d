/// Where a full subtree stands: the root of the 2^`level` leaves from `index` · 2^`level` on.
public struct TreeNode: Hashable, Sendable {
  public var level: Int
  /// From 0.
  public var index: UInt64

  public init(level: Int, index: UInt64) {
    self.level = level
    self.index = index
  }
}

/// Names a tile. A tile of level t holds up to 256 neighbouring nodes of the tree's level 8 · t; the nodes in between
/// are folded from them when somebody asks.
public struct TileID: Hashable, Sendable {
  /// Levels of the tree that a tile spans.
  public static let height = 8
  /// Hashes in a full tile.
  public static let width = 256

  public var level: Int
  /// From 0.
  public var index: UInt64

  public init(level: Int, index: UInt64) {
    self.level = level
    self.index = index
  }
}

extension TreeNode {
  /// The tile that the node is folded from.
  public var tile: TileID {
    TileID(level: level / TileID.height, index: index >> UInt64(TileID.height - level % TileID.height))
  }

  /// Which of the tile's hashes.
  var slots: Range<Int> {
    let count = 1 << (level % TileID.height)
    let first = Int(index << UInt64(level % TileID.height) & UInt64(TileID.width - 1))
    return first..<first + count
  }
}

/// A tile that should hold a hash and doesn't: the tree in the database isn't whole.
public struct TileFault: Error, Hashable, Sendable, CustomStringConvertible {
  public let tile: TileID

  public init(tile: TileID) {
    self.tile = tile
  }

  public var description: String { "tile \(tile.index) of level \(tile.level) is missing or too short" }
}

/// What has to be worked out of a tree for a root or a proof: for each hash wanted the full subtrees that it is folded
/// from, the largest first. Which tiles that takes is known before any is read.
public struct TreePlan: Hashable, Sendable {
  public private(set) var wanted: [[TreeNode]]

  public init(_ wanted: [[TreeNode]] = []) {
    self.wanted = wanted
  }

  /// One hash: the root of the tree of the first `size` leaves, which isn't empty.
  public static func root(size: UInt64) -> TreePlan {
    TreePlan([cover(0..<size)])
  }

  /// The proof that the tree of `size` leaves has the one at `index`, from 0 (RFC 6962, section 2.1.1).
  public static func inclusion(index: UInt64, size: UInt64) -> TreePlan {
    var siblings: [[TreeNode]] = []
    var range = 0..<size
    while range.upperBound - range.lowerBound > 1 {
      let middle = range.lowerBound + split(range)
      if index < middle {
        siblings.append(cover(middle..<range.upperBound))
        range = range.lowerBound..<middle
      } else {
        siblings.append(cover(range.lowerBound..<middle))
        range = middle..<range.upperBound
      }
    }
    return TreePlan(siblings.reversed())
  }

  /// The proof that the tree of `size2` leaves begins with the tree of `size1` (RFC 6962, section 2.1.2). Neither is
  /// empty, and `size1` isn't the larger.
  public static func consistency(size1: UInt64, size2: UInt64) -> TreePlan {
    var siblings: [[TreeNode]] = []
    var range = 0..<size2
    while range.upperBound != size1 {
      let middle = range.lowerBound + split(range)
      if size1 <= middle {
        siblings.append(cover(middle..<range.upperBound))
        range = range.lowerBound..<middle
      } else {
        siblings.append(cover(range.lowerBound..<middle))
        range = middle..<range.upperBound
      }
    }
    // Where the whole of the smaller tree is a subtree of the larger, who checks has its root already.
    if range.lowerBound != 0 { siblings.append(cover(range)) }
    return TreePlan(siblings.reversed())
  }

  /// The tiles that are needed, each once, in order.
  public var tiles: [TileID] {
    Set(wanted.joined().map(\.tile)).sorted { ($0.level, $0.index) < ($1.level, $1.index) }
  }

  /// Works the hashes out.
  ///
  /// - Parameter tiles: those that `tiles` names, each with at least the hashes that the tree of that size has.
  /// - Throws: `TileFault` for the first that lacks one.
  public func hashes(from tiles: [TileID: [TreeHash]]) throws(TileFault) -> [TreeHash] {
    var hashes: [TreeHash] = []
    hashes.reserveCapacity(wanted.count)
    for nodes in wanted {
      var parts: [TreeHash] = []
      for node in nodes {
        guard let tile = tiles[node.tile], tile.count >= node.slots.upperBound else { throw TileFault(tile: node.tile) }
        parts.append(TreePlan.foldFull(tile[node.slots]))
      }
      hashes.append(TreeHash.folding(parts) ?? .empty)
    }
    return hashes
  }

  /// How many of a range's leaves are left of where RFC 6962 divides it: the largest power of two below their number.
  private static func split(_ range: Range<UInt64>) -> UInt64 {
    let count = range.upperBound - range.lowerBound
    return 1 << UInt64(63 - (count - 1).leadingZeroBitCount)
  }

  /// The full subtrees that a range is made of, the largest first. It begins where the first of them may.
  private static func cover(_ range: Range<UInt64>) -> [TreeNode] {
    var nodes: [TreeNode] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let level = 63 - (range.upperBound - start).leadingZeroBitCount
      nodes.append(TreeNode(level: level, index: start >> UInt64(level)))
      start += 1 << UInt64(level)
    }
    return nodes
  }

  /// The root of a power of two of neighbours.
  private static func foldFull(_ hashes: ArraySlice<TreeHash>) -> TreeHash {
    guard hashes.count > 1 else { return hashes[hashes.startIndex] }
    let middle = hashes.startIndex + hashes.count / 2
    return .node(foldFull(hashes[..<middle]), foldFull(hashes[middle...]))
  }
}

extension TreePlan {
  /// Both, so that one read of tiles serves them: the hashes of `other` come after this plan's own.
  public func with(_ other: TreePlan) -> TreePlan {
    TreePlan(wanted + other.wanted)
  }
}
