public import Ledger
public import Postgres

/// The log in its database. Every question is one short statement or two on a connection of the pool, so no snapshot is
/// held: the log only grows, and what is verified is what stood there when the extent was asked for.
public struct DatabaseLog: LogSource {
  private let pool: Pool
  private let keyring: PersonalKeyring?

  public init(pool: Pool, keyring: PersonalKeyring?) {
    self.pool = pool
    self.keyring = keyring
  }

  public func extent() async throws -> LogExtent {
    try await pool.run { session in
      // One snapshot, for an instant: no writer and no signer comes in between.
      try session.transaction("begin isolation level repeatable read read only") {
        try DatabaseLog.extent(session)
      }
    }
  }

  private static func extent(_ session: Session) throws -> LogExtent {
    let rows = try session.execute(
      """
      select (select max(position) from events), case
        when to_regclass('events_000000') in (select inhrelid from pg_inherits where inhparent = 'events'::regclass)
        then 1::bigint else (select min(position) from events) end, clock_timestamp()
      """)
    let last = try rows.int8OrNil(0, 0) ?? 0
    var extent = LogExtent(first: try rows.int8OrNil(0, 1) ?? 1, last: last)
    extent.readAt = Moment(microseconds: try rows.timestamptz(0, 2))
    let found = try session.execute("select \(LogHead.columns), frontier from log_head")
    if found.count == 1 {
      let head = try LogHead(found)
      extent.head = head
      extent.frontier = try found.bytes(0, found.columns.count - 1)
      extent.last = min(last, head.position)
      extent.beyond = last > head.position ? last : nil
    } else {
      extent.lacksHead = true
    }
    let histories = try session.execute("select incarnation, begins_after from incarnations")
    for row in 0..<histories.count {
      extent.histories[Int(try histories.int4(row, 0))] = try histories.int8(row, 1)
    }
    extent.signedIncarnations = try signedIncarnations(session)
    let end = max(last, extent.head?.position ?? last)
    if end < .max { extent.signedBeyond = try checkpoints(end + 1 ... .max, limit: 10, session) }
    let levels = try session.execute(
      "select level, count(*), max(index), sum(octet_length(hashes))::bigint from tiles group by level")
    extent.tiles = [:]
    for row in 0..<levels.count {
      extent.tiles?[Int(try levels.int2(row, 0))] = TileLevel(
        tiles: try levels.int8(row, 1), last: try levels.int8(row, 2), bytes: try levels.int8(row, 3))
    }
    return extent
  }

  /// As many lookups in the primary key as there are incarnations.
  private static func signedIncarnations(_ session: Session) throws -> [Int] {
    let rows = try session.execute(
      """
      with recursive signed as (
        select min(incarnation) as number from checkpoints
        union all
        select (select min(incarnation) from checkpoints where incarnation > number) from signed where number is not null)
      select number from signed where number is not null
      """)
    return try (0..<rows.count).map { Int(try rows.int4($0, 0)) }
  }

  public func rows(_ range: ClosedRange<Int64>) async throws -> SourcedRows {
    try await pool.run { session in
      let found = try session.execute(
        "select \(LogRow.columns) from events e where e.position between $1 and $2 order by e.position",
        [.int8(range.lowerBound), .int8(range.upperBound)])
      var sourced = SourcedRows(rows: [], commands: nil)
      for row in 0..<found.count {
        do {
          sourced.rows.append(try LogRow(found, row: row))
        } catch {
          // A moment without end, a text that is none: no writer has ever written it.
          sourced.unreadable[try found.int8(row, 0)] = String(describing: error)
        }
      }
      sourced.commands = try DatabaseLog.commands(of: sourced.rows, session)
      let leaves = UInt64(range.lowerBound - 1)...UInt64(range.upperBound - 1)
      let width = UInt64(TileID.width)
      sourced.tiles = try TileTable.read(
        (leaves.lowerBound / width...leaves.upperBound / width).map { TileID(level: 0, index: $0) }, session,
        skippingBroken: true)
      sourced.checkpoints = try DatabaseLog.checkpoints(range, limit: .max, session)
      return sourced
    }
  }

  /// The rows alone.
  func bareRows(_ range: ClosedRange<Int64>) async throws -> [LogRow] {
    try await pool.run { session in
      try DatabaseLog.read(
        "select \(LogRow.columns) from events e where e.position between $1 and $2 order by e.position",
        [.int8(range.lowerBound), .int8(range.upperBound)], session)
    }
  }

  public func tiles(_ ids: [TileID]) async throws -> [TileID: [TreeHash]] {
    try await pool.run { session in try TileTable.read(ids, session, skippingBroken: true) }
  }

  /// Checkpoints of these sizes, of whatever incarnation, by size.
  private static func checkpoints(
    _ sizes: ClosedRange<Int64>, limit: Int, _ session: Session
  ) throws -> [StoredCheckpoint] {
    var checkpoints: [StoredCheckpoint] = []
    for number in try signedIncarnations(session) {
      var last = sizes.lowerBound - 1
      while checkpoints.count < limit {
        let page = try CheckpointTable.page(after: (number, last), limit: min(limit, 1_000), session)
          .prefix { $0.incarnation == number && sizes.contains($0.size) }
        checkpoints += page
        guard let end = page.last, page.count == min(limit, 1_000) else { break }
        last = end.size
      }
    }
    return checkpoints.sorted { ($0.size, $0.incarnation) < ($1.size, $1.incarnation) }
  }

  /// What the table of commands has for these rows' ids.
  func commands(of rows: [LogRow]) async throws -> [Identifier: StoredCommand] {
    try await pool.run { session in try DatabaseLog.commands(of: rows, session) }
  }

  private static func commands(of rows: [LogRow], _ session: Session) throws -> [Identifier: StoredCommand] {
    var ids: Set<Identifier> = []
    for row in rows { ids.insert(row.commandID) }
    // A movement's stream is named after the id that it took.
    for row in rows where row.streamKind == "transfer" || row.streamKind == "journal" { ids.insert(row.streamID) }
    return try StoredCommand.decode(session.execute(StoredCommand.select, [array(ids)]))
  }

  public func rows(of streams: [StreamID], before position: Int64) async throws -> [LogRow] {
    guard !streams.isEmpty else { return [] }
    var ids = ArrayBuilder.uuid(reserving: streams.count)
    var kinds = ArrayBuilder.text(reserving: streams.count)
    for stream in streams {
      ids.append(stream.id.high, stream.id.low)
      kinds.append(stream.kind.rawValue)
    }
    let parameters: [Parameter] = [ids.parameter, kinds.parameter, .int8(position)]
    return try await pool.run { session in try DatabaseLog.readable(DatabaseLog.streamsSQL, parameters, session) }
  }

  /// As `LogReader` finds a stream: through the index, and through `commands` for one that is named after its command.
  private static let streamsSQL = """
    with wanted as (select unnest($1::uuid[]) as id, unnest($2::text[]) as kind)
    select \(LogRow.columns) from wanted w join events e
      on e.stream_id = w.id and e.stream_id <> e.command_id and e.stream_kind = w.kind
    where e.position < $3
    union all
    select \(LogRow.columns) from wanted w join commands c on c.command_id = w.id
    join events e on e.position >= c.first_position and e.position < c.first_position + c.event_count
    where e.stream_id = w.id and e.command_id = w.id and e.stream_kind = w.kind and e.position < $3
    order by position
    """

  public func rows(ofCommands commands: [CommandID], before position: Int64) async throws -> [LogRow] {
    guard !commands.isEmpty else { return [] }
    let ids = DatabaseLog.array(Set(commands))
    return try await pool.run { session in
      try DatabaseLog.readable(
        """
        select \(LogRow.columns) from commands c
        join events e on e.position >= c.first_position and e.position < c.first_position + c.event_count
        where c.command_id = any($1) and c.content_hash is not null and e.position < $2 order by e.position
        """, [ids, .int8(position)], session)
    }
  }

  public func taken(_ ids: [Identifier], before position: Int64) async throws -> Set<Identifier> {
    guard !ids.isEmpty else { return [] }
    let wanted = DatabaseLog.array(Set(ids))
    return try await pool.run { session in
      let found = try StoredCommand.decode(session.execute(StoredCommand.select, [wanted]))
      return Set(found.filter { $0.value.firstPosition < position }.keys)
    }
  }

  public func tombstones(after subject: Identifier?, limit: Int) async throws -> [Tombstone] {
    try await pool.run { session in
      let rows = try session.execute(
        """
        select subject, position from erased_subjects where $1::uuid is null or subject > $1
        order by subject limit $2
        """, [.uuid(subject.map { ($0.high, $0.low) }), .int8(Int64(limit))])
      return try (0..<rows.count).map { row in
        Tombstone(subject: Identifier(halves: try rows.uuid(row, 0)), position: try rows.int8OrNil(row, 1))
      }
    }
  }

  public func keyed(_ subjects: Set<Identifier>) async throws -> Set<Identifier> {
    guard !subjects.isEmpty else { return [] }
    let wanted = DatabaseLog.array(subjects)
    return try await pool.run { session in
      let rows = try session.execute("select subject from personal_keys where subject = any($1)", [wanted])
      return Set(try (0..<rows.count).map { Identifier(halves: try rows.uuid($0, 0)) })
    }
  }

  public func loadKeys(_ subjects: Set<Identifier>) async throws -> Set<Identifier> {
    guard let keyring else { return [] }
    return try await pool.run { session in try keyring.loadReadableKeys(for: subjects, session: session) }
  }

  // MARK: The table of commands

  /// Blocks of `commands` that one statement looks through: some tens of megabytes.
  private static let blocks = 8_192

  public func commandRows(through head: Int64) async throws -> CommandRowCount? {
    var count = CommandRowCount()
    for part in try await partsOfCommands() {
      let counted = try await pool.run { session in
        // One statement, one snapshot: a command's row and the head that covers it are committed together.
        let rows = try session.execute(
          """
          select count(*) filter (where c.first_position <= $1),
            count(*) filter (where c.first_position > (select position from log_head))
          from commands c where \(part)
          """, [.int8(head)])
        return (try rows.int8(0, 0), try rows.int8(0, 1))
      }
      count.through += counted.0
      count.beyondHead += counted.1
    }
    return count
  }

  public func strayCommands(through head: Int64, limit: Int) async throws -> [Identifier: StoredCommand] {
    var strays: [Identifier: StoredCommand] = [:]
    for part in try await partsOfCommands() where strays.count < limit {
      let rest = Int64(limit - strays.count)
      let found = try await pool.run { session in
        try StoredCommand.decode(
          session.execute(
            """
            select c.command_id, c.content_hash, c.first_position, c.event_count from commands c
            left join events e on e.position = c.first_position
            where c.first_position <= $1 and \(part) and (e.position is null or case when c.content_hash is null
              then e.stream_id <> c.command_id or e.command_id = c.command_id else e.command_id <> c.command_id end)
            limit $2
            """, [.int8(head), .int8(rest)]))
      }
      strays.merge(found) { one, _ in one }
    }
    return strays
  }

  /// The table in the order of its blocks, a condition a part. Rows of this table never move: they are only ever added.
  private func partsOfCommands() async throws -> [String] {
    let size = try await pool.run { session in
      try session.execute("select pg_relation_size('commands') / current_setting('block_size')::bigint").int8(0, 0)
    }
    return stride(from: 0, through: Int(size), by: DatabaseLog.blocks).map { first in
      "c.ctid >= '(\(first),0)'::tid and c.ctid < '(\(first + DatabaseLog.blocks),0)'::tid"
    }
  }

  // MARK: Reading

  private static func array(_ ids: Set<Identifier>) -> Parameter {
    var array = ArrayBuilder.uuid(reserving: ids.count)
    // In order: rows near each other are found near each other.
    for id in ids.sorted() { array.append(id.high, id.low) }
    return array.parameter
  }

  private static func read(_ sql: String, _ parameters: [Parameter], _ session: Session) throws -> [LogRow] {
    let rows = try session.execute(sql, parameters)
    return try (0..<rows.count).map { try LogRow(rows, row: $0) }
  }

  /// Those that can be read: the others are named where their own turn comes.
  private static func readable(_ sql: String, _ parameters: [Parameter], _ session: Session) throws -> [LogRow] {
    let rows = try session.execute(sql, parameters)
    return (0..<rows.count).compactMap { try? LogRow(rows, row: $0) }
  }
}
