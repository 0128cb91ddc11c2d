import Commands
import Ledger
import Synchronization

/// A writer that commits nothing and remembers everything, and that lets a batch through only when it is told to.
final class GatedWriter: BookWriter {
  private struct State {
    var batches: [[CommandEnvelope]] = []
    var isOpen: Bool
    /// Batches that may pass, when it isn't open.
    var passes = 0
    var waiting: CheckedContinuation<Void, Never>?
    var arrivals: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state: Mutex<State>

  init(isOpen: Bool = false) { state = Mutex(State(isOpen: isOpen)) }

  /// What has arrived so far.
  var batches: [[CommandEnvelope]] { state.withLock { $0.batches } }
  var sizes: [Int] { batches.map(\.count) }

  func commit(_ batch: [CommandEnvelope]) async -> [CommandResult] {
    let arrived = state.withLock { state in
      state.batches.append(batch)
      let ready = state.arrivals.filter { $0.count <= state.batches.count }
      state.arrivals.removeAll { $0.count <= state.batches.count }
      return ready.map(\.continuation)
    }
    for continuation in arrived { continuation.resume() }
    await withCheckedContinuation { continuation in
      let passes = state.withLock { state in
        if state.isOpen { return true }
        if state.passes > 0 {
          state.passes -= 1
          return true
        }
        state.waiting = continuation
        return false
      }
      if passes { continuation.resume() }
    }
    return batch.map { command in
      .recorded(
        CommandOutcome(commandID: command.id, command: command.instruction.name, verdict: .accepted, events: []),
        replayed: false)
    }
  }

  /// Lets one batch through.
  func pass() {
    let waiting = state.withLock { state in
      if state.waiting == nil { state.passes += 1 }
      return state.waiting.take()
    }
    waiting?.resume()
  }

  /// Lets every batch through from here on.
  func open() {
    let waiting = state.withLock { state in
      state.isOpen = true
      return state.waiting.take()
    }
    waiting?.resume()
  }

  /// Waits until so many batches have arrived.
  func arrival(of count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.batches.count >= count { return true }
        state.arrivals.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }
}
