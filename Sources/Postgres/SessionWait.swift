import CLibpq
import Glibc

/// One call's dealings with the server, from what it sends to the last of the answer.
struct Exchange {
  /// Why it is being ended early: an interrupt or a deadline.
  enum Stop {
    case cancelled
    case timedOut
  }

  /// Interrupts don't count: the exchange undoes what an earlier one left.
  let isShielded: Bool
  var limit: ContinuousClock.Instant?
  var stop: Stop?
}

extension Session {
  /// How often a server that was asked to cancel is asked again: a request that arrives before the statement is lost.
  private static var cancelRepeat: Duration { .milliseconds(20) }
  /// How long a request to cancel may be on its way to the server; it takes the postmaster to fork.
  private static var requestTimeout: Duration { .seconds(2) }
  /// For what is done regardless of interrupts and deadlines, as rolling back.
  static var shieldedTimeout: Duration { .seconds(5) }

  /// Runs `body` as one exchange, if the session can start one.
  func converse<Value>(
    shielded: Bool = false, _ body: (OpaquePointer) throws(PostgresError) -> Value
  ) throws(PostgresError) -> Value {
    let connection = try begin(shielded: shielded)
    defer { end() }
    return try body(connection)
  }

  func begin(shielded: Bool = false) throws(PostgresError) -> OpaquePointer {
    guard let connection, loss == nil else { throw unusable }
    guard exchange == nil else {
      throw PostgresError(.misuse, "the session is in the middle of a pipeline, a COPY or another call")
    }
    try awaitCancelRequest()
    guard interrupt.begin(ignoringCancel: shielded) else { throw PostgresError(.cancelled, "cancelled unsent") }
    exchange = Exchange(isShielded: shielded, limit: nil, stop: nil)
    renewLimit()
    return connection
  }

  func end() {
    exchange = nil
    interrupt.end()
  }

  /// A request to cancel the statement before may still be on its way, and would hit the next one.
  private func awaitCancelRequest() throws(PostgresError) {
    guard interrupt.isRequesting else { return }
    let limit = ContinuousClock.now + Session.requestTimeout
    while interrupt.isRequesting {
      guard pollOnce(nil, until: limit) != .timedOut else {
        throw lose(.connectionLost, "a request to cancel doesn't arrive")
      }
    }
  }

  /// The wait starts over: something moved.
  func renewLimit() {
    guard exchange?.stop == nil, let isShielded = exchange?.isShielded else { return }
    let now = ContinuousClock.now
    if isShielded {
      exchange?.limit = now + Session.shieldedTimeout
    } else {
      let timeout = configuration.queryTimeout.map { now + $0 }
      exchange?.limit = [timeout, deadline].compactMap { $0 }.min()
    }
  }

  private var unusable: PostgresError {
    var error = loss ?? PostgresError(.connectionLost, "the session is closed", isFatal: true)
    error.isOutcomeUnknown = false
    return error
  }

  /// Gives the session up. The socket is closed at once, so that the server notices.
  func lose(_ kind: PostgresError.Kind, _ message: String) -> PostgresError {
    lose(PostgresError(kind, message))
  }

  func lose(_ error: PostgresError) -> PostgresError {
    var error = error
    error.isFatal = true
    error.isOutcomeUnknown = exchange != nil
    if loss == nil {
      var reason = error
      reason.kind = .connectionLost
      loss = reason
    }
    close()
    return error
  }

  // MARK: Waiting

  /// Waits until the socket is ready for any of `events`. Where an interrupt or a deadline comes first, the server is
  /// asked to cancel, and the wait goes on for `cancelGrace`.
  func wait(_ events: CInt) throws(PostgresError) {
    guard let connection else { throw unusable }
    let socket = pollfd(fd: PQsocket(connection), events: Int16(events), revents: 0)
    while true {
      noticeStop()
      switch pollOnce(socket, until: nextWakeUp) {
      case .ready: return
      case .signalled: continue
      case .timedOut: try passed()
      }
    }
  }

  /// Whether an interrupt or the deadline has come while there was always something to read or room to write.
  func noticeStop() {
    guard let exchange, exchange.stop == nil, !exchange.isShielded else { return }
    if interrupt.isCancelled {
      stop(.cancelled)
    } else if let limit = exchange.limit, limit <= .now {
      stop(.timedOut)
    }
  }

  private var nextWakeUp: ContinuousClock.Instant? {
    guard let exchange else { return nil }
    guard exchange.stop != nil, let limit = exchange.limit else { return exchange.limit }
    return min(limit, ContinuousClock.now + Session.cancelRepeat)
  }

  /// Has the server end the statement, and bounds the wait for it to do so.
  func stop(_ reason: Exchange.Stop, within grace: Duration? = nil) {
    exchange?.stop = reason
    exchange?.limit = ContinuousClock.now + (grace ?? configuration.cancelGrace)
    interrupt.requestCancel()
  }

  private func passed() throws(PostgresError) {
    guard let exchange, let limit = exchange.limit else { return }
    if ContinuousClock.now < limit { return interrupt.requestCancel() }
    switch exchange.stop {
    case .none where !exchange.isShielded: return  // The loop notices and asks the server to cancel.
    case .cancelled: throw lose(.cancelled, "cancelled, and the server doesn't answer")
    case .none, .timedOut: throw lose(.timeout, "the server doesn't answer")
    }
  }

  enum Readiness { case ready, signalled, timedOut }

  /// One poll(2) on the socket, if any, and on the interrupt's eventfd, which it empties.
  func pollOnce(_ socket: pollfd?, until limit: ContinuousClock.Instant?) -> Readiness {
    Session.pollOnce(socket, interrupt, until: limit)
  }

  static func pollOnce(
    _ socket: pollfd?, _ interrupt: Interrupt, until limit: ContinuousClock.Instant?
  ) -> Readiness {
    // poll(2) leaves out a negative descriptor.
    let none = pollfd(fd: -1, events: 0, revents: 0)
    let event = pollfd(fd: interrupt.descriptor, events: Int16(POLLIN), revents: 0)
    return withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) { descriptors in
      descriptors.initializeElement(at: 0, to: socket ?? none)
      descriptors.initializeElement(at: 1, to: event)
      let timeout = limit.map { CInt(clamping: max(0, (ContinuousClock.now.duration(to: $0)).milliseconds)) }
      let ready = poll(descriptors.baseAddress, 2, timeout ?? -1)
      guard ready != 0 else { return .timedOut }
      // The interrupt first: it is emptied here, so a caller who isn't told of it never hears of it. The socket
      // stays ready.
      if ready > 0, descriptors[1].revents != 0 {
        interrupt.drain()
        return .signalled
      }
      if ready > 0, descriptors[0].revents != 0 { return .ready }
      // The interrupt, or a signal that broke the wait off: either way the caller looks again.
      return .signalled
    }
  }
}
