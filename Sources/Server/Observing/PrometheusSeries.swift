import CoreMetrics
import Synchronization

/// One series of numbers, as Prometheus knows it.
protocol PrometheusSeries: AnyObject, Sendable {
  /// `counter`, `gauge` or `histogram`.
  var kind: String { get }
  func write(_ key: PrometheusMetrics.Key, to text: inout PrometheusText)
}

final class CounterSeries: PrometheusSeries, CounterHandler {
  let kind = "counter"
  private let value = Atomic<Int64>(0)

  func increment(by amount: Int64) {
    // A counter never falls (the format's definition).
    guard amount > 0 else { return }
    value.wrappingAdd(amount, ordering: .relaxed)
  }

  func reset() { value.store(0, ordering: .relaxed) }

  func write(_ key: PrometheusMetrics.Key, to text: inout PrometheusText) {
    text.sample(key.name, key.labels, String(value.load(ordering: .relaxed)))
  }
}

final class FloatingCounterSeries: PrometheusSeries, FloatingPointCounterHandler {
  let kind = "counter"
  private let value = Mutex(0.0)

  func increment(by amount: Double) {
    guard amount > 0 else { return }
    value.withLock { $0 += amount }
  }

  func reset() { value.withLock { $0 = 0 } }

  func write(_ key: PrometheusMetrics.Key, to text: inout PrometheusText) {
    text.sample(key.name, key.labels, PrometheusText.number(value.withLock { $0 }))
  }
}

final class GaugeSeries: PrometheusSeries, MeterHandler, RecorderHandler {
  let kind = "gauge"
  private let value = Mutex(0.0)

  func set(_ value: Int64) { set(Double(value)) }
  func set(_ value: Double) { self.value.withLock { $0 = value } }
  func increment(by amount: Double) { value.withLock { $0 += amount } }
  func decrement(by amount: Double) { value.withLock { $0 -= amount } }
  func record(_ value: Int64) { set(Double(value)) }
  func record(_ value: Double) { set(value) }

  func write(_ key: PrometheusMetrics.Key, to text: inout PrometheusText) {
    text.sample(key.name, key.labels, PrometheusText.number(value.withLock { $0 }))
  }
}

final class HistogramSeries: PrometheusSeries, TimerHandler, RecorderHandler {
  /// Upper bounds in seconds: from what a route costs to what a client waits.
  static let seconds: [Double] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
  ]
  /// Upper bounds for sizes: of batches, above all.
  static let sizes: [Double] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000]

  private struct State {
    /// Per bound, and the last for what is above them all; not cumulative.
    var counts: [Int64]
    var sum = 0.0
  }

  let kind = "histogram"
  private let bounds: [Double]
  private let state: Mutex<State>

  init(bounds: [Double]) {
    self.bounds = bounds
    state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
  }

  func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
  func record(_ value: Int64) { record(Double(value)) }

  func record(_ value: Double) {
    let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
    state.withLock { state in
      state.counts[bucket] += 1
      state.sum += value
    }
  }

  func write(_ key: PrometheusMetrics.Key, to text: inout PrometheusText) {
    let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
    var total: Int64 = 0
    for (index, count) in counts.enumerated() {
      total += count
      let bound = index < bounds.count ? PrometheusText.number(bounds[index]) : "+Inf"
      text.sample(
        key.name + "_bucket", key.labels + [PrometheusMetrics.Label(name: "le", value: bound)], String(total))
    }
    text.sample(key.name + "_sum", key.labels, PrometheusText.number(sum))
    text.sample(key.name + "_count", key.labels, String(total))
  }
}
