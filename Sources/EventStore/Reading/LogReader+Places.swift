public import Commands
public import Ledger
public import Postgres

/// Reading events whose places are known, or found through the index of streams, without reading what lies between.
extension LogReader {
  /// The events at these positions, in order. A position whose range has been archived holds none.
  public func events(at positions: some Collection<Int64>, _ session: Session) throws -> [AppendedEvent] {
    guard !positions.isEmpty else { return [] }
    var wanted = ArrayBuilder.int8(reserving: positions.count)
    for position in positions { wanted.append(position) }
    return try read(
      "select \(LogRow.columns) from events e where e.position = any($1::bigint[]) order by e.position",
      [wanted.parameter], session)
  }

  /// Where the events of several streams of one kind stand, in order.
  ///
  /// - Parameters:
  ///   - through: the last position that counts.
  ///   - newest: of the types in `bounded`, only so many a stream and type, the newest.
  public func positions(
    of kind: StreamKind, _ ids: some Collection<Identifier>, through: Int64, newest: Int64 = .max,
    of bounded: [String] = [], _ session: Session
  ) throws -> [Int64] {
    try positions(
      """
      select numbered.position from (
        select s.position, s.type, row_number() over (partition by s.stream_id, s.type order by s.position desc) as age
        from (\(LogReader.places(and: ""))) as s
      ) as numbered
      where numbered.age <= $4 or numbered.type <> all($5::text[]) order by numbered.position
      """, kind, ids, through, [.int8(newest), LogReader.texts(bounded)], session)
  }

  /// Where the first events of several streams of one kind stand, in order.
  public func firstPositions(
    of kind: StreamKind, _ ids: some Collection<Identifier>, through: Int64, _ session: Session
  ) throws -> [Int64] {
    try positions(
      "select s.position from (\(LogReader.places(and: "and e.stream_version = 1"))) as s order by s.position", kind,
      ids, through, [], session)
  }

  private func positions(
    _ sql: String, _ kind: StreamKind, _ ids: some Collection<Identifier>, _ through: Int64, _ more: [Parameter],
    _ session: Session
  ) throws -> [Int64] {
    guard !ids.isEmpty else { return [] }
    var wanted = ArrayBuilder.uuid(reserving: ids.count)
    for id in ids { wanted.append(id.high, id.low) }
    let rows = try session.execute(sql, [wanted.parameter, .text(kind.rawValue), .int8(through)] + more)
    return try (0..<rows.count).map { try rows.int8($0, 0) }
  }

  /// The events of the streams $1 of kind $2 up to position $3. As in `stream`, those of the command that a stream is
  /// named after are found through `commands`.
  private static func places(and condition: String) -> String {
    """
    select e.position, e.stream_id, e.type from events e
    where e.stream_id = any($1::uuid[]) and e.stream_id <> e.command_id and e.stream_kind = $2 and e.position <= $3
      \(condition)
    union all
    select e.position, e.stream_id, e.type from commands c
    join events e on e.position >= c.first_position and e.position < c.first_position + c.event_count
    where c.command_id = any($1::uuid[]) and e.stream_id = c.command_id and e.command_id = c.command_id
      and e.stream_kind = $2 and e.position <= $3 \(condition)
    """
  }

  /// The first position after one and up to another that holds no event; nil when each of them does. Counts at first,
  /// in the index of positions, and looks for the place only where the number is wrong.
  package func missingPosition(after position: Int64, through end: Int64, _ session: Session) throws -> Int64? {
    let range: [Parameter] = [.int8(position), .int8(end)]
    let there = try session.execute(
      "select count(*) from events e where e.position > $1 and e.position <= $2", range
    ).int8(0, 0)
    guard there != max(0, end - position) else { return nil }
    let rows = try session.execute(
      """
      select min(p) from generate_series($1::bigint + 1, $2::bigint) as p
      where not exists (select from events e where e.position = p)
      """, range)
    return try rows.int8OrNil(0, 0)
  }

  private static func texts(_ texts: [String]) -> Parameter {
    var array = ArrayBuilder.text(reserving: texts.count)
    for text in texts { array.append(text) }
    return array.parameter
  }
}
