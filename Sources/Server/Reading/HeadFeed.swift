public import Projections
import Synchronization

/// Those who follow the log live: how many there may be, what wakes them, and their end.
public final class HeadFeed: Sendable {
  private struct State {
    var followers = 0
    var isStopped = false
  }

  private let state = Mutex(State())
  private let signal: HeadSignal
  private let maximum: Int
  private let interval: Duration
  /// How long a follower's connection may be silent.
  let heartbeat: Duration

  /// - Parameters:
  ///   - signal: advanced whenever the log has grown.
  ///   - maximum: followers, at most.
  ///   - interval: how often a follower looks for itself, for a signal may be lost, and whether it is to end.
  public init(
    signal: HeadSignal, maximum: Int = ServerLimits().followers, interval: Duration = .seconds(1),
    heartbeat: Duration = .seconds(15)
  ) {
    self.signal = signal
    self.maximum = maximum
    self.interval = interval
    self.heartbeat = heartbeat
  }

  public var followers: Int { state.withLock { $0.followers } }

  /// Lets one more follower in.
  func join() throws(Problem) -> Follower {
    let refusal: ProblemCode? = state.withLock { state in
      if state.isStopped { return .shuttingDown }
      guard state.followers < maximum else { return .overloaded }
      state.followers += 1
      return nil
    }
    if let refusal { throw Problem(refusal) }
    return Follower(feed: self)
  }

  /// Ends every follower, and lets no more in.
  package func stop() {
    state.withLock { $0.isStopped = true }
  }

  /// One who follows the log, for as long as anybody holds on to this: an answer that is never sent ends it too.
  final class Follower: Sendable {
    private let feed: HeadFeed

    fileprivate init(feed: HeadFeed) { self.feed = feed }

    deinit {
      feed.state.withLock { $0.followers -= 1 }
    }

    /// There is nothing more to wait for.
    var isOver: Bool { Task.isCancelled || feed.state.withLock { $0.isStopped } }

    /// Waits until it is worth looking for events after `position`.
    ///
    /// - Returns: false when there is nothing more to wait for.
    func wait(after position: Int64) async -> Bool {
      if isOver { return false }
      await feed.signal.wait(beyond: position, for: feed.interval)
      return !isOver
    }
  }
}
