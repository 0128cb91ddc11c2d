public import Commands
public import Ledger
public import Postgres

/// A row of `events` as it stands in the log: every column raw, nothing of it decoded. What is hashed, archived and
/// compared byte for byte is this.
public struct LogRow: Sendable {
  /// From 1, without gaps, in the order of commits.
  public var position: Int64
  public var streamKind: String
  public var streamID: Identifier
  /// From 1, consecutive in the stream.
  public var streamVersion: Int64
  /// The event's type in the contract, `TransferPosted`.
  public var type: String
  public var schemaVersion: Int16
  /// Compact JSON, personal text sealed.
  public var payload: [UInt8]
  public var commandID: CommandID
  /// From 0, the event's place among those of its command.
  public var commandIndex: Int32
  /// `role:subject`.
  public var actor: String
  public var causationID: Identifier?
  /// As stored: nil where it is the command's own id.
  public var correlationID: Identifier?
  /// Microseconds since the start of 1970, UTC.
  public var moment: Int64
  /// Days since 1 January 1970.
  public var bookDate: Int32
  public var ruleSet: Int32

  public init(
    position: Int64, streamKind: String, streamID: Identifier, streamVersion: Int64, type: String,
    schemaVersion: Int16, payload: [UInt8], commandID: CommandID, commandIndex: Int32, actor: String,
    causationID: Identifier?, correlationID: Identifier?, moment: Int64, bookDate: Int32, ruleSet: Int32
  ) {
    self.position = position
    self.streamKind = streamKind
    self.streamID = streamID
    self.streamVersion = streamVersion
    self.type = type
    self.schemaVersion = schemaVersion
    self.payload = payload
    self.commandID = commandID
    self.commandIndex = commandIndex
    self.actor = actor
    self.causationID = causationID
    self.correlationID = correlationID
    self.moment = moment
    self.bookDate = bookDate
    self.ruleSet = ruleSet
  }
}

extension LogRow {
  /// The select list of `events e` that `init(_:row:)` reads, in its order.
  public static let columns = """
    e.position, e.stream_kind, e.stream_id, e.stream_version, e.type, e.schema_version, e.payload, e.command_id, \
    e.command_index, e.actor, e.causation_id, e.correlation_id, e.moment, e.book_date, e.rule_set
    """

  /// Reads `columns` from the start of a row.
  ///
  /// - Throws: `.decoding` for a result of another shape, and for an infinite moment or day.
  public init(_ rows: Rows, row: Int = 0) throws(PostgresError) {
    self.init(
      position: try rows.int8(row, 0),
      streamKind: try rows.text(row, 1),
      streamID: Identifier(halves: try rows.uuid(row, 2)),
      streamVersion: try rows.int8(row, 3),
      type: try rows.text(row, 4),
      schemaVersion: try rows.int2(row, 5),
      payload: try rows.bytes(row, 6),
      commandID: Identifier(halves: try rows.uuid(row, 7)),
      commandIndex: try rows.int4(row, 8),
      actor: try rows.text(row, 9),
      causationID: try rows.uuidOrNil(row, 10).map(Identifier.init(halves:)),
      correlationID: try rows.uuidOrNil(row, 11).map(Identifier.init(halves:)),
      moment: try rows.timestamptz(row, 12),
      bookDate: try rows.date(row, 13),
      ruleSet: try rows.int4(row, 14))
  }

  /// The row of an event that is about to be appended, or that was read and decoded.
  ///
  /// - Parameter actor: the origin's actor as text, where the caller has it at hand.
  init(_ event: Event, _ origin: EventOrigin, payload: [UInt8], actor: String) {
    self.init(
      position: origin.position, streamKind: origin.stream.kind.rawValue, streamID: origin.stream.id,
      streamVersion: origin.version, type: event.type, schemaVersion: Int16(event.schemaVersion), payload: payload,
      commandID: origin.commandID, commandIndex: Int32(origin.index), actor: actor, causationID: origin.causation,
      correlationID: origin.correlation == origin.commandID ? nil : origin.correlation,
      moment: origin.moment.microseconds, bookDate: origin.bookDate.daysSince1970, ruleSet: Int32(origin.ruleSet))
  }
}

extension LogRow {
  /// The row that an event has, or would have, in the log.
  public init(_ event: AppendedEvent) {
    self.init(event.event, event.origin, payload: event.payload, actor: event.origin.actor.description)
  }
}

extension LogRow: Hashable {
  /// Byte for byte: the standard library takes two texts for equal that Unicode does, and an auditor mustn't.
  public static func == (left: LogRow, right: LogRow) -> Bool {
    left.position == right.position && left.streamKind.hasSameBytes(as: right.streamKind)
      && left.streamID == right.streamID && left.streamVersion == right.streamVersion
      && left.type.hasSameBytes(as: right.type) && left.schemaVersion == right.schemaVersion
      && left.payload == right.payload && left.commandID == right.commandID
      && left.commandIndex == right.commandIndex && left.actor.hasSameBytes(as: right.actor)
      && left.causationID == right.causationID && left.correlationID == right.correlationID
      && left.moment == right.moment && left.bookDate == right.bookDate && left.ruleSet == right.ruleSet
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(position)
    hasher.combine(commandID)
    hasher.combine(payload)
  }
}

extension LogReader {
  /// Rows after a position, in order, `limit` at most: one statement.
  public static func rows(after position: Int64, limit: Int, _ session: Session) throws -> [LogRow] {
    let rows = try session.execute(
      "select \(LogRow.columns) from events e where e.position > $1 order by e.position limit $2",
      [.int8(position), .int8(Int64(limit))])
    return try (0..<rows.count).map { try LogRow(rows, row: $0) }
  }
}

extension Identifier {
  init(halves: (UInt64, UInt64)) {
    self.init(high: halves.0, low: halves.1)
  }
}
