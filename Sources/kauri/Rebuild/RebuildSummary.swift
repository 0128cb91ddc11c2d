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
        + (report.continuedFrom.map { ", resumed after \($0.grouped)" } ?? ""),
    ]
    if report.switched { lines.append("  the log was locked for \(milliseconds(report.locked)) ms") }
    lines += (writer.totals(differences) + writer.lines(differences)).map { "  \($0)" }
    lines.append(
      report.switched
        ? "  the old tables are a copy from before the switch, erased customers' data too: --drop-old takes them away"
        : "  --accept makes it once more and switches all the same; --drop-old takes the new one away")
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
    writer.write(report.differences, to: &json)
    json.endObject()
    return String(decoding: json.bytes, as: UTF8.self)
  }

  private var writer: DifferenceWriter {
    DifferenceWriter(showsKind: true) { difference in
      [("old", difference.old), ("new", difference.new)]
    } words: { difference in
      switch difference.kind {
      case .onlyOld: "only the old generation has it"
      case .onlyNew: "only the new generation has it"
      case .changed: "old \(difference.old ?? "null"), new \(difference.new ?? "null")"
      }
    }
  }
}
