import EventStore
import Ledger
import Synchronization

/// A clock that a test moves.
final class TestClock: Sendable {
  private let ahead = Mutex<Int64>(0)

  var now: Moment { Moment(microseconds: Moment.now.microseconds + ahead.withLock { $0 }) }

  func advance(seconds: Int64) { ahead.withLock { $0 += seconds * 1_000_000 } }
}
