import EventStore
import Testing

@Suite struct MerkleTreeTests {
  private static func leaves(_ count: Int, seed: UInt64 = Seed.value) -> [TreeHash] {
    var generator = SplitMix(state: seed)
    return (0..<count).map { _ in
      TreeHash.leaf(
        (0..<Int.random(in: 0...80, using: &generator)).map { _ in .random(in: 0...255, using: &generator) })
    }
  }

  @Test func emptyTreeLeavesAndNodesAreThoseOfRFC6962() throws {
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    #expect(MerkleFrontier().root.description == nothing && TreeHash.empty.description == nothing)
    // printf '\x00' | sha256sum
    let leaf = TreeHash.leaf([])
    #expect(leaf.description == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
    #expect(leaf.bytes == NaiveTree.leaf([]))
    #expect(TreeHash.node(leaf, leaf).bytes == NaiveTree.root([leaf.bytes, leaf.bytes]))
  }

  @Test func rootsAreTheNaiveTreesAtEverySize() throws {
    let leaves = Self.leaves(300)
    let bytes = leaves.map(\.bytes)
    var tree = GrownTree()
    for size in 0..<leaves.count {
      #expect(tree.frontier.root.bytes == NaiveTree.root(bytes.prefix(size)), "size \(size)")
      tree.append(leaves[size])
    }
    // Whatever the tree has grown to, the root of each earlier size comes from its tiles.
    for size in 1...leaves.count {
      #expect(try tree.hashes(.root(size: UInt64(size))).map(\.bytes) == [NaiveTree.root(bytes.prefix(size))])
    }
  }

  @Test func inclusionProofsAreTheNaiveTreesForEveryLeafAndSize() throws {
    let leaves = Self.leaves(70)
    let bytes = leaves.map(\.bytes)
    let tree = GrownTree(leaves)
    for size in 1...leaves.count {
      let root = try tree.hashes(.root(size: UInt64(size)))[0]
      for index in 0..<size {
        let proof = try tree.hashes(.inclusion(index: UInt64(index), size: UInt64(size)))
        #expect(proof.map(\.bytes) == NaiveTree.path(index, bytes.prefix(size)))
        #expect(
          MerkleProof.verifyInclusion(
            of: leaves[index], at: UInt64(index), size: UInt64(size), root: root, proof: proof))
      }
    }
  }

  @Test func consistencyProofsAreTheNaiveTreesForEveryTwoSizes() throws {
    let leaves = Self.leaves(70)
    let bytes = leaves.map(\.bytes)
    let tree = GrownTree(leaves)
    for size2 in 1...leaves.count {
      let root2 = try tree.hashes(.root(size: UInt64(size2)))[0]
      for size1 in 1...size2 {
        let root1 = try tree.hashes(.root(size: UInt64(size1)))[0]
        let proof = try tree.hashes(.consistency(size1: UInt64(size1), size2: UInt64(size2)))
        #expect(proof.map(\.bytes) == NaiveTree.subproof(size1, bytes.prefix(size2)))
        #expect(
          MerkleProof.verifyConsistency(
            size1: UInt64(size1), root1: root1, size2: UInt64(size2), root2: root2, proof: proof))
      }
      #expect(MerkleProof.verifyConsistency(size1: 0, root1: .empty, size2: UInt64(size2), root2: root2, proof: []))
      #expect(
        !MerkleProof.verifyConsistency(size1: 0, root1: .empty, size2: UInt64(size2), root2: root2, proof: [root2]))
    }
  }

  /// Random sizes over several levels of tiles.
  @Test func largeTreesAreTheNaiveTrees() throws {
    var generator = Seed.generator()
    let leaves = Self.leaves(66_000)
    let bytes = leaves.map(\.bytes)
    let tree = GrownTree(leaves)
    #expect(tree.tiles.keys.map(\.level).max() == 2)
    for _ in 0..<2 {
      let size = Int.random(in: 65_536...leaves.count, using: &generator)
      let index = Int.random(in: 0..<size, using: &generator)
      let smaller = Int.random(in: 1...size, using: &generator)
      let plan = TreePlan.inclusion(index: UInt64(index), size: UInt64(size)).with(.root(size: UInt64(size)))
      let hashes = try tree.hashes(plan)
      #expect(hashes.last?.bytes == NaiveTree.root(bytes.prefix(size)))
      #expect(hashes.dropLast().map(\.bytes) == NaiveTree.path(index, bytes.prefix(size)))
      let consistency = try tree.hashes(.consistency(size1: UInt64(smaller), size2: UInt64(size)))
      #expect(consistency.map(\.bytes) == NaiveTree.subproof(smaller, bytes.prefix(size)))
    }
  }

  @Test func anyBitChangedAnyHashLeftOutOrAddedIsRefused() throws {
    var generator = Seed.generator()
    let leaves = Self.leaves(40)
    let tree = GrownTree(leaves)
    for _ in 0..<40 {
      let size = UInt64.random(in: 2...40, using: &generator)
      let index = UInt64.random(in: 0..<size, using: &generator)
      let proof = try tree.hashes(.inclusion(index: index, size: size))
      let root = try tree.hashes(.root(size: size))[0]
      let leaf = leaves[Int(index)]
      func isRefused(
        _ leaf: TreeHash, _ index: UInt64, _ root: TreeHash, _ proof: [TreeHash]
      ) -> Bool {
        !MerkleProof.verifyInclusion(of: leaf, at: index, size: size, root: root, proof: proof)
      }
      #expect(!isRefused(leaf, index, root, proof))
      #expect(isRefused(flipped(leaf, &generator), index, root, proof))
      #expect(isRefused(leaf, index, flipped(root, &generator), proof))
      for place in proof.indices {
        var broken = proof
        broken[place] = flipped(broken[place], &generator)
        #expect(isRefused(leaf, index, root, broken))
        broken = proof
        broken.remove(at: place)
        #expect(isRefused(leaf, index, root, broken))
        broken = proof
        broken.insert(proof[place], at: place)
        #expect(isRefused(leaf, index, root, broken))
      }
      for other in 0..<size where other != index { #expect(isRefused(leaf, other, root, proof)) }
      #expect(isRefused(leaf, index + size, root, proof))
    }
  }

  private func flipped(_ hash: TreeHash, _ generator: inout SplitMix) -> TreeHash {
    var bytes = hash.bytes
    bytes[Int.random(in: 0..<32, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    return TreeHash(bytes) ?? hash
  }

  @Test func frontiersGoThroughBytesAndBack() throws {
    var frontier = MerkleFrontier()
    #expect(frontier.encoded.isEmpty && MerkleFrontier(encoded: []) == frontier)
    for leaf in Self.leaves(70) {
      frontier.append(leaf)
      #expect(frontier.encoded.count == 8 + 32 * frontier.size.nonzeroBitCount)
      #expect(MerkleFrontier(encoded: frontier.encoded) == frontier)
    }
    let bytes = frontier.encoded
    #expect(MerkleFrontier(encoded: Array(bytes.dropLast())) == nil)
    #expect(MerkleFrontier(encoded: Array(bytes.dropLast(32))) == nil)
    #expect(MerkleFrontier(encoded: bytes + bytes.suffix(32)) == nil)
    #expect(MerkleFrontier(encoded: [UInt8](repeating: 0, count: 8)) == nil, "the empty one has one form only")
    #expect(MerkleFrontier(size: 3, roots: [.empty]) == nil)
  }

  /// At a billion events and beyond, a proof reads some ten tiles, whatever it proves.
  @Test func proofsReadFewTiles() throws {
    var generator = Seed.generator()
    var most = 0
    for _ in 0..<3_000 {
      let size = UInt64.random(in: 900_000_000...4_000_000_000, using: &generator)
      let index = UInt64.random(in: 0..<size, using: &generator)
      let smaller = UInt64.random(in: 1...size, using: &generator)
      let inclusion = TreePlan.inclusion(index: index, size: size).with(.root(size: size)).tiles
      let consistency = TreePlan.consistency(size1: smaller, size2: size)
        .with(.root(size: smaller)).with(.root(size: size)).tiles
      #expect(Set(inclusion).count == inclusion.count)
      #expect(inclusion.count <= 8 && consistency.count <= 12)
      most = max(most, inclusion.count, consistency.count)
    }
    #expect(most > 4, "the plans are those of large trees")
  }

  @Test func aTileThatLacksAHashIsNamed() throws {
    let tree = GrownTree(Self.leaves(300))
    let plan = TreePlan.inclusion(index: 290, size: 300)
    #expect(plan.tiles == [TileID(level: 0, index: 1), TileID(level: 1, index: 0)])
    var tiles = tree.tiles
    tiles[TileID(level: 0, index: 1)]?.removeLast()
    #expect(throws: TileFault(tile: TileID(level: 0, index: 1))) { try plan.hashes(from: tiles) }
    tiles[TileID(level: 1, index: 0)] = nil
    #expect(throws: TileFault.self) { try plan.hashes(from: tiles) }
  }
}
