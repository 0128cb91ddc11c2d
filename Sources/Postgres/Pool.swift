import Synchronization

/// Connections for many tasks: opened as they are needed, lent to one task at a time, looked over before each turn, and
/// replaced when they are lost.
///
/// ```swift
/// let balance = try await pool.run { session in try session.execute(sql, [.uuid(account)]).int8(0, 0) }
/// ```
///
/// A transaction that a task leaves open is rolled back. What else it leaves in its session (SET, LISTEN, temporary
/// tables) the next one finds.
public final class Pool: Sendable {
  public struct Configuration: Sendable {
    public var connection: ConnectionConfiguration
    /// The most connections at once.
    public var maximumSize: Int
    /// The most tasks that may wait for others to give a connection back; the next is refused at once.
    public var maximumWaiting: Int
    /// The longest wait for a connection.
    public var acquisitionTimeout: Duration
    /// A connection that has lain idle for longer is asked for a sign of life before it is lent. (One that the server
    /// has closed is found out in any case.)
    public var askAfterIdle: Duration

    public init(
      connection: ConnectionConfiguration, maximumSize: Int = 8, maximumWaiting: Int = 1024,
      acquisitionTimeout: Duration = .seconds(5), askAfterIdle: Duration = .seconds(30)
    ) {
      self.connection = connection
      self.maximumSize = maximumSize
      self.maximumWaiting = maximumWaiting
      self.acquisitionTimeout = acquisitionTimeout
      self.askAfterIdle = askAfterIdle
    }
  }

  public struct Statistics: Sendable, Equatable {
    /// Connections there are, those being opened included.
    public var size: Int
    public var idle: Int
    public var lent: Int
    public var opening: Int
    /// Tasks that wait for a connection.
    public var waiting: Int
  }

  fileprivate struct Lease: Sendable {
    let id: PoolMachine.ConnectionID
    let connection: Connection
  }

  fileprivate struct Waiter {
    let lease: CheckedContinuation<Lease, any Error>
    var timer: Task<Void, Never>?
  }

  fileprivate struct State {
    var machine: PoolMachine
    var connections: [PoolMachine.ConnectionID: Connection] = [:]
    var waiters: [PoolMachine.WaiterID: Waiter] = [:]
    var lastWaiter = 0
    var shutdowns: [CheckedContinuation<Void, Never>] = []
  }

  public let configuration: Configuration
  fileprivate let state: Mutex<State>

  public init(_ configuration: Configuration) {
    self.configuration = configuration
    let machine = PoolMachine(
      maximumSize: configuration.maximumSize, maximumWaiting: configuration.maximumWaiting)
    state = Mutex(State(machine: machine))
  }

  /// A pool with the other bounds at their defaults.
  public convenience init(_ connection: ConnectionConfiguration, maximumSize: Int = 8) {
    self.init(Configuration(connection: connection, maximumSize: maximumSize))
  }

  /// Runs `body` in a session, on its connection's thread: one hop for a whole transaction. A connection that turns out
  /// to have been lost while it lay idle is replaced first; `body` never runs twice.
  /// - Throws: what `body` throws; `.poolExhausted`, `.poolShutDown`, `.cancelled`; why no connection could be opened.
  public func run<Value: Sendable>(_ body: @Sendable (Session) throws -> Value) async throws -> Value {
    while true {
      let lease = try await acquire()
      switch await lease.connection.turn(askingAfter: configuration.askAfterIdle, body) {
      case .stale: release(lease, isReusable: false)
      case .done(let result, let isReusable):
        release(lease, isReusable: isReusable)
        return try result.get()
      }
    }
  }

  /// Lends a connection for several runs, with other waits between them.
  /// - Throws: as `run`.
  public nonisolated(nonsending) func withConnection<Value>(
    _ body: (Connection) async throws -> Value
  ) async throws -> Value {
    while true {
      let lease = try await acquire()
      guard await lease.connection.isHealthy(askingAfter: configuration.askAfterIdle) else {
        release(lease, isReusable: false)
        continue
      }
      do {
        let value = try await body(lease.connection)
        release(lease, isReusable: await lease.connection.tidy())
        return value
      } catch {
        release(lease, isReusable: await lease.connection.tidy())
        throw error
      }
    }
  }

  public var stats: Statistics {
    state.withLock {
      let machine = $0.machine
      return Statistics(
        size: machine.size, idle: machine.idle.count, lent: machine.lent.count, opening: machine.opening.count,
        waiting: machine.waiting.count)
    }
  }

  /// Refuses whoever waits and whoever comes, closes what lies idle, and returns when the last task has given its
  /// connection back and the last connection is closed.
  public func shutdown() async {
    await withCheckedContinuation { (over: CheckedContinuation<Void, Never>) in
      let isOver = state.withLock { state in
        let isOver = state.machine.isShutDown && state.machine.size == 0
        if !isOver { state.shutdowns.append(over) }
        return isOver
      }
      if isOver { over.resume() } else { step { $0.shutDown() } }
    }
  }
}

// MARK: - Carrying out what the machine decides

extension Pool {
  /// What is left to do once the lock is given back.
  private enum Effect: Sendable {
    case lend(Lease, CheckedContinuation<Lease, any Error>)
    case refuse(CheckedContinuation<Lease, any Error>, any Error)
    case stopTimer(Task<Void, Never>)
    case open(PoolMachine.ConnectionID)
    case close(Lease)
    case finish(CheckedContinuation<Void, Never>)
  }

  private nonisolated(nonsending) func acquire() async throws -> Lease {
    let waiter = state.withLock { state in
      state.lastWaiter += 1
      return state.lastWaiter
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { lease in
        state.withLock { $0.waiters[waiter] = Waiter(lease: lease) }
        step { $0.acquire(waiter) }
        startTimer(waiter)
        // A cancel from before the waiter was known found nobody to withdraw.
        if Task.isCancelled { step { $0.withdraw(waiter, .cancelled) } }
      }
    } onCancel: {
      step { $0.withdraw(waiter, .cancelled) }
    }
  }

  private func release(_ lease: Lease, isReusable: Bool) {
    step { $0.released(lease.id, isReusable: isReusable) }
  }

  /// For a waiter that wasn't served at once.
  private func startTimer(_ waiter: PoolMachine.WaiterID) {
    state.withLock { state in
      guard state.waiters[waiter] != nil else { return }
      state.waiters[waiter]?.timer = Task { [weak self, timeout = configuration.acquisitionTimeout] in
        guard (try? await Task.sleep(for: timeout)) != nil else { return }
        self?.step { $0.withdraw(waiter, .timedOut) }
      }
    }
  }

  /// One step of the machine, and what follows from it: tasks are resumed and connections opened outside the lock.
  private func step(
    opened: Lease? = nil, failure: (any Error)? = nil,
    _ decide: @Sendable (inout PoolMachine) -> [PoolMachine.Action]
  ) {
    let due = state.withLock { state in
      if let opened { state.connections[opened.id] = opened.connection }
      return decide(&state.machine).flatMap { action in effects(of: action, failure, &state) }
    }
    for effect in due { carryOut(effect) }
  }

  private func effects(
    of action: PoolMachine.Action, _ failure: (any Error)?, _ state: inout State
  ) -> [Effect] {
    switch action {
    case .lend(let id, let waiter):
      guard let connection = state.connections[id], let served = state.waiters.removeValue(forKey: waiter) else {
        return []
      }
      return [.lend(Lease(id: id, connection: connection), served.lease)] + stopTimer(served)
    case .refuse(let waiter, let refusal):
      guard let refused = state.waiters.removeValue(forKey: waiter) else { return [] }
      return [.refuse(refused.lease, reason(refusal, failure))] + stopTimer(refused)
    case .open(let id):
      return [.open(id)]
    case .close(let id):
      guard let connection = state.connections.removeValue(forKey: id) else { return [] }
      return [.close(Lease(id: id, connection: connection))]
    case .finish:
      defer { state.shutdowns = [] }
      return state.shutdowns.map { .finish($0) }
    }
  }

  private func stopTimer(_ waiter: Waiter) -> [Effect] { waiter.timer.map { [.stopTimer($0)] } ?? [] }

  private func carryOut(_ effect: Effect) {
    switch effect {
    case .lend(let lease, let waiter): waiter.resume(returning: lease)
    case .refuse(let waiter, let error): waiter.resume(throwing: error)
    case .stopTimer(let timer): timer.cancel()
    case .finish(let shutdown): shutdown.resume()
    case .open(let id): open(id)
    case .close(let lease):
      Task {
        await lease.connection.close()
        step { $0.closed(lease.id) }
      }
    }
  }

  private func open(_ id: PoolMachine.ConnectionID) {
    Task {
      do {
        let connection = try await Connection.connect(configuration.connection)
        step(opened: Lease(id: id, connection: connection)) { $0.opened(id) }
      } catch {
        step(failure: error) { $0.openFailed(id) }
      }
    }
  }

  private func reason(_ refusal: PoolMachine.Refusal, _ failure: (any Error)?) -> any Error {
    switch refusal {
    case .tooManyWaiting: PostgresError(.poolExhausted, "too many tasks wait for a connection")
    case .timedOut: PostgresError(.poolExhausted, "no connection came free in time")
    case .cancelled: PostgresError(.cancelled, "cancelled while waiting for a connection")
    case .shutDown: PostgresError(.poolShutDown, "the pool has been shut down")
    case .connectFailed: failure ?? PostgresError(.connectFailed, "no connection")
    }
  }
}
