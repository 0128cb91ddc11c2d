import EventStore
import Ledger
import Server

/// The seal of a book in memory: its log is sealed anew for every question.
struct MemoryAudit: AuditReading {
  let book: MemoryBook
  let key = CheckpointKey()
  /// As if no server had the key.
  var signs = true

  private struct Tree {
    var frontier = MerkleFrontier()
    var tiles: [TileID: [TreeHash]] = [:]

    init(_ rows: some Sequence<LogRow>) {
      for row in rows {
        var completed: [(level: Int, node: TreeHash)] = []
        frontier.append(LeafEncoding.hash(of: row)) { completed.append(($0, $1)) }
        for (level, node) in completed where level.isMultiple(of: TileID.height) {
          let number = frontier.size >> UInt64(level) - 1
          tiles[TileID(level: level / TileID.height, index: number / 256), default: []].append(node)
        }
      }
    }
  }

  private var rows: [LogRow] { book.log.map { LogRow($0) } }

  func sealedSize() async throws -> Int64 { Int64(rows.count) }

  func checkpoint(reaching position: Int64) async throws -> StoredCheckpoint {
    guard signs else { throw CheckpointUnavailable() }
    let tree = Tree(rows)
    let checkpoint = Checkpoint(
      origin: Checkpoint.origin(book: Identifier(high: 1, low: 1), incarnation: 1), size: Int64(tree.frontier.size),
      root: tree.frontier.root)
    return StoredCheckpoint(
      incarnation: 1, size: checkpoint.size, root: checkpoint.root, note: try key.sign(checkpoint).note, signedAt: .now)
  }

  func inclusion(of position: Int64, size: Int64) async throws -> InclusionProof {
    let tree = Tree(rows)
    return try SealedLog.inclusion(of: position, size: size) { _ in tree.tiles }
  }

  func consistency(from: Int64, to: Int64) async throws -> ConsistencyProof {
    let tree = Tree(rows)
    return try SealedLog.consistency(from: from, to: to) { _ in tree.tiles }
  }

  func receipt(from position: Int64, count: Int) async throws -> Receipt {
    let checkpoint = try await checkpoint(reaching: position + Int64(count) - 1)
    var entries: [Receipt.Entry] = []
    for row in rows.prefix(Int(checkpoint.size))
    where row.position >= position && row.position < position + Int64(count) {
      let proof = try await inclusion(of: row.position, size: checkpoint.size)
      entries.append(Receipt.Entry(row: LeafEncoding.bytes(of: row), leaf: proof.leaf, proof: proof.hashes))
    }
    return Receipt(position: position, entries: entries, size: checkpoint.size, checkpoint: checkpoint.note)
  }
}
