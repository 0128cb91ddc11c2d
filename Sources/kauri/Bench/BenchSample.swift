import Commands
import Histogram
import Ledger

/// One run's figures.
struct BenchSample: Sendable {
  /// What was asked for, all of it answered.
  private(set) var operations = 0
  private(set) var declined = 0
  var elapsed: Duration = .zero
  /// In microseconds: of a request, or of a chunk given to the engine.
  private(set) var latency = Histogram<UInt64>(
    highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three)
  /// Of the server, in KiB, where there is one.
  var residentBefore: Int?
  var residentAfter: Int?
  /// Of the process that was measured, the most that it had, in KiB, where it is one of its own.
  var peakMemory: Int?

  /// Operations a second.
  var rate: Double { Double(operations) / max(elapsed / .seconds(1), 1e-9) }

  mutating func record(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    record(microseconds: UInt64(max(0, seconds)) * 1_000_000 + UInt64(max(0, attoseconds) / 1_000_000_000_000))
  }

  mutating func record(microseconds: UInt64) {
    latency.record(min(microseconds, latency.highestTrackableValue))
  }

  /// Counts operations that were answered.
  mutating func count(_ operations: Int, declined: Int = 0) {
    self.operations += operations
    self.declined += declined
  }

  mutating func count(_ result: CommandResult) throws {
    guard case .recorded(let outcome, false) = result else {
      throw BenchFault("a transfer was not recorded: \(result)")
    }
    operations += 1
    if case .declined = outcome.verdict { declined += 1 }
  }

  mutating func add(_ other: BenchSample) {
    operations += other.operations
    declined += other.declined
    latency.add(other.latency)
  }
}

/// Several runs of the same.
struct BenchSeries: Sendable {
  let name: String
  /// What is counted, in the plural.
  let unit: String
  var samples: [BenchSample] = []

  init(name: String, unit: String) {
    self.name = name
    self.unit = unit
  }

  /// The median of a figure over the runs.
  func median(_ figure: (BenchSample) -> Double) -> Double {
    BenchSeries.median(samples.map(figure))
  }

  static func median(_ figures: [Double]) -> Double {
    let sorted = figures.sorted()
    guard !sorted.isEmpty else { return 0 }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  var rate: Double { median(\.rate) }

  /// The server's memory in KiB before the first round and after each, where there is a server.
  var resident: [Int] {
    [samples.first?.residentBefore].compactMap { $0 } + samples.compactMap(\.residentAfter)
  }
}
