import Synchronization

/// Where the log is known to end, for those in this process who wait for it to grow.
///
/// A hint and no more: it may be late, so whoever waits also looks for itself every so often.
public final class HeadSignal: Sendable {
  private struct State {
    var position: Int64 = 0
    var lastWaiter = 0
    var waiters: [Int: Waiter] = [:]
  }

  private struct Waiter {
    let beyond: Int64
    let continuation: CheckedContinuation<Void, Never>
  }

  private let state = Mutex(State())

  public init() {}

  /// The furthest position heard of.
  public var position: Int64 { state.withLock { $0.position } }

  /// Says that the log reaches to `position` at least; wakes whoever waits for that.
  public func advance(to position: Int64) {
    let woken = state.withLock { state -> [Waiter] in
      guard position > state.position else { return [] }
      state.position = position
      let due = state.waiters.filter { $0.value.beyond < position }
      for id in due.keys { state.waiters[id] = nil }
      return Array(due.values)
    }
    for waiter in woken { waiter.continuation.resume() }
  }

  /// Returns as soon as a position beyond `position` is heard of, when `duration` has passed, or when the task is
  /// cancelled.
  /// - Returns: the furthest position heard of.
  @discardableResult
  public func wait(beyond position: Int64, for duration: Duration) async -> Int64 {
    let id = state.withLock { state in
      state.lastWaiter += 1
      return state.lastWaiter
    }
    let timer = Task {
      try? await Task.sleep(for: duration)
      self.wake(id)
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state in
          if state.position > position || Task.isCancelled { return true }
          state.waiters[id] = Waiter(beyond: position, continuation: continuation)
          return false
        }
        if isDue { continuation.resume() }
      }
    } onCancel: {
      self.wake(id)
    }
    timer.cancel()
    return self.position
  }

  private func wake(_ id: Int) {
    let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
    waiter?.continuation.resume()
  }
}
