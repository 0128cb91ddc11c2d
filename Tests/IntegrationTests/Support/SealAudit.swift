import Crypto
import Foundation
import Postgres

/// Works the log's tree out anew, from the rows and by other means than the server's: Postgres itself makes the leaves,
/// from `docs/log-format.md`, and the tree is built level by level over all of them.
struct SealAudit: Sendable {
  /// What isn't as it must be; empty for a log that is sealed to its end.
  private(set) var faults: [String] = []
  /// The nodes of each level whose subtrees are full, the leaves first.
  private var levels: [[[UInt8]]] = []

  /// The leaf of a row of `events e`.
  static let leafSQL = """
    sha256('\\x0001'::bytea || int8send(e.position)
      || int4send(octet_length(convert_to(e.stream_kind, 'UTF8'))) || convert_to(e.stream_kind, 'UTF8')
      || uuid_send(e.stream_id) || int8send(e.stream_version)
      || int4send(octet_length(convert_to(e.type, 'UTF8'))) || convert_to(e.type, 'UTF8')
      || int2send(e.schema_version) || int4send(octet_length(e.payload)) || e.payload
      || uuid_send(e.command_id) || int4send(e.command_index)
      || int4send(octet_length(convert_to(e.actor, 'UTF8'))) || convert_to(e.actor, 'UTF8')
      || coalesce('\\x01'::bytea || uuid_send(e.causation_id), '\\x00')
      || coalesce('\\x01'::bytea || uuid_send(e.correlation_id), '\\x00')
      || int8send((extract(epoch from e.moment) * 1000000)::bigint)
      || int4send(e.book_date - date '1970-01-01') || int4send(e.rule_set))
    """

  /// Reads everything; the session's snapshot must hold still meanwhile.
  init(_ session: Session) throws {
    let rows = try session.execute("select \(Self.leafSQL) from events e order by position")
    levels = [try (0..<rows.count).map { try rows.bytes($0, 0) }]
    while let last = levels.last, last.count > 1 {
      levels.append(
        stride(from: 0, to: last.count - 1, by: 2).map { Array(SHA256.hash(data: [1] + last[$0] + last[$0 + 1])) })
    }
    try compareFrontier(session)
    try compareTiles(session)
    try compareCheckpoints(session)
  }

  /// The root over the first `size` events: full subtrees, folded from the right.
  func root(_ size: Int) -> [UInt8] {
    if size == 0 { return Array(SHA256.hash(data: [UInt8]())) }
    var subtrees: [[UInt8]] = []
    var start = 0
    for level in (0..<63).reversed() where size & (1 << level) != 0 {
      subtrees.append(levels[level][start >> level])
      start += 1 << level
    }
    return subtrees.dropLast().reversed().reduce(subtrees.last ?? []) { Array(SHA256.hash(data: [1] + $1 + $0)) }
  }

  private mutating func compareFrontier(_ session: Session) throws {
    let head = try session.execute("select position, frontier from log_head")
    let (position, frontier) = (Int(try head.int8(0, 0)), try head.bytes(0, 1))
    if position != levels[0].count { faults.append("the head says \(position), there are \(levels[0].count) events") }
    var expected = position == 0 ? [] : withUnsafeBytes(of: UInt64(position).bigEndian) { Array($0) }
    var start = 0
    for level in (0..<63).reversed() where position & (1 << level) != 0 {
      guard levels.indices.contains(level), levels[level].indices.contains(start >> level) else { break }
      expected += levels[level][start >> level]
      start += 1 << level
    }
    if frontier != expected { faults.append("the frontier isn't the edge of the tree over \(position) events") }
  }

  /// Every checkpoint that was ever signed is of a tree that this log has had.
  private mutating func compareCheckpoints(_ session: Session) throws {
    let rows = try session.execute(
      """
      select c.size, c.root, c.note,
        'kauri.' || (convert_from(e.payload, 'UTF8')::jsonb ->> 'book_id') || '/' || c.incarnation
      from checkpoints c join events e on e.position = 1
      """)
    for row in 0..<rows.count {
      let (size, root) = (Int(try rows.int8(row, 0)), try rows.bytes(row, 1))
      guard size <= levels[0].count, root == self.root(size) else {
        faults.append("the checkpoint of \(size) events isn't of this log")
        continue
      }
      let text = "\(try rows.text(row, 3))\n\(size)\n\(Data(root).base64EncodedString())\n"
      if try !rows.text(row, 2).hasPrefix("\(text)\n\u{2014} ") {
        faults.append("the note of the checkpoint of \(size) events says something else")
      }
    }
  }

  private mutating func compareTiles(_ session: Session) throws {
    let rows = try session.execute("select level, index, hashes from tiles")
    var tiles = 0
    for row in 0..<rows.count {
      let (level, index) = (Int(try rows.int2(row, 0)), Int(try rows.int8(row, 1)))
      let nodes = levels.indices.contains(8 * level) ? levels[8 * level] : []
      if try rows.bytes(row, 2) != nodes.dropFirst(256 * index).prefix(256).flatMap(\.self) {
        faults.append("tile \(index) of level \(level) isn't what the log's rows make it")
      }
      tiles += 1
    }
    let expected = stride(from: 0, to: levels.count, by: 8).reduce(0) { $0 + (levels[$1].count + 255) / 256 }
    if tiles != expected { faults.append("\(tiles) tiles instead of \(expected)") }
  }
}
