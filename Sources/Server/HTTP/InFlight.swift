import Ledger
import Synchronization

/// Counts the requests that are being answered, and refuses those beyond the bounds, so that a crowd costs the server
/// no more memory than the bounds allow and no caller takes all of it.
final class InFlight: Sendable {
  private struct Counts {
    var total = 0
    var callers: [Actor: Int] = [:]
  }

  private let counts = Mutex(Counts())
  let maximum: Int
  let maximumPerCaller: Int

  init(maximum: Int, maximumPerCaller: Int) {
    self.maximum = maximum
    self.maximumPerCaller = maximumPerCaller
  }

  var total: Int { counts.withLock { $0.total } }

  /// Counts one more request in; whoever was let in must `leave`.
  func enter() throws(Problem) {
    let isIn = counts.withLock { counts in
      guard counts.total < maximum else { return false }
      counts.total += 1
      return true
    }
    if !isIn { throw Problem(.overloaded) }
  }

  func leave() {
    counts.withLock { $0.total -= 1 }
  }

  /// Counts one more request of `caller` in; whoever was let in must `leave`.
  func enter(_ caller: Actor) throws(Problem) {
    let isIn = counts.withLock { counts in
      let count = counts.callers[caller, default: 0]
      guard count < maximumPerCaller else { return false }
      counts.callers[caller] = count + 1
      return true
    }
    if !isIn { throw Problem(.tooManyRequests) }
  }

  func leave(_ caller: Actor) {
    counts.withLock { counts in
      let count = counts.callers[caller, default: 1] - 1
      counts.callers[caller] = count == 0 ? nil : count
    }
  }
}
