public import Ledger
public import Postgres

/// What the log knows of a command besides its events.
public struct StoredCommand: Hashable, Sendable {
  /// `PersonalKeyring.contentHash` of its content. Nil for an id that isn't a command's: an accepted movement chose it
  /// for itself.
  public var contentHash: [UInt8]?
  /// Of its first event.
  public var firstPosition: Int64
  /// Events.
  public var count: Int

  public init(contentHash: [UInt8]?, firstPosition: Int64, count: Int) {
    self.contentHash = contentHash
    self.firstPosition = firstPosition
    self.count = count
  }

  /// Finds those of the ids in its parameter, an array of UUIDs, that are taken.
  public static let select =
    "select command_id, content_hash, first_position, event_count from commands where command_id = any($1)"

  /// Reads what `select` gave.
  public static func decode(_ rows: Rows) throws(PostgresError) -> [CommandID: StoredCommand] {
    var commands: [CommandID: StoredCommand] = [:]
    commands.reserveCapacity(rows.count)
    for row in 0..<rows.count {
      let (high, low) = try rows.uuid(row, 0)
      commands[Identifier(high: high, low: low)] = StoredCommand(
        contentHash: try rows.bytesOrNil(row, 1), firstPosition: try rows.int8(row, 2),
        count: Int(try rows.int4(row, 3)))
    }
    return commands
  }
}
