public import Commands
public import Ledger
public import Postgres

/// A part of the log, and how far it goes.
public struct LogPage: Sendable {
  public var events: [AppendedEvent]
  /// Every event up to this position has been looked at: where the next page begins.
  public var through: Int64
  /// The history of the log that the events are of.
  public var incarnation: Int

  public init(events: [AppendedEvent], through: Int64, incarnation: Int = 1) {
    self.events = events
    self.through = through
    self.incarnation = incarnation
  }
}

/// Reads the log. Every call is one or two statements on the session it is given, so that no snapshot is held for long;
/// a caller that needs several calls to agree puts them in a transaction.
public struct LogReader: Sendable {
  private let codec: EventCodec

  public init(codec: EventCodec) {
    self.codec = codec
  }

  /// Where the log ends.
  public func head(_ session: Session) throws -> LogHead {
    try LogHead(session.execute("select \(LogHead.columns) from log_head"))
  }

  // MARK: In order

  /// Events after a position, in order, `limit` at most.
  ///
  /// - Parameters:
  ///   - stream: only those of one stream.
  ///   - types: only those of these types; empty for all. The log has no index by type: where such events are rare,
  ///     this reads all of it, in short statements. `page` reads a bounded part.
  /// - Throws: `LogFault` for an event that can't be read; what the session throws.
  public func events(
    after position: Int64, limit: Int, stream: StreamID? = nil, types: Set<String> = [], _ session: Session
  ) throws -> [AppendedEvent] {
    var events: [AppendedEvent] = []
    var after = position
    while events.count < limit {
      let page = try page(after: after, limit: limit - events.count, stream: stream, types: types, session)
      if events.isEmpty { events = page.events } else { events += page.events }
      guard page.through > after, !types.isEmpty, stream == nil else { break }
      after = page.through
    }
    return events
  }

  /// Positions that one statement looks at, at most, when it looks for events of some types.
  public static let scanMaximum: Int64 = 100_000

  /// As `events`, but looks at `scanMaximum` positions at most when it has to look at all of them, and says how far it
  /// got.
  public func page(
    after position: Int64, limit: Int, stream: StreamID? = nil, types: Set<String> = [],
    scanMaximum: Int64 = LogReader.scanMaximum,
    _ session: Session
  ) throws -> LogPage {
    guard limit > 0 else { return LogPage(events: [], through: position) }
    // Read first: whatever the head says is there is there for the next statement too.
    let end = stream == nil && types.isEmpty ? nil : try head(session).position
    let events: [AppendedEvent]
    var reach = end ?? position
    if let stream {
      events = try read(
        LogReader.streamSQL(and: types.isEmpty ? "" : "and e.type = any($5)") + " order by position limit $4",
        [.uuid(stream.id), .text(stream.kind.rawValue), .int8(position), .int8(Int64(limit))] + typeList(types),
        session)
    } else if types.isEmpty {
      events = try read(
        "select \(LogRow.columns) from events e where e.position > $1 order by e.position limit $2",
        [.int8(position), .int8(Int64(limit))], session)
    } else {
      let (bound, overflow) = position.addingReportingOverflow(max(1, scanMaximum))
      reach = min(reach, overflow ? .max : bound)
      events = try read(
        """
        select \(LogRow.columns) from events e
        where e.position > $1 and e.position <= $2 and e.type = any($4) order by e.position limit $3
        """, [.int8(position), .int8(reach), .int8(Int64(limit))] + typeList(types), session)
    }
    let last = events.last?.origin.position ?? position
    return LogPage(events: events, through: events.count == limit ? last : max(last, reach, position))
  }

  /// All events of some types after a position and up to another, in order: one statement, for whoever reads the log run
  /// by run.
  package func events(
    after position: Int64, through end: Int64, types: Set<String>, _ session: Session
  ) throws -> [AppendedEvent] {
    try read(
      """
      select \(LogRow.columns) from events e
      where e.position > $1 and e.position <= $2 and e.type = any($3) order by e.position
      """, [.int8(position), .int8(end)] + typeList(types), session)
  }

  // MARK: By stream and by command

  /// All events of a stream, in order of their versions.
  public func stream(_ stream: StreamID, _ session: Session) throws -> [AppendedEvent] {
    try read(
      LogReader.streamSQL(and: "") + " order by position",
      [.uuid(stream.id), .text(stream.kind.rawValue), .int8(0)], session)
  }

  /// The events of a command, in their order; nil when there is no such command. An id that an accepted movement chose
  /// for itself isn't a command's.
  public func command(_ id: CommandID, _ session: Session) throws -> [AppendedEvent]? {
    let events = try read(
      """
      select \(LogRow.columns) from commands c
      join events e on e.position >= c.first_position and e.position < c.first_position + c.event_count
      where c.command_id = $1 and c.content_hash is not null order by e.position
      """, [.uuid(id)], session)
    return events.isEmpty ? nil : events
  }

  /// Which of these ids are taken, and by what.
  public func commands(_ ids: [CommandID], _ session: Session) throws -> [CommandID: StoredCommand] {
    guard !ids.isEmpty else { return [:] }
    var wanted = ArrayBuilder.uuid(reserving: ids.count)
    for id in ids { wanted.append(id.high, id.low) }
    return try StoredCommand.decode(session.execute(StoredCommand.select, [wanted.parameter]))
  }

  // MARK: Statements

  /// The events of stream $1 of kind $2 after position $3. Those of the command that the stream is named after are
  /// found through `commands`; all others are in the index `events_stream`, which leaves the former out.
  private static func streamSQL(and condition: String) -> String {
    """
    select \(LogRow.columns) from events e
    where e.stream_id = $1 and e.stream_id <> e.command_id and e.stream_kind = $2 and e.position > $3 \(condition)
    union all
    select \(LogRow.columns) from commands c
    join events e on e.position >= c.first_position and e.position < c.first_position + c.event_count
    where c.command_id = $1 and e.stream_id = $1 and e.command_id = $1 and e.stream_kind = $2 and e.position > $3
      \(condition)
    """
  }

  private func typeList(_ types: Set<String>) -> [Parameter] {
    guard !types.isEmpty else { return [] }
    var list = ArrayBuilder.text(reserving: types.count)
    for type in types.sorted() { list.append(type) }
    return [list.parameter]
  }

  func read(_ sql: String, _ parameters: [Parameter], _ session: Session) throws -> [AppendedEvent] {
    var reader = EventRowReader(codec)
    return try reader.readAll(session.execute(sql, parameters))
  }
}

extension Parameter {
  static func uuid(_ id: Identifier) -> Parameter { .uuid(id.high, id.low) }
}
