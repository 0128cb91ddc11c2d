import Commands
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

/// Reads rows of `events` and decodes them.
struct EventRowReader {
  private var decoder: RowDecoder

  init(_ codec: EventCodec) {
    decoder = RowDecoder(codec)
  }

  mutating func readAll(_ rows: Rows) throws -> [AppendedEvent] {
    var events: [AppendedEvent] = []
    events.reserveCapacity(rows.count)
    for row in 0..<rows.count {
      do {
        events.append(try decoder.decode(LogRow(rows, row: row)))
      } catch {
        throw LogFault(position: try rows.int8(row, 0), cause: error)
      }
    }
    return events
  }
}
