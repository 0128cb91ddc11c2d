public import CoreMetrics
import Synchronization

/// A backend of swift-metrics that answers scrapes in Prometheus' text format 0.0.4.
///
/// | swift-metrics | Prometheus |
/// | --- | --- |
/// | Counter, FloatingPointCounter | counter |
/// | Gauge, Meter, Recorder without aggregation | gauge |
/// | Timer | histogram, in seconds |
/// | Recorder with aggregation | histogram, of plain numbers |
public final class PrometheusMetrics: MetricsFactory {
  /// One metric under its name, with its labels.
  struct Key: Hashable {
    let name: String
    /// Sorted by name, so that one set of labels is one series.
    let labels: [Label]
  }

  struct Label: Hashable {
    let name: String
    let value: String
  }

  private let series = Mutex<[Key: any PrometheusSeries]>([:])
  private let help: [String: String]

  /// - Parameter help: a line about each metric, by its name.
  public init(help: [String: String] = [:]) {
    self.help = help
  }

  // MARK: Making

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    find(label, dimensions) { CounterSeries() }
  }

  public func makeFloatingPointCounter(
    label: String, dimensions: [(String, String)]
  ) -> any FloatingPointCounterHandler {
    find(label, dimensions) { FloatingCounterSeries() }
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    find(label, dimensions) { GaugeSeries() }
  }

  public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    if aggregate { return find(label, dimensions) { HistogramSeries(bounds: HistogramSeries.sizes) } }
    return find(label, dimensions) { GaugeSeries() }
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    find(label, dimensions) { HistogramSeries(bounds: HistogramSeries.seconds) }
  }

  // Series stay: one that vanished and came back would look to Prometheus like a restart.
  public func destroyCounter(_ handler: any CounterHandler) {}
  public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
  public func destroyMeter(_ handler: any MeterHandler) {}
  public func destroyRecorder(_ handler: any RecorderHandler) {}
  public func destroyTimer(_ handler: any TimerHandler) {}

  /// The series of a name and labels. A name that is in use for another kind of metric gets one that is never shown:
  /// two kinds under one name would spoil the whole scrape.
  private func find<Series: PrometheusSeries>(
    _ name: String, _ dimensions: [(String, String)], _ make: () -> Series
  ) -> Series {
    let key = Key(
      name: PrometheusText.name(name),
      labels: dimensions.map { Label(name: PrometheusText.labelName($0.0), value: $0.1) }.sorted { $0.name < $1.name })
    return series.withLock { series in
      if let known = series[key] { return known as? Series ?? make() }
      let made = make()
      if let other = series.first(where: { $0.key.name == key.name })?.value, other.kind != made.kind { return made }
      series[key] = made
      return made
    }
  }

  // MARK: Showing

  /// All series, as a scrape wants them.
  public func render() -> [UInt8] {
    var text = PrometheusText()
    let families = Dictionary(grouping: series.withLock { Array($0) }, by: \.key.name)
    for (name, family) in families.sorted(by: { $0.key < $1.key }) {
      guard let first = family.first else { continue }
      text.family(name, help: help[name], kind: first.value.kind)
      for (key, series) in family.sorted(by: { $0.key.labels.lexicographicallyPrecedes($1.key.labels) }) {
        series.write(key, to: &text)
      }
    }
    return text.bytes
  }
}

extension PrometheusMetrics.Label: Comparable {
  static func < (left: Self, right: Self) -> Bool { (left.name, left.value) < (right.name, right.value) }
}
