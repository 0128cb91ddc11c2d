import CLibpq
import Glibc
import Synchronization

/// Ends a session's wait from another thread, at once, whether or not the server answers.
///
/// `cancel()` wakes the waiting thread through an eventfd and asks the server, from a thread of its own, to cancel the
/// statement in progress (`PQcancel` blocks for as long as the postmaster doesn't answer). The call that waits throws
/// `.cancelled`: with the session usable when the server ended the statement within `cancelGrace`, else with the
/// session lost. It stays in force until `reset()`: the statements that follow throw `.cancelled` unsent.
public final class Interrupt: Sendable {
  private struct State {
    var isCancelled = false
    /// A statement is with the server, so there is something for it to cancel.
    var isBusy = false
    /// A request to cancel is on its way. It could hit the next statement, so none is sent before it has arrived.
    var isRequesting = false
    var isListening = false
    var request: CancelRequest?
  }

  private let state = Mutex(State())
  /// Readable when the session's thread has something to look at; negative when the system gave none.
  let descriptor: CInt

  public init() {
    descriptor = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Callable from any thread; never blocks.
  public func cancel() {
    state.withLock {
      $0.isCancelled = true
      if $0.isBusy { startRequest(&$0) }
    }
    signal()
  }

  /// Lets the session work again after `cancel()`.
  public func reset() {
    state.withLock { $0.isCancelled = false }
    drain()
  }

  public var isCancelled: Bool { state.withLock { $0.isCancelled } }

  // MARK: The session's side

  func attach(_ request: CancelRequest?) { state.withLock { $0.request = request } }

  /// - Returns: false when it is cancelled already and nothing may be sent.
  func begin(ignoringCancel: Bool) -> Bool {
    state.withLock {
      if $0.isCancelled && !ignoringCancel { return false }
      $0.isBusy = true
      return true
    }
  }

  func end() { state.withLock { $0.isBusy = false } }

  var isRequesting: Bool { state.withLock { $0.isRequesting } }

  /// Asks the server to cancel the statement in progress, unless it is being asked already.
  func requestCancel() { state.withLock { startRequest(&$0) } }

  func setListening(_ isListening: Bool) { state.withLock { $0.isListening = isListening } }

  /// Ends a wait for notifications early, because somebody else wants the session.
  func wakeIfListening() {
    if state.withLock({ $0.isListening }) { signal() }
  }

  func drain() {
    var count: UInt64 = 0
    _ = read(descriptor, &count, 8)
  }

  private func signal() {
    var one: UInt64 = 1
    _ = write(descriptor, &one, 8)
  }

  private func startRequest(_ state: inout State) {
    guard !state.isRequesting, let request = state.request else { return }
    do throws(PostgresError) {
      try Thread.start("pg-cancel") { [self] in
        request.send()
        self.state.withLock { $0.isRequesting = false }
        signal()
      }
      state.isRequesting = true
    } catch {
      // Without a thread there is no request; the session gives up when the grace has passed.
    }
  }
}

/// libpq's key to one backend.
///
/// `@unchecked`: `PQcancel` only reads what the pointer leads to, and may be called from any thread.
final class CancelRequest: @unchecked Sendable {
  private let pointer: OpaquePointer

  init?(_ connection: OpaquePointer) {
    guard let pointer = PQgetCancel(connection) else { return nil }
    self.pointer = pointer
  }

  deinit { PQfreeCancel(pointer) }

  func send() {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { reason in
      _ = PQcancel(pointer, reason.baseAddress, CInt(reason.count))
    }
  }
}
