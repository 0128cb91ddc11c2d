import Ledger
import Projections

/// Writes what differs for people and for machines; each command has its own words for the two sides.
struct DifferenceWriter {
  /// A value and what the command calls it.
  typealias Side = (label: String, value: String?)

  /// Whether JSON says which kind of difference it is.
  var showsKind = false
  let sides: @Sendable (RowDifference) -> [Side]
  let words: @Sendable (RowDifference) -> String

  /// A line for each difference that is shown.
  func lines(_ differences: Differences) -> [String] {
    differences.shown.map { difference in
      let place = difference.key.map { "\($0.column)=\($0.value)" } + [difference.column].compactMap { $0 }
      return "\(difference.table) \(place.joined(separator: " ")): \(words(difference))"
    }
  }

  /// A line for each table in which rows differ.
  func totals(_ differences: Differences) -> [String] {
    let tables = differences.rows.filter { $0.value > 0 }.sorted { $0.key < $1.key }
    return tables.map { "\($0.key): \($0.value.grouped) rows differ" }
  }

  /// The fields `differing_rows` and `differences` of the object that is being written.
  func write(_ differences: Differences, to json: inout JSONWriter) {
    json.key("differing_rows")
    json.beginObject()
    for (table, rows) in differences.rows.sorted(by: { $0.key < $1.key }) {
      json.key(table)
      json.integer(rows)
    }
    json.endObject()
    json.key("differences")
    json.beginArray()
    for difference in differences.shown { write(difference, to: &json) }
    json.endArray()
  }

  private func write(_ difference: RowDifference, to json: inout JSONWriter) {
    json.beginObject()
    json.field("table", difference.table)
    json.key("key")
    json.beginObject()
    for (column, value) in difference.key {
      json.key(column)
      json.string(value)
    }
    json.endObject()
    if showsKind { json.field("kind", difference.kind) }
    json.field("column", difference.column)
    for case (let label, let value?) in sides(difference) {
      json.key(label)
      json.string(value)
    }
    json.endObject()
  }
}
