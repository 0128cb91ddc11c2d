/// Checks proofs about Merkle trees of RFC 6962, by the algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2. Pure:
/// whoever checks needs a proof, the roots, and nothing of Kauri.
public enum MerkleProof {
  /// Whether the tree of `size` leaves with this root has `leaf` at `index`, from 0.
  public static func verifyInclusion(
    of leaf: TreeHash, at index: UInt64, size: UInt64, root: TreeHash, proof: [TreeHash]
  ) -> Bool {
    guard index < size else { return false }
    var place = index
    var last = size - 1
    var node = leaf
    for sibling in proof {
      if last == 0 { return false }
      if place & 1 == 1 || place == last {
        node = .node(sibling, node)
        skipMissingLevels(&place, &last)
      } else {
        node = .node(node, sibling)
      }
      place >>= 1
      last >>= 1
    }
    return last == 0 && node == root
  }

  /// Whether the tree of `size2` leaves with `root2` begins with the tree of `size1` leaves with `root1`. The empty
  /// tree is the beginning of every other, which needs no proof and takes none.
  public static func verifyConsistency(
    size1: UInt64, root1: TreeHash, size2: UInt64, root2: TreeHash, proof: [TreeHash]
  ) -> Bool {
    if size1 > size2 { return false }
    if size1 == size2 { return proof.isEmpty && root1 == root2 }
    if size1 == 0 { return proof.isEmpty && root1 == .empty }
    // Where the smaller tree is a full subtree of the larger, its root is what the proof begins with, and left out.
    var path = proof[...]
    let first: TreeHash
    if size1.nonzeroBitCount == 1 {
      first = root1
    } else if let given = path.popFirst() {
      first = given
    } else {
      return false
    }
    var place = size1 - 1
    var last = size2 - 1
    while place & 1 == 1 {
      place >>= 1
      last >>= 1
    }
    var smaller = first
    var larger = first
    for sibling in path {
      if last == 0 { return false }
      if place & 1 == 1 || place == last {
        smaller = .node(sibling, smaller)
        larger = .node(sibling, larger)
        skipMissingLevels(&place, &last)
      } else {
        larger = .node(larger, sibling)
      }
      place >>= 1
      last >>= 1
    }
    return last == 0 && smaller == root1 && larger == root2
  }

  /// On the tree's right edge a node may have no sibling on a level; it then stands on the next level as it is.
  private static func skipMissingLevels(_ place: inout UInt64, _ last: inout UInt64) {
    guard place & 1 == 0 else { return }
    while place & 1 == 0, place != 0 {
      place >>= 1
      last >>= 1
    }
  }
}
