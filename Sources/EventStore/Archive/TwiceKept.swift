import Ledger

extension LogRow {
  /// Where the database's copy of an archived row isn't that row, column by column.
  func differences(inDatabase other: LogRow) -> [LogDifference] {
    guard self != other else { return [] }
    var differences: [LogDifference] = []
    func compare<Value>(_ column: String, _ value: (LogRow) -> Value, _ same: (Value, Value) -> Bool) {
      guard !same(value(self), value(other)) else { return }
      let (expected, found) = (value(self), value(other))
      differences.append(
        LogDifference(
          position: position, field: TwiceKept.field(column), expected: String(describing: expected),
          found: String(describing: found)))
    }
    // Byte for byte, as rows are compared.
    func sameText(_ one: String, _ other: String) -> Bool { one.hasSameBytes(as: other) }
    compare("stream_kind", \.streamKind, sameText)
    compare("stream_id", \.streamID, ==)
    compare("stream_version", \.streamVersion, ==)
    compare("type", \.type, sameText)
    compare("schema_version", \.schemaVersion, ==)
    if let payload = PayloadDifference(expected: payload, found: other.payload) {
      differences.append(
        LogDifference(
          position: position, field: TwiceKept.field("payload\(payload.pointer)"), expected: payload.expected,
          found: payload.found))
    }
    compare("command_id", \.commandID, ==)
    compare("command_index", \.commandIndex, ==)
    compare("actor", \.actor, sameText)
    compare("causation_id", { $0.causationID?.description ?? "NULL" }, ==)
    compare("correlation_id", { $0.correlationID?.description ?? "NULL" }, ==)
    compare("moment", { Moment(microseconds: $0.moment) }, ==)
    compare("book_date", { CalendarDate(daysSince1970: $0.bookDate) }, ==)
    compare("rule_set", \.ruleSet, ==)
    return differences
  }
}

/// Rows that stand in a segment and in the database.
enum TwiceKept {
  /// - Parameters:
  ///   - archived: what the segments have, in order.
  ///   - stored: what the database has of the same range, in order.
  ///   - unreadable: what the database has and can't be read.
  ///   - isArchived: whether a segment has a position.
  /// - Returns: where the database's row is another, or is missing between two that are there.
  static func differences(
    archived: [LogRow], stored: [LogRow], unreadable: Set<Int64>, isArchived: (Int64) -> Bool
  ) -> [LogDifference] {
    var own: [Int64: LogRow] = [:]
    for row in archived { own[row.position] = row }
    var differences: [LogDifference] = []
    for row in stored where isArchived(row.position) {
      if let twin = own[row.position] {
        differences += twin.differences(inDatabase: row)
      } else {
        differences.append(
          LogDifference(
            position: row.position, field: "row in the archive", expected: "the database's row",
            found: "none that can be read"))
      }
    }
    // A partition is detached as a whole and is larger than any page, so what is missing between two was deleted.
    let present = Set(stored.map(\.position)).union(unreadable)
    guard let first = present.min(), let last = present.max() else { return differences }
    for row in archived where (first...last).contains(row.position) && !present.contains(row.position) {
      differences.append(
        LogDifference(
          position: row.position, field: field("row"), expected: "the row that the archive has", found: "nothing"))
    }
    return differences
  }

  static func field(_ column: String) -> String { "\(column) in the database" }
}
