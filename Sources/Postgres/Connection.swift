/// A session for Swift concurrency: an actor on a thread of its own, where it may block.
///
/// One `run` is one hop to that thread, however many statements it holds: put a whole transaction in it. Cancelling the
/// Swift task cancels the statement in progress at once.
public actor Connection {
  private let executor: ThreadExecutor
  private let interrupt: Interrupt
  private var session: Session?
  private var idleSince = ContinuousClock.now

  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private init(name: String) throws(PostgresError) {
    let interrupt = Interrupt()
    self.interrupt = interrupt
    executor = try ThreadExecutor(name: name) { interrupt.wakeIfListening() }
  }

  /// Establishes a session on a thread of its own.
  /// - Throws: as `Session.init`; `.system` when there is no thread.
  public static func connect(_ configuration: ConnectionConfiguration) async throws -> Connection {
    let connection = try Connection(name: configuration.applicationName)
    try await connection.open(configuration)
    return connection
  }

  private func open(_ configuration: ConnectionConfiguration) async throws {
    try await cancellable { connection in
      connection.session = try Session(configuration, interrupt: connection.interrupt)
    }
  }

  /// Runs `body` on the connection's thread, with nothing of another task in between.
  /// - Throws: what `body` throws, and `PostgresError` with `.cancelled` when the task was cancelled.
  public func run<Value: Sendable>(_ body: @Sendable (Session) throws -> Value) async throws -> Value {
    try await cancellable { connection in try body(connection.opened()) }
  }

  /// Runs one statement and has `read` take what is wanted out of its rows.
  public func query<Value: Sendable>(
    _ sql: String, _ parameters: [Parameter] = [], _ read: @Sendable (Rows) throws -> Value
  ) async throws -> Value {
    try await run { session in try read(session.execute(sql, parameters)) }
  }

  /// Runs one statement.
  /// - Returns: the number of rows it touched.
  @discardableResult
  public func execute(_ sql: String, _ parameters: [Parameter] = []) async throws -> Int {
    try await run { session in try session.execute(sql, parameters).affected }
  }

  /// Cancels what the connection does just now, if anything, for whichever task.
  public nonisolated func cancel() { interrupt.cancel() }

  /// Ends the session, once what is under way is done.
  public func close() { session?.close() }

  public var isBroken: Bool { session?.isBroken ?? true }

  private func opened() throws(PostgresError) -> Session {
    guard let session else { throw PostgresError(.misuse, "the connection isn't open", isFatal: true) }
    return session
  }

  /// There is no suspension within, so no other task's run comes between the reset and the end of `body`, and the
  /// handler is gone before the next begins: a cancel reaches the task's own statement and no other.
  ///
  /// `body` takes the actor because a closure that doesn't capture it isn't isolated to it, and would block a thread of
  /// the cooperative pool instead of the connection's own.
  private func cancellable<Value>(_ body: (isolated Connection) throws -> Value) async throws -> Value {
    interrupt.reset()
    return try await withTaskCancellationHandler {
      assertIsolated()
      guard !interrupt.isCancelled else { throw PostgresError(.cancelled, "cancelled before it began") }
      return try body(self)
    } onCancel: {
      interrupt.cancel()
    }
  }
}

// MARK: - In a pool

extension Connection {
  enum Turn<Value: Sendable>: Sendable {
    /// The connection had been lost while it lay idle, and nothing was sent.
    case stale
    case done(Result<Value, any Error>, isReusable: Bool)
  }

  /// One hop for a pool's whole turn: is the server still there, `body`, and nothing left open.
  func turn<Value: Sendable>(
    askingAfter idle: Duration, _ body: @Sendable (Session) throws -> Value
  ) async -> Turn<Value> {
    guard isHealthy(askingAfter: idle) else { return .stale }
    let result: Result<Value, any Error>
    do {
      result = .success(try await run(body))
    } catch {
      result = .failure(error)
    }
    return .done(result, isReusable: tidy())
  }

  /// Whether the server is still there. Costs one poll(2), and a round trip when the connection has lain idle for long.
  func isHealthy(askingAfter idle: Duration) -> Bool {
    guard let session, session.isAlive else { return false }
    guard idleSince.duration(to: .now) >= idle else { return true }
    interrupt.reset()
    do throws(PostgresError) {
      try session.simple("", shielded: true)
      return true
    } catch {
      return false
    }
  }

  /// Rolls back what a task left open.
  /// - Returns: whether the next may have the connection.
  func tidy() -> Bool {
    guard let session else { return false }
    session.deadline = nil
    session.rollBack()
    idleSince = .now
    return !session.isBroken
  }
}

// MARK: - Notifications

extension Connection {
  /// Follows channels: LISTENs at the first `next()` and then yields what comes, until the task is cancelled or the
  /// connection is lost (both throw). What was sent before or between two connections is missed; look at the database
  /// itself after each start.
  public nonisolated func notifications(on channels: [String]) -> NotificationSequence {
    NotificationSequence(connection: self, channels: channels)
  }

  /// Other tasks' runs end a wait, so they never stand behind it.
  fileprivate func nextNotifications() async throws -> [Notification] {
    interrupt.setListening(true)
    defer { interrupt.setListening(false) }
    return try await run { session in
      // Whoever comes from now on ends the wait; whoever came before, while nobody listened, goes first.
      if waitingRuns > 0 { return [] }
      return try session.notifications(wait: .seconds(60))
    }
  }

  /// Calls from other tasks that wait for their turn.
  package nonisolated var waitingRuns: Int { executor.waitingJobs }

  fileprivate func listen(_ channels: [String]) async throws {
    try await run { session in for channel in channels { try session.listen(channel) } }
  }
}

/// The notifications of a connection's channels, in the order they come. Each loop over it has them all only when it
/// is the only one.
public struct NotificationSequence: AsyncSequence, Sendable {
  let connection: Connection
  let channels: [String]

  public func makeAsyncIterator() -> Iterator { Iterator(connection: connection, channels: channels) }

  public struct Iterator: AsyncIteratorProtocol {
    let connection: Connection
    let channels: [String]
    private var isListening = false
    private var arrived: ArraySlice<Notification> = []

    init(connection: Connection, channels: [String]) {
      self.connection = connection
      self.channels = channels
    }

    public mutating func next() async throws -> Notification? {
      if !isListening {
        try await connection.listen(channels)
        isListening = true
      }
      while arrived.isEmpty { arrived = try await connection.nextNotifications()[...] }
      return arrived.popFirst()
    }
  }
}
