public import Commands
import Ledger

/// Makes sense of raw rows. It remembers the texts that it has met: nearly all rows have one of a few actors.
struct RowDecoder {
  private let codec: EventCodec
  /// With the very text: a dictionary takes two for one that only Unicode does.
  private var actors: [String: (text: String, actor: Actor)] = [:]
  /// Of the last row: the next one's is the same, most often.
  private var last: (text: String, actor: Actor)?

  init(_ codec: EventCodec) {
    self.codec = codec
  }

  /// - Throws: `ColumnFault` and `EventCodecFault`.
  mutating func decode(_ row: LogRow) throws -> AppendedEvent {
    guard let kind = StreamKind(rawValue: row.streamKind) else {
      throw ColumnFault(column: "stream_kind", value: row.streamKind)
    }
    let origin = EventOrigin(
      position: row.position, stream: StreamID(kind, row.streamID), version: row.streamVersion,
      commandID: row.commandID, index: Int(row.commandIndex), actor: try actor(row.actor), causation: row.causationID,
      correlation: row.correlationID ?? row.commandID, moment: Moment(microseconds: row.moment),
      bookDate: CalendarDate(daysSince1970: row.bookDate), ruleSet: Int(row.ruleSet))
    let event = try codec.decode(
      type: row.type, schemaVersion: Int(row.schemaVersion), payload: row.payload, command: row.commandID)
    return AppendedEvent(origin: origin, event: event, payload: row.payload)
  }

  private mutating func actor(_ text: String) throws -> Actor {
    if let last, last.text.hasSameBytes(as: text) { return last.actor }
    if let known = actors[text], known.text.hasSameBytes(as: text) {
      last = known
      return known.actor
    }
    guard let actor = Actor(recorded: text) else { throw ColumnFault(column: "actor", value: text) }
    actors[text] = (text, actor)
    last = (text, actor)
    return actor
  }
}

extension LogRow {
  /// What the row says, its personal text sealed still.
  ///
  /// - Throws: `EventCodecFault` for a payload, and another error for a column, that this build doesn't know.
  public func decoded(_ codec: EventCodec) throws -> AppendedEvent {
    var decoder = RowDecoder(codec)
    return try decoder.decode(self)
  }
}

/// Which column keeps a row from being read, and why.
struct UnreadableRow: Error, Hashable, Sendable {
  let column: String
  let reason: String

  init(_ error: any Error) {
    switch error {
    case let fault as ColumnFault:
      (column, reason) = (fault.column, fault.value)
    case let fault as EventCodecFault:
      switch fault {
      case .unknownType: column = "type"
      case .newerVersion, .noUpcaster: column = "schema_version"
      case .malformed(_, _, let json): column = "payload\(json.pointer)"
      }
      reason = fault.description
    default:
      (column, reason) = ("row", String(describing: error))
    }
  }
}
