import Glibc
import Histogram
import Ledger
import LocalStack

/// What came of a bench, for people and for machines.
struct BenchReport {
  let settings: BenchSettings
  var series: [BenchSeries] = []
  /// Transactions a second of each rival script, a figure a round, by the target they were run in turn with.
  var rivals: [(target: String, script: BenchRival.Script, rates: [Double])] = []
  /// Requests a second of a bare route, a figure a round.
  var bare: [Double] = []
  /// Transfers a second of the engine without sealing, a figure a round.
  var unsealed: [Double] = []

  // MARK: For machines

  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("machine")
    writer.beginObject()
    for (key, value) in Machine.facts {
      writer.key(key)
      writer.string(value)
    }
    writer.endObject()
    writer.key("settings")
    settings.write(to: &writer)
    writer.key("results")
    writer.beginArray()
    for one in series { write(one, to: &writer) }
    writer.endArray()
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private func write(_ series: BenchSeries, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("target", series.name)
    writer.field("unit", series.unit)
    writer.field("rate_median", integer: Int(series.rate.rounded()))
    writer.key("rates")
    writer.beginArray()
    for sample in series.samples { writer.integer(Int(sample.rate.rounded())) }
    writer.endArray()
    writer.field("operations", integer: series.samples.reduce(0) { $0 + $1.operations })
    writer.field("declined", integer: series.samples.reduce(0) { $0 + $1.declined })
    writer.key("latency_microseconds")
    writer.beginObject()
    for (name, percentile) in BenchReport.percentiles {
      writer.key(name)
      writer.integer(Int(series.median { Double($0.latency.valueAtPercentile(percentile)) }))
    }
    writer.endObject()
    if !series.resident.isEmpty {
      writer.key("server_resident_kib")
      writer.beginArray()
      for size in series.resident { writer.integer(size) }
      writer.endArray()
    }
    let peaks = series.samples.compactMap(\.peakMemory)
    if !peaks.isEmpty {
      writer.key("peak_memory_kib")
      writer.beginArray()
      for size in peaks { writer.integer(size) }
      writer.endArray()
    }
    for rival in rivals where rival.target == series.name {
      let rate = BenchSeries.median(rival.rates)
      writer.key("pgbench_\(rival.script.letter)")
      writer.beginObject()
      writer.field("script", rival.script.rawValue)
      writer.field("rate_median", integer: Int(rate.rounded()))
      writer.field("ratio_percent", integer: Int((series.rate / max(rate, 1) * 100).rounded()))
      writer.endObject()
    }
    if series.name == BenchTarget.single.rawValue, !bare.isEmpty {
      let rate = BenchSeries.median(bare)
      writer.field("bare_rate_median", integer: Int(rate.rounded()))
      writer.field("ratio_to_bare_percent", integer: Int((series.rate / max(rate, 1) * 100).rounded()))
    }
    if series.name == BenchTarget.engine.rawValue, !unsealed.isEmpty {
      writer.field("unsealed_rate_median", integer: Int(BenchSeries.median(unsealed).rounded()))
      writer.key("unsealed_rates")
      writer.beginArray()
      for rate in unsealed { writer.integer(Int(rate.rounded())) }
      writer.endArray()
    }
    writer.endObject()
  }

  private static let percentiles: [(String, Double)] = [("p50", 50), ("p99", 99), ("p99_9", 99.9), ("max", 100)]

  // MARK: For people

  var text: String {
    var lines = Machine.facts.map { "\($0.0): \($0.1)" }
    lines.append(settings.text)
    for one in series {
      let rates = one.samples.map(\.rate)
      lines.append("")
      lines.append(
        "\(one.name): \(Int(one.rate).grouped) \(one.unit)/s (median of \(rates.count); "
          + "\(Int(rates.min() ?? 0).grouped) to \(Int(rates.max() ?? 0).grouped))")
      let latencies = BenchReport.percentiles.map { name, percentile in
        "\(name) \(BenchReport.milliseconds(one.median { Double($0.latency.valueAtPercentile(percentile)) }))"
      }
      lines.append("  latency in ms, \(one.latencyOf): \(latencies.joined(separator: ", "))")
      let declined = one.samples.reduce(0) { $0 + $1.declined }
      if declined > 0 { lines.append("  declined: \(declined.grouped)") }
      if let first = one.resident.first {
        let later = one.resident.dropFirst().map { ($0 / 1_024).grouped }.joined(separator: ", ")
        lines.append("  server's memory in MiB: \((first / 1_024).grouped) before, and after each round \(later)")
      }
      let peaks = one.samples.compactMap(\.peakMemory).map { ($0 / 1_024).grouped }
      if !peaks.isEmpty { lines.append("  the process's memory in MiB, at most: \(peaks.joined(separator: ", "))") }
      for rival in rivals where rival.target == one.name {
        let rate = BenchSeries.median(rival.rates)
        lines.append(
          "  pgbench (\(rival.script.letter)) \(rival.script.rawValue): \(Int(rate).grouped)/s, "
            + "so \(BenchReport.ratio(one.rate, rate)) times that")
      }
      if one.name == BenchTarget.engine.rawValue, !unsealed.isEmpty {
        let rate = BenchSeries.median(unsealed)
        lines.append(
          "  without sealing: \(Int(rate).grouped)/s (median of \(unsealed.count); "
            + "\(Int(unsealed.min() ?? 0).grouped) to \(Int(unsealed.max() ?? 0).grouped)), "
            + "so with it \(BenchReport.ratio(one.rate, rate)) of that")
      }
      if one.name == BenchTarget.single.rawValue, !bare.isEmpty {
        let rate = BenchSeries.median(bare)
        lines.append("  a bare route: \(Int(rate).grouped)/s, so \(BenchReport.ratio(one.rate, rate)) of that")
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func milliseconds(_ microseconds: Double) -> String {
    let hundredths = Int(microseconds / 10)
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
  }

  private static func ratio(_ left: Double, _ right: Double) -> String {
    let hundredths = Int((left / max(right, 1) * 100).rounded())
    return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
  }
}

extension BenchSeries {
  /// What one latency is of.
  fileprivate var latencyOf: String {
    if name.hasPrefix(BenchTarget.rebuild.rawValue) { return "the log's lock for the switch" }
    return name == BenchTarget.engine.rawValue ? "of a chunk given to the engine" : "of a request"
  }
}

/// What the figures were measured on.
enum Machine {
  static var facts: [(String, String)] {
    let information = Files.read("/proc/cpuinfo") ?? ""
    let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
    let memory = (Files.read("/proc/meminfo") ?? "").split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
    let kibibytes = memory?.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0
    let kernel = Files.read("/proc/sys/kernel/osrelease") ?? ""
    return [
      ("processor", model.map { String($0.drop { $0 != ":" }.dropFirst(2)) } ?? "unknown"),
      ("cores", "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))"),
      ("memory", "\(kibibytes / 1_048_576) GiB"),
      ("kernel", String(kernel.prefix { $0 != "\n" })),
    ]
  }
}
