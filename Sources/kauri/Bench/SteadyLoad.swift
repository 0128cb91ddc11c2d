import Commands
import Ledger
import Synchronization

/// Transfers that come at a steady rate, whether or not those before them have been answered.
struct SteadyLoad: Sendable {
  var transfers: BenchTransfers
  var identifiers: TimeOrderedIdentifiers
}

/// Ends a load.
final class Stop: Sendable {
  private let state = Mutex(false)

  var isSet: Bool { state.withLock { $0 } }

  func now() { state.withLock { $0 = true } }
}

extension BenchEngine {
  /// Gives `rate` transfers a second until `stop`, a few at a time a hundred times a second. Latency counts from when a
  /// transfer was due, so that a stall shows in full.
  func run(_ load: SteadyLoad, rate: Double, until stop: Stop) async throws -> (BenchSample, SteadyLoad) {
    var load = load
    let count = max(1, Int(rate / 100))
    let interval = Duration.seconds(1) * (Double(count) / rate)
    let started = ContinuousClock.now
    var whole = try await withThrowingTaskGroup(of: BenchSample.self) { group in
      var due = started
      while !stop.isSet {
        try await Task.sleep(until: due)
        let commands = prepare(count, &load.transfers, &load.identifiers).flatMap { $0 }
        group.addTask { [due] in try await self.give(commands, due: due) }
        due += interval
      }
      return try await group.reduce(into: BenchSample()) { $0.add($1) }
    }
    whole.elapsed = ContinuousClock.now - started
    return (whole, load)
  }
}
