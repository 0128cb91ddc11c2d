import Ledger
import Projections

/// What a rebuild came to, for people and for machines.
struct RebuildSummary {
  let report: RebuildReport

  private var read: Int64 { report.position - (report.continuedFrom ?? 0) }

  /// Of the part that is read in one go.
  private var rate: Int { Int(Double(report.filled) / max(report.filling / .seconds(1), 0.001)) }

  var text: String {
    let differences = report.differences
    var lines = [
      "\(report.model): generation \(report.newGeneration) "
        + (report.switched ? "is live" : "differs from \(report.oldGeneration), which stays live"),
      "  \(read.grouped) events in \(seconds(report.duration)), \(rate.grouped)/s"
        + (report.continuedFrom.map { ", gone on from \($0.grouped)" } ?? ""),
    ]
    if report.switched { lines.append("  the log was locked for \(milliseconds(report.locked)) ms") }
    for (table, rows) in differences.rows.sorted(by: { $0.key < $1.key }) where rows > 0 {
      lines.append("  \(table): \(rows.grouped) rows differ")
    }
    lines += differences.shown.map { "  \($0.text)" }
    if !report.switched { lines.append("  --accept switches all the same; --drop-old takes the new one away") }
    return lines.joined(separator: "\n")
  }

  private func seconds(_ duration: Duration) -> String {
    let tenths = Int((duration / .milliseconds(100)).rounded())
    return "\(tenths / 10).\(tenths % 10) s"
  }

  private func milliseconds(_ duration: Duration) -> Int { Int((duration / .milliseconds(1)).rounded(.up)) }

  var json: String {
    var json = JSONWriter()
    json.beginObject()
    json.field("model", report.model)
    json.field("switched", report.switched)
    json.field("old_generation", integer: report.oldGeneration)
    json.field("new_generation", integer: report.newGeneration)
    json.field("continued_from", integer: report.continuedFrom)
    json.field("position", integer: report.position)
    json.field("milliseconds", integer: milliseconds(report.duration))
    json.field("events_per_second", integer: rate)
    json.field("filled_events", integer: report.filled)
    json.field("filling_milliseconds", integer: milliseconds(report.filling))
    json.field("peak_memory_kib", integer: ProcessUsage.peakMemory)
    if report.switched { json.field("locked_milliseconds", integer: milliseconds(report.locked)) }
    json.key("differing_rows")
    json.beginObject()
    for (table, rows) in report.differences.rows.sorted(by: { $0.key < $1.key }) {
      json.key(table)
      json.integer(rows)
    }
    json.endObject()
    json.key("differences")
    json.beginArray()
    for difference in report.differences.shown { difference.write(to: &json) }
    json.endArray()
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }
}

extension RowDifference {
  fileprivate var text: String {
    let place = "\(table) " + key.map { "\($0.column)=\($0.value)" }.joined(separator: " ")
    switch kind {
    case .onlyOld: return "\(place): only the old generation has it"
    case .onlyNew: return "\(place): only the new generation has it"
    case .changed: return "\(place) \(column ?? ""): old \(old ?? "null"), new \(new ?? "null")"
    }
  }

  fileprivate func write(to json: inout JSONWriter) {
    json.beginObject()
    json.field("table", table)
    json.key("key")
    json.beginObject()
    for (column, value) in key {
      json.key(column)
      json.string(value)
    }
    json.endObject()
    json.field("kind", kind)
    json.field("column", column)
    json.field("old", old)
    json.field("new", new)
    json.endObject()
  }
}
