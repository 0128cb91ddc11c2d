public import Ledger

/// What a client keeps to prove later, to anybody and without the bank, that its command is in the log and what it
/// led to: the very rows, and their way up to a root that the bank has signed.
public struct Receipt: Hashable, Sendable {
  /// One event.
  public struct Entry: Hashable, Sendable {
    /// The row's canonical bytes (`LeafEncoding`).
    public var row: [UInt8]
    public var leaf: TreeHash
    /// From the leaf up to the checkpoint's root.
    public var proof: [TreeHash]

    public init(row: [UInt8], leaf: TreeHash, proof: [TreeHash]) {
      self.row = row
      self.leaf = leaf
      self.proof = proof
    }
  }

  /// Of the first event; the others follow on it.
  public var position: Int64
  public var entries: [Entry]
  /// Events in the tree that the checkpoint signs.
  public var size: Int64
  /// The signed note.
  public var checkpoint: String

  public init(position: Int64, entries: [Entry], size: Int64, checkpoint: String) {
    self.position = position
    self.entries = entries
    self.size = size
    self.checkpoint = checkpoint
  }

  /// Events that one receipt speaks for, at most.
  public static let entriesMaximum = 100
}

/// Why a receipt proves nothing.
public enum ReceiptFault: Error, Hashable, Sendable {
  case checkpoint(CheckpointFault)
  /// The receipt says it is about a tree of another size than the checkpoint.
  case otherSize(receipt: Int64, checkpoint: Int64)
  /// A row that isn't one.
  case row(position: Int64, LeafEncodingFault)
  /// A row is of another position than the receipt says.
  case otherPosition(expected: Int64, found: Int64)
  /// The rows are of more than one command.
  case otherCommand(position: Int64)
  /// A row isn't in its place among those of its command, from 0: the first ones were left out.
  case otherIndex(position: Int64, expected: Int, found: Int)
  /// The leaf isn't the row's.
  case leaf(position: Int64)
  /// The proof doesn't lead from the leaf to the root that was signed.
  case proof(position: Int64)
}

extension ReceiptFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .checkpoint(let fault): fault.description
    case .otherSize(let receipt, let checkpoint):
      "the receipt is for a tree of \(receipt) events, its checkpoint for one of \(checkpoint)"
    case .row(let position, let fault): "event \(position): \(fault)"
    case .otherPosition(let expected, let found): "event \(expected): its row is of position \(found)"
    case .otherCommand(let position): "event \(position): its row is of another command"
    case .otherIndex(let position, let expected, let found):
      "event \(position): it is number \(found) of its command, from 0, and stands in the place of \(expected)"
    case .leaf(let position): "event \(position): the leaf isn't the hash of its row"
    case .proof(let position): "event \(position): the proof doesn't lead to the root that was signed"
    }
  }
}

extension Receipt {
  /// What a good receipt proves.
  public struct Proved: Sendable {
    public let checkpoint: Checkpoint
    public let rows: [LogRow]
  }

  /// Checks everything there is to check, with nothing but the receipt and the bank's key.
  ///
  /// - Throws: `ReceiptFault` for the first thing that doesn't hold.
  public func verify(_ key: CheckpointPublicKey) throws(ReceiptFault) -> Proved {
    let signed: Checkpoint
    do throws(CheckpointFault) {
      signed = try key.verify(note: checkpoint)
    } catch {
      throw .checkpoint(error)
    }
    guard signed.size == size else { throw .otherSize(receipt: size, checkpoint: signed.size) }
    var rows: [LogRow] = []
    for (place, entry) in entries.enumerated() {
      let (expected, overflow) = position.addingReportingOverflow(Int64(place))
      guard !overflow else { throw .proof(position: position) }
      let row: LogRow
      do throws(LeafEncodingFault) {
        row = try LeafEncoding.row(from: entry.row)
      } catch {
        throw .row(position: expected, error)
      }
      guard row.position == expected else { throw .otherPosition(expected: expected, found: row.position) }
      guard rows.first.map({ $0.commandID == row.commandID }) ?? true else { throw .otherCommand(position: expected) }
      guard Int(row.commandIndex) == place else {
        throw .otherIndex(position: expected, expected: place, found: Int(row.commandIndex))
      }
      guard TreeHash.leaf(entry.row) == entry.leaf else { throw .leaf(position: expected) }
      let proof = InclusionProof(
        position: expected, size: size, leaf: entry.leaf, root: signed.root, hashes: entry.proof)
      guard proof.isValid else { throw .proof(position: expected) }
      rows.append(row)
    }
    return Proved(checkpoint: signed, rows: rows)
  }
}

// MARK: - As JSON

extension Receipt {
  public func write(to json: inout JSONWriter) {
    json.beginObject()
    json.field("position", integer: position)
    json.field("tree_size", integer: size)
    json.field("checkpoint", checkpoint)
    json.key("events")
    json.beginArray()
    for entry in entries {
      json.beginObject()
      json.field("row", Base64.encode(entry.row))
      json.field("leaf_hash", entry.leaf.base64)
      json.key("proof")
      json.beginArray()
      for hash in entry.proof { json.string(hash.base64) }
      json.endArray()
      json.endObject()
    }
    json.endArray()
    json.endObject()
  }

  /// - Throws: `JSONFault` for anything but what `write(to:)` writes.
  public init(_ value: JSONValue) throws(JSONFault) {
    var object = try value.object()
    position = try object.required("position").int64()
    size = try object.required("tree_size").int64()
    checkpoint = try object.required("checkpoint").string()
    entries = []
    let events = try object.required("events")
    for event in try events.array() {
      var object = try event.object()
      let row = try object.required("row")
      guard let bytes = Base64.decode(try row.string()) else { throw row.fault("must be base64") }
      let leaf = try Receipt.hash(object.required("leaf_hash"))
      var proof: [TreeHash] = []
      for hash in try object.required("proof").array() { proof.append(try Receipt.hash(hash)) }
      try object.finish()
      entries.append(Entry(row: bytes, leaf: leaf, proof: proof))
    }
    try object.finish()
    guard !entries.isEmpty else { throw events.fault("must hold an event") }
  }

  private static func hash(_ value: JSONValue) throws(JSONFault) -> TreeHash {
    guard let hash = TreeHash(base64: try value.string()) else { throw value.fault("must be the base64 of 32 bytes") }
    return hash
  }
}
