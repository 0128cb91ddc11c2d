import EventStore
import Ledger
public import Projections
import Synchronization

/// Those who follow the log live: how many there may be, what wakes them, and their end.
public final class HeadFeed: Sendable {
  private struct State {
    var followers = 0
    var callers: [Actor: Int] = [:]
    var isStopped = false
  }

  private let state = Mutex(State())
  private let signal: HeadSignal
  private let maximum: Int
  private let maximumPerCaller: Int
  private let interval: Duration
  /// How long a follower's connection may be silent.
  let heartbeat: Duration

  /// - Parameters:
  ///   - signal: advanced whenever the log has grown.
  ///   - maximum: followers, at most.
  ///   - maximumPerCaller: those of one caller, at most, so that nobody keeps the others out.
  ///   - interval: how often a follower looks for itself, for a signal may be lost, and whether it is to end.
  public init(
    signal: HeadSignal, maximum: Int = ServerLimits().followers,
    maximumPerCaller: Int = ServerLimits().followersPerCaller, interval: Duration = .seconds(1),
    heartbeat: Duration = .seconds(15)
  ) {
    self.signal = signal
    self.maximum = maximum
    self.maximumPerCaller = maximumPerCaller
    self.interval = interval
    self.heartbeat = heartbeat
  }

  public var followers: Int { state.withLock { $0.followers } }

  /// Lets one more follower in.
  ///
  /// - Parameters:
  ///   - caller: whose it is. It counts for the caller until it ends, and not only until its answer begins.
  ///   - expires: when the caller's token does, and the follower with it.
  func join(_ caller: Actor, until expires: Moment) throws(Problem) -> Follower {
    let refusal: Problem? = state.withLock { state in
      if state.isStopped { return Problem(.shuttingDown) }
      let count = state.callers[caller, default: 0]
      guard count < maximumPerCaller else {
        return Problem(.tooManyRequests, "The caller follows the log \(count) times already.")
      }
      guard state.followers < maximum else { return Problem(.overloaded) }
      state.followers += 1
      state.callers[caller] = count + 1
      return nil
    }
    if let refusal { throw refusal }
    return Follower(feed: self, caller: caller, expires: expires)
  }

  private func leave(_ caller: Actor) {
    state.withLock { state in
      state.followers -= 1
      let count = state.callers[caller, default: 1] - 1
      state.callers[caller] = count == 0 ? nil : count
    }
  }

  /// Ends every follower, and lets no more in.
  package func stop() {
    state.withLock { $0.isStopped = true }
  }

  /// One who follows the log, for as long as anybody holds on to this: an answer that is never sent ends it too.
  final class Follower: Sendable {
    private let feed: HeadFeed
    private let caller: Actor
    private let expires: Moment
    private let hasEnded = Atomic(false)

    fileprivate init(feed: HeadFeed, caller: Actor, expires: Moment) {
      self.feed = feed
      self.caller = caller
      self.expires = expires
    }

    deinit { end() }

    /// Nobody reads on: the place is another's at once. Called once or more.
    func end() {
      if !hasEnded.exchange(true, ordering: .relaxed) { feed.leave(caller) }
    }

    /// There is nothing more to wait for.
    var isOver: Bool {
      Task.isCancelled || hasExpired || hasEnded.load(ordering: .relaxed) || feed.state.withLock { $0.isStopped }
    }

    /// Nobody vouches for the caller any more.
    var hasExpired: Bool { expires <= .now }

    /// Waits until it is worth looking for events after `position`, or whether it is over.
    func wait(after position: Int64) async {
      if isOver { return }
      let left = Duration.microseconds(max(0, expires.microseconds - Moment.now.microseconds))
      await feed.signal.wait(beyond: position, for: min(feed.interval, left))
    }
  }
}
