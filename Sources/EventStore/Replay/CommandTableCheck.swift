import Commands
import Ledger

/// Compares the table that makes commands happen once with the log: a row for every command, one for every id that a
/// movement chose for itself, and no other.
struct CommandTableCheck: Sendable {
  /// Rows that the log accounts for.
  private(set) var expectedRows: Int64 = 0
  /// Commands whose content was hashed again and is what the row says.
  private(set) var hashed = 0

  /// - Parameter content: what the command said, hashed.
  mutating func take(
    _ command: CommandRows, _ content: CommandContent, _ stored: [Identifier: StoredCommand]?,
    _ differences: inout LogDifferences
  ) {
    guard let first = command.rows.first else { return }
    expectedRows += 1
    let chosen = (try? first.event.get())?.event.chosenID(command: first.row.commandID)
    if chosen != nil { expectedRows += 1 }
    guard let stored else { return }
    compare(first.row.commandID, "command", stored, command, &differences)
    if let row = stored[first.row.commandID] { compare(row, content, at: first.row, &differences) }
    guard let chosen else { return }
    compare(chosen, "chosen id", stored, command, &differences)
    if let row = stored[chosen], row.contentHash != nil {
      differences.add(
        first.row.position, "commands.content_hash of chosen id \(chosen)", expected: "none", found: "a hash")
    }
  }

  /// Counts a command's rows without comparing them.
  mutating func pass(_ command: CommandRows) {
    var ignored = LogDifferences(keeping: 0)
    take(command, .notHashed, nil, &ignored)
  }

  private func compare(
    _ id: Identifier, _ what: String, _ stored: [Identifier: StoredCommand], _ command: CommandRows,
    _ differences: inout LogDifferences
  ) {
    let position = command.first
    guard let row = stored[id] else {
      return differences.add(position, "commands row of \(what) \(id)", expected: "a row", found: "nothing")
    }
    differences.compare(
      position, "commands.first_position of \(what) \(id)", expected: position, found: row.firstPosition)
    differences.compare(
      position, "commands.event_count of \(what) \(id)", expected: command.rows.count, found: row.count)
  }

  private mutating func compare(
    _ row: StoredCommand, _ content: CommandContent, at first: LogRow, _ differences: inout LogDifferences
  ) {
    var field: String { "commands.content_hash of command \(first.commandID)" }
    guard let found = row.contentHash else {
      return differences.add(first.position, field, expected: "a hash", found: "none")
    }
    guard case .hash(let expected) = content else { return }
    hashed += 1
    differences.compare(first.position, field, expected: expected, found: found) { bytes in
      bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
  }
}
