import EventStore
import Postgres

/// The seal as the database has it. A proof reads a handful of tiles, in one statement.
struct DatabaseAudit: AuditReading {
  let pool: Pool
  let desk: CheckpointDesk

  func sealedSize() async throws -> Int64 {
    try await pool.run { session in try SealedHead.read(session).size }
  }

  func checkpoint(reaching position: Int64) async throws -> StoredCheckpoint {
    try await desk.checkpoint(reaching: position)
  }

  func inclusion(of position: Int64, size: Int64) async throws -> InclusionProof {
    try await pool.run { session in
      try SealedLog.inclusion(of: position, size: size) { try TileTable.read($0, session) }
    }
  }

  func consistency(from: Int64, to: Int64) async throws -> ConsistencyProof {
    try await pool.run { session in
      try SealedLog.consistency(from: from, to: to) { try TileTable.read($0, session) }
    }
  }

  func receipt(from position: Int64, count: Int) async throws -> Receipt {
    let checkpoint = try await desk.checkpoint(reaching: position + Int64(count) - 1)
    return try await pool.run { session in
      var hasher = LeafHasher()
      let rows = try LogReader.rows(after: position - 1, limit: count, session)
      guard rows.count == count else { throw BrokenTree("events from \(position) on aren't there") }
      let entries = try rows.map { row in
        let proof = try SealedLog.inclusion(of: row.position, size: checkpoint.size) {
          try TileTable.read($0, session)
        }
        guard hasher.hash(of: row) == proof.leaf, proof.root == checkpoint.root else {
          throw BrokenTree("event \(row.position) isn't what was sealed")
        }
        return Receipt.Entry(row: LeafEncoding.bytes(of: row), leaf: proof.leaf, proof: proof.hashes)
      }
      return Receipt(position: position, entries: entries, size: checkpoint.size, checkpoint: checkpoint.note)
    }
  }
}
