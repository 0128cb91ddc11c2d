public import Ledger
public import Postgres

/// A checkpoint as the database keeps it.
public struct StoredCheckpoint: Hashable, Sendable {
  public var incarnation: Int
  /// Events.
  public var size: Int64
  public var root: TreeHash
  /// The signed note as it was given out.
  public var note: String
  public var signedAt: Moment
  /// Columns that aren't what a signer writes, and what they hold instead; such a root is the empty tree's here.
  public var unreadable: [String: String] = [:]

  public init(incarnation: Int, size: Int64, root: TreeHash, note: String, signedAt: Moment) {
    self.incarnation = incarnation
    self.size = size
    self.root = root
    self.note = note
    self.signedAt = signedAt
  }
}

/// Every checkpoint that was ever signed.
public enum CheckpointTable {
  private static let columns = "c.incarnation, c.size, c.root, c.note, c.signed_at"

  /// Checkpoints in the order of their incarnation and size, after the one named, `limit` at most. What a
  /// column holds that no signer wrote is said in the checkpoint.
  public static func page(
    after last: (incarnation: Int, size: Int64) = (0, 0), limit: Int, _ session: Session
  ) throws -> [StoredCheckpoint] {
    try decode(
      session.execute(
        """
        select \(columns) from checkpoints c where (c.incarnation, c.size) > ($1, $2)
        order by c.incarnation, c.size limit $3
        """, [.int4(Int32(last.incarnation)), .int8(last.size), .int8(Int64(limit))]), lenient: true)
  }

  /// The newest of the log's present incarnation; nil when there is none yet.
  public static func newest(_ session: Session) throws -> StoredCheckpoint? {
    try decode(
      session.execute(
        """
        select \(columns) from checkpoints c where c.incarnation = (select incarnation from log_head)
        order by c.incarnation desc, c.size desc limit 1
        """)
    ).first
  }

  /// The checkpoint of the most events that the log must still begin with: of any incarnation, as far as those after it
  /// kept its events; nil when there is none.
  static func newestBinding(_ session: Session) throws -> StoredCheckpoint? {
    try decode(
      session.execute(
        """
        select \(columns) from (select 1 as number union all select incarnation from incarnations) n
        cross join lateral (
          select * from checkpoints where incarnation = n.number
            and size <= coalesce((select min(begins_after) from incarnations where incarnation > n.number), $1)
          order by size desc limit 1) c
        order by c.size desc, c.incarnation desc limit 1
        """, [.int8(.max)])
    ).first
  }

  static func insert(_ checkpoint: Checkpoint, note: String, incarnation: Int, _ session: Session) throws {
    try session.execute(
      "insert into checkpoints (incarnation, size, root, note) values ($1, $2, $3, $4)",
      [.int4(Int32(incarnation)), .int8(checkpoint.size), .bytea(checkpoint.root.bytes), .text(note)])
  }

  private static func decode(_ rows: Rows, lenient: Bool = false) throws -> [StoredCheckpoint] {
    try (0..<rows.count).map { row in
      var unreadable: [String: String] = [:]
      let bytes = try rows.bytes(row, 2)
      let root = TreeHash(bytes)
      if root == nil {
        guard lenient else { throw PostgresError(.decoding, "a checkpoint's root isn't 32 bytes") }
        unreadable["root"] = "\(bytes.count) bytes"
      }
      var signedAt = Moment(microseconds: 0)
      do throws(PostgresError) {
        signedAt = Moment(microseconds: try rows.timestamptz(row, 4))
      } catch {
        guard lenient else { throw error }
        unreadable["signed_at"] = error.description
      }
      var checkpoint = StoredCheckpoint(
        incarnation: Int(try rows.int4(row, 0)), size: try rows.int8(row, 1), root: root ?? .empty,
        note: try rows.text(row, 3), signedAt: signedAt)
      checkpoint.unreadable = unreadable
      return checkpoint
    }
  }
}
