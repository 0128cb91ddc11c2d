import Commands
public import EventStore
public import Ledger
public import Logging
public import Postgres
import Synchronization

/// Keeps one read model up to date. Any number may run for one model, on any number of servers: one of them holds the
/// lease and works.
public protocol ProjectionRunning: Sendable {
  /// Follows the log until the task is cancelled. Whatever fails is tried again.
  func run() async
}

/// Follows the log for the live generation of one model: reads a run of events, and applies what they change in one short
/// transaction with the checkpoint. Killed at any point, it or another goes on where the checkpoint stands, so nothing
/// is lost or counted twice.
public final class ProjectionRunner<Model: AsyncReadModel>: ProjectionRunning {
  private let model = Model()
  private let pool: Pool
  private let reader: LogReader
  private let signal: HeadSignal
  private let options: ProjectionOptions
  private let logger: Logger
  private let owner: Identifier
  private let memory: Mutex<Model.Memory>

  /// - Parameters:
  ///   - pool: of the server's role; a connection is lent for one step at a time.
  ///   - owner: who this is, for the lease; one random id a process.
  public init(
    _: Model.Type = Model.self, pool: Pool, reader: LogReader, signal: HeadSignal,
    options: ProjectionOptions = ProjectionOptions(), owner: Identifier = .random(), logger: Logger
  ) {
    self.pool = pool
    self.reader = reader
    self.signal = signal
    self.options = options
    self.owner = owner
    var logger = logger
    logger[metadataKey: "model"] = "\(Model.name)"
    self.logger = logger
    memory = Mutex(model.emptyMemory)
  }

  public func run() async {
    var backoff = Backoff()
    var foreignForm: Int?
    while !Task.isCancelled {
      do {
        guard let lease = try await takeLease() else {
          try await tellOfForeignForm(&foreignForm)
          try await Task.sleep(for: options.lease / 4)
          continue
        }
        logger.debug(
          "following the log",
          metadata: [
            "generation": "\(lease.key.generation.number)", "position": "\(lease.position)", "epoch": "\(lease.epoch)",
          ])
        try await follow(from: lease, &backoff)
      } catch is LeaseLost {
        logger.debug("another server follows the log now")
      } catch is GenerationSwitched {
        logger.info("another generation is live")
      } catch {
        guard !Task.isCancelled else { return }
        let pause = backoff.next()
        logger.warning("the read model falls behind", metadata: ["error": "\(error)", "retry_in": "\(pause)"])
        try? await Task.sleep(for: pause)
      }
    }
  }

  private func takeLease() async throws -> ProjectionLease? {
    // What was remembered may be from before somebody else's turn.
    memory.withLock { $0 = model.emptyMemory }
    return try await pool.run { [owner, duration = options.lease, reader] session in
      let live = Generation(liveIn: try reader.head(session), of: Model.name)
      let key = ProjectionLease.Key(model: Model.name, generation: live)
      return try ProjectionLease.take(key, shape: Model.shape, owner: owner, for: duration, session)
    }
  }

  /// Says, once, that nobody of this build can follow the log for the live tables.
  private func tellOfForeignForm(_ told: inout Int?) async throws {
    let shape = try await pool.run { [reader] session in try ModelView(Model.name, reader, session).shape }
    guard shape > 0, shape != Model.shape, shape != told else { return }
    told = shape
    logger.warning(
      shape < Model.shape
        ? "the live tables have the form of an earlier release: kauri rebuild \(Model.name) makes them anew"
        : "the live tables have the form of a later release, whose servers or kauri project follow the log for them",
      metadata: ["live": "\(shape)", "known": "\(Model.shape)"])
  }

  private func follow(from taken: ProjectionLease, _ backoff: inout Backoff) async throws {
    var lease = taken
    do {
      var renewed = ContinuousClock.now
      while true {
        try Task.checkCancellation()
        let began = ContinuousClock.now
        let step = try await stepBeyond(lease)
        backoff.reset()
        if step.reached > lease.position {
          lease.position = step.reached
          renewed = .now
          // More is on its way, most likely: a step costs the same for one event as for many.
          if !step.isFull { try await Task.sleep(until: began + options.pace) }
        } else if step.isHeldBack {
          try await Task.sleep(until: began + options.pace)
        } else {
          if ContinuousClock.now - renewed > options.lease / 4 {
            try await renew(lease)
            renewed = .now
          }
          await signal.wait(beyond: lease.position, for: options.poll)
        }
      }
    } catch let error where Task.isCancelled || error is GenerationSwitched {
      await release(lease)
      throw error
    }
  }

  /// One run of events.
  /// - Returns: the position that the model has reached.
  package func step(_ lease: ProjectionLease) async throws -> Int64 {
    try await stepBeyond(lease).reached
  }

  private struct Step {
    /// The position that the model has reached.
    var reached: Int64
    /// Whether the run was as long as one may be.
    var isFull = false
    /// Whether it may go on only once the model that this one follows has.
    var isHeldBack = false
  }

  private func stepBeyond(_ lease: ProjectionLease) async throws -> Step {
    try await pool.run { [self] session in
      guard Generation(liveIn: try reader.head(session), of: Model.name) == lease.key.generation else {
        throw GenerationSwitched()
      }
      let reach = try Model.follows.map { try ModelView($0, reader, session).reached - lease.position }
      if let reach, reach <= 0 { return Step(reached: lease.position, isHeldBack: true) }
      let page = try reader.page(
        after: lease.position, limit: options.batchMaximum, types: Model.eventTypes,
        scanMaximum: min(reach ?? .max, LogReader.scanMaximum), session)
      guard page.through > lease.position else { return Step(reached: lease.position) }
      try apply(page, lease, session)
      return Step(reached: page.through, isFull: page.events.count == options.batchMaximum)
    }
  }

  /// What is lost with the last moments before a crash of the database is lost with its checkpoint, and is made again
  /// from the log. So nobody has to wait for the disk, and the writer's commits don't wait behind these.
  private static var begin: String { "begin; set local synchronous_commit = off" }

  private func apply(_ page: LogPage, _ lease: ProjectionLease, _ session: Session) throws {
    let changes = page.events.flatMap { event in
      model.changes(for: RecordedEvent(origin: event.origin, event: event.event))
    }
    try memory.withLock { memory in
      do {
        try session.transaction(ProjectionRunner.begin) {
          try lease.advance(to: page.through, for: options.lease, session)
          try model.apply(changes, to: lease.key.generation, remembering: &memory, session)
        }
      } catch {
        memory = model.emptyMemory
        throw error
      }
    }
  }

  private func renew(_ lease: ProjectionLease) async throws {
    try await pool.run { [duration = options.lease] session in
      try lease.advance(to: lease.position, for: duration, session)
    }
  }

  /// In a task of its own, because this one is cancelled. Where it fails, the lease ends by itself.
  private func release(_ lease: ProjectionLease) async {
    let released = Task { [pool] in try await pool.run { session in try lease.release(session) } }
    if case .failure(let error) = await released.result {
      logger.debug("the lease was not given back", metadata: ["error": "\(error)"])
    }
  }
}

/// How a runner goes about it.
public struct ProjectionOptions: Sendable {
  /// Events in one transaction, at most: enough to be quick, few enough for the transaction to be short.
  public var batchMaximum: Int
  /// The least time from one step to the next while steps aren't full: how far a busy model may be behind, so that
  /// many events share one transaction. The first event after a pause is taken at once.
  public var pace: Duration
  /// How long it waits for a sign of growth before it looks for itself.
  public var poll: Duration
  /// How long one that has gone silent keeps others waiting.
  public var lease: Duration

  public init(
    batchMaximum: Int = 2_000, pace: Duration = .milliseconds(100), poll: Duration = .milliseconds(500),
    lease: Duration = .seconds(10)
  ) {
    self.batchMaximum = max(1, batchMaximum)
    self.pace = pace
    self.poll = poll
    self.lease = lease
  }
}
