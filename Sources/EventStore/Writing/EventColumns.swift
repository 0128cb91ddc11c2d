import Ledger
import Postgres

/// Events on their way into the log: one binary array a column, so that a batch is one statement.
///
/// The arrays are unnested in the select list: there they advance together, a row at a time, while in FROM each would
/// first be copied into a store of its own.
struct EventColumns {
  static let insert = """
    insert into events (position, stream_kind, stream_id, stream_version, type, schema_version, payload, command_id, \
    command_index, actor, causation_id, correlation_id, moment, book_date, rule_set) \
    select unnest($1::bigint[]), unnest($2::text[]), unnest($3::uuid[]), unnest($4::bigint[]), unnest($5::text[]), \
    unnest($6::smallint[]), unnest($7::bytea[]), unnest($8::uuid[]), unnest($9::integer[]), unnest($10::text[]), \
    unnest($11::uuid[]), unnest($12::uuid[]), unnest($13::timestamptz[]), unnest($14::date[]), unnest($15::integer[])
    """

  private(set) var count = 0
  private var positions: ArrayBuilder<PGInt8>
  private var streamKinds: ArrayBuilder<PGText>
  private var streamIDs: ArrayBuilder<PGUUID>
  private var streamVersions: ArrayBuilder<PGInt8>
  private var types: ArrayBuilder<PGText>
  private var schemaVersions: ArrayBuilder<PGInt2>
  private var payloads: ArrayBuilder<PGBytea>
  private var commandIDs: ArrayBuilder<PGUUID>
  private var commandIndexes: ArrayBuilder<PGInt4>
  private var actors: ArrayBuilder<PGText>
  private var causations: ArrayBuilder<PGUUID>
  private var correlations: ArrayBuilder<PGUUID>
  private var moments: ArrayBuilder<PGTimestamptz>
  private var bookDates: ArrayBuilder<PGDate>
  private var ruleSets: ArrayBuilder<PGInt4>

  /// Commands of one caller often come together: its text is made once.
  private var lastActor: (actor: Actor, text: String)?

  init(reserving capacity: Int) {
    positions = .int8(reserving: capacity)
    streamKinds = .text(reserving: capacity)
    streamIDs = .uuid(reserving: capacity)
    streamVersions = .int8(reserving: capacity)
    types = .text(reserving: capacity)
    schemaVersions = .int2(reserving: capacity)
    payloads = .bytea(reserving: capacity, bytesEach: 320)
    commandIDs = .uuid(reserving: capacity)
    commandIndexes = .int4(reserving: capacity)
    actors = .text(reserving: capacity, bytesEach: 48)
    causations = .uuid(reserving: capacity)
    correlations = .uuid(reserving: capacity)
    moments = .timestamptz(reserving: capacity)
    bookDates = .date(reserving: capacity)
    ruleSets = .int4(reserving: capacity)
  }

  mutating func removeAll() {
    count = 0
    positions.removeAll()
    streamKinds.removeAll()
    streamIDs.removeAll()
    streamVersions.removeAll()
    types.removeAll()
    schemaVersions.removeAll()
    payloads.removeAll()
    commandIDs.removeAll()
    commandIndexes.removeAll()
    actors.removeAll()
    causations.removeAll()
    correlations.removeAll()
    moments.removeAll()
    bookDates.removeAll()
    ruleSets.removeAll()
  }

  /// - Returns: the row whose columns these are.
  mutating func append(_ event: Event, _ origin: EventOrigin, payload: [UInt8]) -> LogRow {
    let row = LogRow(event, origin, payload: payload, actor: text(of: origin.actor))
    count += 1
    positions.append(row.position)
    streamKinds.append(row.streamKind)
    streamIDs.append(row.streamID.high, row.streamID.low)
    streamVersions.append(row.streamVersion)
    types.append(row.type)
    schemaVersions.append(row.schemaVersion)
    payloads.append(row.payload)
    commandIDs.append(row.commandID.high, row.commandID.low)
    commandIndexes.append(row.commandIndex)
    actors.append(row.actor)
    causations.append(row.causationID.map { ($0.high, $0.low) })
    correlations.append(row.correlationID.map { ($0.high, $0.low) })
    moments.append(microsecondsSince1970: row.moment)
    bookDates.append(daysSince1970: row.bookDate)
    ruleSets.append(row.ruleSet)
    return row
  }

  var parameters: [Parameter] {
    [
      positions.parameter, streamKinds.parameter, streamIDs.parameter, streamVersions.parameter, types.parameter,
      schemaVersions.parameter, payloads.parameter, commandIDs.parameter, commandIndexes.parameter, actors.parameter,
      causations.parameter, correlations.parameter, moments.parameter, bookDates.parameter, ruleSets.parameter,
    ]
  }

  private mutating func text(of actor: Actor) -> String {
    if let lastActor, lastActor.actor == actor { return lastActor.text }
    let text = actor.description
    lastActor = (actor, text)
    return text
  }
}

/// The rows that make commands happen once.
struct CommandColumns {
  static let insert = """
    insert into commands (command_id, content_hash, first_position, event_count) \
    select unnest($1::uuid[]), unnest($2::bytea[]), unnest($3::bigint[]), unnest($4::integer[])
    """

  private(set) var count = 0
  private var ids: ArrayBuilder<PGUUID>
  private var hashes: ArrayBuilder<PGBytea>
  private var firstPositions: ArrayBuilder<PGInt8>
  private var eventCounts: ArrayBuilder<PGInt4>

  init(reserving capacity: Int) {
    ids = .uuid(reserving: capacity)
    hashes = .bytea(reserving: capacity, bytesEach: 16)
    firstPositions = .int8(reserving: capacity)
    eventCounts = .int4(reserving: capacity)
  }

  mutating func removeAll() {
    count = 0
    ids.removeAll()
    hashes.removeAll()
    firstPositions.removeAll()
    eventCounts.removeAll()
  }

  /// - Parameter hash: nil for an id of the client's own choice that the movement took.
  mutating func append(_ id: Identifier, hash: [UInt8]?, firstPosition: Int64, events: Int) {
    count += 1
    ids.append(id.high, id.low)
    hashes.append(hash)
    firstPositions.append(firstPosition)
    eventCounts.append(Int32(events))
  }

  var parameters: [Parameter] {
    [ids.parameter, hashes.parameter, firstPositions.parameter, eventCounts.parameter]
  }
}
