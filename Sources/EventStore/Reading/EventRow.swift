import Commands
import Ledger
import Postgres

/// A row of the log that can't be read, and which one it is.
public struct LogFault: Error {
  public let position: Int64
  public let cause: any Error
}

extension LogFault: CustomStringConvertible {
  public var description: String { "event \(position): \(cause)" }
}

/// A column that holds what no build has ever written.
public struct ColumnFault: Error, Hashable, Sendable, CustomStringConvertible {
  public let column: String
  public let value: String

  public var description: String { "\(column) \(value) is unknown" }
}

/// Reads rows of `events`. It remembers the texts that it has met: nearly all rows have one of a few types and actors.
struct EventRowReader {
  /// In the order of `read`.
  static let columns = """
    e.position, e.stream_kind, e.stream_id, e.stream_version, e.type, e.schema_version, e.payload, e.command_id, \
    e.command_index, e.actor, e.causation_id, e.correlation_id, e.moment, e.book_date, e.rule_set
    """

  private let codec: EventCodec
  private var actors: [String: Actor] = [:]

  init(_ codec: EventCodec) {
    self.codec = codec
  }

  mutating func readAll(_ rows: Rows) throws -> [AppendedEvent] {
    var events: [AppendedEvent] = []
    events.reserveCapacity(rows.count)
    for row in 0..<rows.count {
      let position = try rows.int8(row, 0)
      do {
        events.append(try read(rows, row, at: position))
      } catch {
        throw LogFault(position: position, cause: error)
      }
    }
    return events
  }

  private mutating func read(_ rows: Rows, _ row: Int, at position: Int64) throws -> AppendedEvent {
    let command = try identifier(rows.uuid(row, 7))
    let payload = try rows.bytes(row, 6)
    let origin = EventOrigin(
      position: position,
      stream: StreamID(try kind(rows.text(row, 1)), try identifier(rows.uuid(row, 2))),
      version: try rows.int8(row, 3),
      commandID: command,
      index: Int(try rows.int4(row, 8)),
      actor: try actor(rows.text(row, 9)),
      causation: try rows.uuidOrNil(row, 10).map(identifier),
      correlation: try rows.uuidOrNil(row, 11).map(identifier) ?? command,
      moment: Moment(microseconds: try rows.timestamptz(row, 12)),
      bookDate: CalendarDate(daysSince1970: try rows.date(row, 13)),
      ruleSet: Int(try rows.int4(row, 14)))
    let event = try codec.decode(
      type: rows.text(row, 4), schemaVersion: Int(rows.int2(row, 5)), payload: payload, command: command)
    return AppendedEvent(origin: origin, event: event, payload: payload)
  }

  private func identifier(_ halves: (UInt64, UInt64)) -> Identifier {
    Identifier(high: halves.0, low: halves.1)
  }

  private func kind(_ text: String) throws -> StreamKind {
    guard let kind = StreamKind(rawValue: text) else { throw ColumnFault(column: "stream_kind", value: text) }
    return kind
  }

  private mutating func actor(_ text: String) throws -> Actor {
    if let known = actors[text] { return known }
    guard let actor = Actor(recorded: text) else { throw ColumnFault(column: "actor", value: text) }
    actors[text] = actor
    return actor
  }
}
