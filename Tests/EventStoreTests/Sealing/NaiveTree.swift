import Crypto
import EventStore

/// RFC 6962, section 2.1, as it is written there: recursive, over all leaves at once, sharing nothing with the tree
/// under test.
enum NaiveTree {
  static func leaf(_ entry: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: [0] + entry)) }

  static func root(_ leaves: ArraySlice<[UInt8]>) -> [UInt8] {
    if leaves.isEmpty { return Array(SHA256.hash(data: [])) }
    if leaves.count == 1 { return leaves[leaves.startIndex] }
    let (left, right) = divide(leaves)
    return Array(SHA256.hash(data: [1] + root(left) + root(right)))
  }

  /// PATH(m, D[n]).
  static func path(_ m: Int, _ leaves: ArraySlice<[UInt8]>) -> [[UInt8]] {
    if leaves.count == 1 { return [] }
    let (left, right) = divide(leaves)
    return m < left.count ? path(m, left) + [root(right)] : path(m - left.count, right) + [root(left)]
  }

  /// SUBPROOF(m, D[n], b).
  static func subproof(_ m: Int, _ leaves: ArraySlice<[UInt8]>, _ complete: Bool = true) -> [[UInt8]] {
    if m == leaves.count { return complete ? [] : [root(leaves)] }
    let (left, right) = divide(leaves)
    return m <= left.count
      ? subproof(m, left, complete) + [root(right)] : subproof(m - left.count, right, false) + [root(left)]
  }

  private static func divide(_ leaves: ArraySlice<[UInt8]>) -> (ArraySlice<[UInt8]>, ArraySlice<[UInt8]>) {
    var half = 1
    while half * 2 < leaves.count { half *= 2 }
    return (leaves.prefix(half), leaves.dropFirst(half))
  }
}

/// A tree that is built leaf by leaf, and its tiles in memory.
struct GrownTree {
  private(set) var frontier = MerkleFrontier()
  private(set) var tiles: [TileID: [TreeHash]] = [:]
  private(set) var leaves: [TreeHash] = []

  init(_ leaves: [TreeHash] = []) {
    for leaf in leaves { append(leaf) }
  }

  mutating func append(_ leaf: TreeHash) {
    leaves.append(leaf)
    var completed: [(level: Int, node: TreeHash)] = []
    frontier.append(leaf) { completed.append(($0, $1)) }
    for (level, node) in completed where level.isMultiple(of: TileID.height) {
      let index = (frontier.size >> UInt64(level)) - 1
      tiles[TileID(level: level / TileID.height, index: index / 256), default: []].append(node)
    }
  }

  func hashes(_ plan: TreePlan) throws -> [TreeHash] { try plan.hashes(from: tiles) }
}
