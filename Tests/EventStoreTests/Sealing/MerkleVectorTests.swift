import EventStore
import Foundation
import Testing

/// Proofs of other people's making, good and broken: the RFC 6962 vectors of transparency-dev/merkle.
private struct MerkleVector: Decodable, Sendable {
  let name: String
  let kind: String
  let wantErr: Bool
  let proof: [String]?
  // Inclusion.
  let leafIdx: UInt64?
  let treeSize: UInt64?
  let root: String?
  let leafHash: String?
  // Consistency.
  let size1: UInt64?
  let size2: UInt64?
  let root1: String?
  let root2: String?

  /// `KAURI_MERKLE_VECTORS`, or beside the repository; nil when they aren't there.
  static let file: URL? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let file =
      ProcessInfo.processInfo.environment["KAURI_MERKLE_VECTORS"].map { URL(filePath: $0) }
      ?? root.appending(path: "../shared/data/merkle/rfc6962-vectors.json")
    return FileManager.default.fileExists(atPath: file.path(percentEncoded: false)) ? file : nil
  }()

  /// What the verifier says. What isn't a hash can't be proved.
  var isAccepted: Bool {
    get throws {
      let hashes = (proof ?? []).map { TreeHash(base64: $0) }
      let proof = hashes.compactMap(\.self)
      guard proof.count == hashes.count else { return false }
      if kind == "inclusion" {
        guard let leaf = TreeHash(base64: try #require(leafHash)), let root = TreeHash(base64: try #require(root))
        else { return false }
        return MerkleProof.verifyInclusion(
          of: leaf, at: try #require(leafIdx), size: try #require(treeSize), root: root, proof: proof)
      }
      guard let root1 = TreeHash(base64: try #require(root1)), let root2 = TreeHash(base64: try #require(root2))
      else { return false }
      return MerkleProof.verifyConsistency(
        size1: try #require(size1), root1: root1, size2: try #require(size2), root2: root2, proof: proof)
    }
  }
}

@Suite(.enabled(if: MerkleVector.file != nil, "the RFC 6962 vectors aren't there"))
struct MerkleVectorTests {
  @Test func goodProofsAreAcceptedAndBrokenOnesRefused() throws {
    let file = try #require(MerkleVector.file)
    let vectors = try JSONDecoder().decode([MerkleVector].self, from: Data(contentsOf: file))
    #expect(vectors.count == 170)
    #expect(Set(vectors.map(\.kind)) == ["inclusion", "consistency"])
    #expect(vectors.count { !$0.wantErr } == 11)
    for vector in vectors {
      #expect(try vector.isAccepted != vector.wantErr, "\(vector.name)")
    }
  }
}
