public import Ledger

/// That a segment's rows are what the checkpoint in its file signs, while the one that was given is another and nothing
/// shows that the two are of one log.
public struct SegmentOwnProof: Hashable, Sendable {
  /// Of the checkpoint in the file, in events.
  public var size: UInt64
  /// Of the checkpoint that was given, in events.
  public var givenSize: UInt64
  /// Whether its signature was looked at, and is the key's.
  public var isSignatureChecked: Bool

  /// What a server has to be asked for; `--consistency` takes the answer.
  public var request: String {
    "GET /v1/audit/consistency?from=\(min(size, givenSize))&to=\(max(size, givenSize))"
  }
}

extension ConsistencyProof {
  /// Reads the answer of `GET /v1/audit/consistency`. Nothing of it is believed: `fault(between:and:)` looks at it.
  public init(_ json: JSONValue) throws(JSONFault) {
    var object = try json.object()
    let size1 = try object.required("size1").int64()
    let size2 = try object.required("size2").int64()
    let root1 = try TreeHash(object.required("root1"))
    let root2 = try TreeHash(object.required("root2"))
    var hashes: [TreeHash] = []
    for hash in try object.required("proof").array() { hashes.append(try TreeHash(hash)) }
    self.init(size1: size1, size2: size2, root1: root1, root2: root2, hashes: hashes)
  }

  /// Why this doesn't show that one of two checkpoints' trees is the beginning of the other; nil where it does.
  func fault(between one: Checkpoint, and other: Checkpoint) -> String? {
    let (from, to) = one.size <= other.size ? (one, other) : (other, one)
    guard size1 == from.size, size2 == to.size else {
      return "the consistency proof is from \(size1) to \(size2) events, not from \(from.size) to \(to.size)"
    }
    guard root1 == from.root, root2 == to.root, isValid else {
      return "the consistency proof doesn't show that the tree of \(to.size) events begins with that of \(from.size)"
    }
    return nil
  }
}

extension TreeHash {
  fileprivate init(_ json: JSONValue) throws(JSONFault) {
    guard let hash = TreeHash(base64: try json.string()) else { throw json.fault("is not the base64 of 32 bytes") }
    self = hash
  }
}

extension Checkpoint {
  /// The book that its origin names: a restore or a failover begins another incarnation, not another book.
  var book: Substring { Checkpoint.book(of: origin) }

  static func book(of origin: String) -> Substring {
    origin.lastIndex(of: "/").map { origin[..<$0] } ?? origin[...]
  }
}
