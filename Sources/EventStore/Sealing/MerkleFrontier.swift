/// The right edge of a Merkle tree that only grows: what appending needs of everything that was appended before.
///
/// A tree of `size` leaves is a row of full subtrees, one for each bit of `size` that is set, the largest first. The
/// frontier is their roots. It is kept in `log_head` and is a few hundred bytes at a billion events.
public struct MerkleFrontier: Hashable, Sendable {
  /// Leaves.
  public private(set) var size: UInt64
  /// Of the full subtrees, the largest first.
  public private(set) var roots: [TreeHash]

  /// Of the empty tree.
  public init() {
    size = 0
    roots = []
  }

  /// - Returns: nil unless there is one root for each bit of `size` that is set.
  public init?(size: UInt64, roots: [TreeHash]) {
    guard roots.count == size.nonzeroBitCount else { return nil }
    self.size = size
    self.roots = roots
  }

  /// Appends a leaf.
  ///
  /// - Parameter completed: called with each node that is final with this leaf, the leaf itself at level 0 first, and
  ///   the level that it stands on: `level` l holds the roots of subtrees of 2^l leaves.
  public mutating func append(_ leaf: TreeHash, completed: (_ level: Int, _ node: TreeHash) -> Void = { _, _ in }) {
    completed(0, leaf)
    var node = leaf
    for level in 0..<size.trailingOnes {
      node = .node(roots.removeLast(), node)
      completed(level + 1, node)
    }
    roots.append(node)
    size += 1
  }

  /// The root of the whole tree.
  public var root: TreeHash { TreeHash.folding(roots) ?? .empty }

  // MARK: As bytes

  /// The size in 8 bytes, big-endian, and the roots; nothing for the empty tree.
  public var encoded: [UInt8] {
    if size == 0 { return [] }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + roots.count * TreeHash.length)
    withUnsafeBytes(of: size.bigEndian) { bytes.append(contentsOf: $0) }
    for root in roots { root.append(to: &bytes) }
    return bytes
  }

  /// Reads what `encoded` wrote.
  ///
  /// - Returns: nil for anything else, and for more leaves than a log has positions.
  public init?(encoded bytes: [UInt8]) {
    if bytes.isEmpty {
      self.init()
      return
    }
    guard bytes.count >= 8 else { return nil }
    let size = bytes[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard size > 0, Int64(exactly: size) != nil, let roots = [TreeHash](concatenated: bytes[8...]) else { return nil }
    self.init(size: size, roots: roots)
  }
}

extension TreeHash {
  /// The node above full subtrees that stand side by side, the largest first: how RFC 6962 makes one node of a range
  /// that isn't a power of two. Nil for none.
  static func folding(_ nodes: [TreeHash]) -> TreeHash? {
    guard var above = nodes.last else { return nil }
    for node in nodes.dropLast().reversed() { above = .node(node, above) }
    return above
  }
}

extension [TreeHash] {
  /// Hashes that were written one after the other; nil when the bytes aren't a whole number of them.
  init?(concatenated bytes: ArraySlice<UInt8>) {
    guard bytes.count.isMultiple(of: TreeHash.length) else { return nil }
    self = []
    reserveCapacity(bytes.count / TreeHash.length)
    for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: TreeHash.length) {
      guard let hash = TreeHash(bytes[start..<start + TreeHash.length]) else { return nil }
      append(hash)
    }
  }
}

extension UInt64 {
  /// How many of its lowest bits are set, up to the first that isn't.
  fileprivate var trailingOnes: Int { (~self).trailingZeroBitCount }
}
