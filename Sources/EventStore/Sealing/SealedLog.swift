public import Ledger
public import Postgres

/// How far the log is sealed, as whoever asks may see it: committed, and to the last event.
public struct SealedHead: Hashable, Sendable {
  /// Nil before the book is opened.
  public var book: Identifier?
  public var incarnation: Int
  /// Events.
  public var size: Int64
  public var root: TreeHash

  public init(book: Identifier?, incarnation: Int, size: Int64, root: TreeHash) {
    self.book = book
    self.incarnation = incarnation
    self.size = size
    self.root = root
  }

  /// - Throws: `SealingFault.frontierBroken`; what the session throws.
  public static func read(_ session: Session) throws -> SealedHead {
    let rows = try session.execute(
      "select incarnation, frontier, coalesce((generations ->> 'book')::integer, 1) from log_head")
    guard let frontier = MerkleFrontier(encoded: try rows.bytes(0, 1)) else { throw SealingFault.frontierBroken }
    let generation = try rows.int4(0, 2)
    let book = try session.execute("select book_id from book\(generation == 1 ? "" : "_\(generation)")")
    return SealedHead(
      book: book.count == 0 ? nil : Identifier(halves: try book.uuid(0, 0)), incarnation: Int(try rows.int4(0, 0)),
      size: Int64(frontier.size), root: frontier.root)
  }

  /// How checkpoints of this log are signed; nil before the book is opened.
  public var origin: String? { book.map { Checkpoint.origin(book: $0, incarnation: incarnation) } }
}

/// That a position's event is in a tree, in the contract's terms.
public struct InclusionProof: Hashable, Sendable {
  public var position: Int64
  public var size: Int64
  public var leaf: TreeHash
  public var root: TreeHash
  public var hashes: [TreeHash]

  public init(position: Int64, size: Int64, leaf: TreeHash, root: TreeHash, hashes: [TreeHash]) {
    self.position = position
    self.size = size
    self.leaf = leaf
    self.root = root
    self.hashes = hashes
  }

  public var isValid: Bool {
    position > 0 && size > 0
      && MerkleProof.verifyInclusion(
        of: leaf, at: UInt64(position - 1), size: UInt64(size), root: root, proof: hashes)
  }
}

/// That a tree is the beginning of a larger one.
public struct ConsistencyProof: Hashable, Sendable {
  public var size1: Int64
  public var size2: Int64
  public var root1: TreeHash
  public var root2: TreeHash
  public var hashes: [TreeHash]

  public init(size1: Int64, size2: Int64, root1: TreeHash, root2: TreeHash, hashes: [TreeHash]) {
    self.size1 = size1
    self.size2 = size2
    self.root1 = root1
    self.root2 = root2
    self.hashes = hashes
  }

  public var isValid: Bool {
    size1 >= 0
      && MerkleProof.verifyConsistency(
        size1: UInt64(size1), root1: root1, size2: UInt64(max(size2, 0)), root2: root2, proof: hashes)
  }
}

/// The tree says something that doesn't fit together: somebody has changed its tiles past every trigger.
public struct BrokenTree: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}

/// Proofs, from any place that tiles come from. Each is checked before it is given out.
public enum SealedLog {
  public typealias TileReading = (_ tiles: [TileID]) throws -> [TileID: [TreeHash]]

  /// - Parameters:
  ///   - position: of the log, 1 to `size`.
  ///   - size: events, of which the tiles must hold all.
  /// - Throws: `TileFault`, `BrokenTree`; what `read` throws.
  public static func inclusion(of position: Int64, size: Int64, read: TileReading) throws -> InclusionProof {
    let index = UInt64(position - 1)
    let plan = TreePlan.inclusion(index: index, size: UInt64(size))
      .with(TreePlan([[TreeNode(level: 0, index: index)]])).with(.root(size: UInt64(size)))
    var hashes = try plan.hashes(from: read(plan.tiles))
    let root = hashes.removeLast()
    let leaf = hashes.removeLast()
    let proof = InclusionProof(position: position, size: size, leaf: leaf, root: root, hashes: hashes)
    guard proof.isValid else { throw BrokenTree("event \(position) isn't in the tree of \(size)") }
    return proof
  }

  /// - Parameters:
  ///   - size1: events, 0 to `size2`.
  ///   - size2: events, of which the tiles must hold all.
  /// - Throws: `TileFault`, `BrokenTree`; what `read` throws.
  public static func consistency(from size1: Int64, to size2: Int64, read: TileReading) throws -> ConsistencyProof {
    let roots = [size1, size2].map { $0 == 0 ? TreePlan() : TreePlan.root(size: UInt64($0)) }
    let steps =
      size1 == 0 ? TreePlan() : TreePlan.consistency(size1: UInt64(size1), size2: UInt64(size2))
    let plan = steps.with(roots[0]).with(roots[1])
    var hashes = try plan.hashes(from: read(plan.tiles))
    let root2 = size2 == 0 ? TreeHash.empty : hashes.removeLast()
    let root1 = size1 == 0 ? TreeHash.empty : hashes.removeLast()
    let proof = ConsistencyProof(size1: size1, size2: size2, root1: root1, root2: root2, hashes: hashes)
    guard proof.isValid else {
      throw BrokenTree("the tree of \(size2) doesn't begin with the tree of \(size1)")
    }
    return proof
  }
}
