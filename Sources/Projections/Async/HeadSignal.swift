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
    var timer: Task<Void, Never>?

    func resume() {
      timer?.cancel()
      continuation.resume()
    }
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
    for waiter in woken { waiter.resume() }
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
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isDue = state.withLock { state in
          if state.position > position || Task.isCancelled { return true }
          state.waiters[id] = Waiter(beyond: position, continuation: continuation)
          return false
        }
        if isDue { continuation.resume() } else { startTimer(of: id, duration) }
      }
    } onCancel: {
      self.wake(id)
    }
    return self.position
  }

  /// Begins once the waiter is there to be woken: a timer that ends before that would wake nobody, ever.
  private func startTimer(of id: Int, _ duration: Duration) {
    let timer = Task {
      guard (try? await Task.sleep(for: duration)) != nil else { return }
      self.wake(id)
    }
    let isWaiting = state.withLock { state in
      state.waiters[id]?.timer = timer
      return state.waiters[id] != nil
    }
    if !isWaiting { timer.cancel() }
  }

  private func wake(_ id: Int) {
    let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
    waiter?.resume()
  }
}
