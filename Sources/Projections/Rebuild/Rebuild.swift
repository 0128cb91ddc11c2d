public import EventStore
import Ledger
public import Postgres

/// Rebuilds one read model beside the live one, on a bank that stays open.
///
/// ```
/// making ► filling ► catching up ► comparing ► switching ► switched
/// ```
///
/// A row of `projections` says that a new generation's tables are there, which events are in them, which build filled
/// them, and whether they were found different. Killed at any point it leaves the live generation as it was. The next
/// rebuild by the same build resumes a model that follows the log, unless it was found different; one that decisions
/// read is folded in memory, and begun again. Cancelled, it takes the new generation away. Whatever happens, the switch
/// is one transaction under the head's lock: before it the old generation is live, after it the new.
public struct Rebuild: Sendable {
  private let model: ReadModel
  private let configuration: ConnectionConfiguration
  private let codec: EventCodec
  private let options: RebuildOptions
  private let observe: @Sendable (RebuildProgress) -> Void

  /// - Parameters:
  ///   - database: of the owner's role.
  ///   - codec: needs no key: personal text stays as the log has it.
  ///   - observe: is told of every phase, and of every step within; from any thread.
  public init(
    _ model: ReadModel, database: ConnectionConfiguration, codec: EventCodec,
    options: RebuildOptions = RebuildOptions(), observe: @escaping @Sendable (RebuildProgress) -> Void = { _ in }
  ) {
    self.model = model
    configuration = database
    self.codec = codec
    self.options = options
    self.observe = observe
  }

  /// Fills a new generation, compares it with the live one, and switches to it when they agree, or when differences are
  /// accepted.
  ///
  /// - Throws: `RebuildFault`, `PostgresError`, `LogFault`: the new generation stays and is resumed.
  ///   `CancellationError` when the task was cancelled before the switch: then nothing of it stays.
  public func run() async throws -> RebuildReport {
    try await withSessions { sessions in
      do {
        let start = try await begin(sessions)
        return try await fill(start, model.fill(start.lease.key.generation, codec), sessions)
      } catch {
        guard Task.isCancelled else { throw error }
        try await withdraw(sessions)
        throw CancellationError()
      }
    }
  }

  /// Fills a generation of the comparison's own, compares it with the live one, and takes it away again, whatever it
  /// finds: nothing is switched, and what an interrupted rebuild left stays as it is. What a comparison that was killed
  /// left goes with whatever is done next.
  ///
  /// - Throws: as `run`; nothing of its own generation stays.
  public func compare() async throws -> RebuildReport {
    try await withSessions { sessions in
      let outcome: Result<RebuildReport, any Error>
      do {
        let start = try await begin(sessions, toCompare: true)
        let fill = model.fill(start.lease.key.generation, codec)
        outcome = .success(try await self.fill(start, fill, sessions, switches: false))
      } catch {
        outcome = .failure(error)
      }
      do {
        try await withdraw(sessions, comparison: true)
      } catch {
        // Why it failed at first says more than why it couldn't be tidied up.
        _ = try outcome.get()
        throw error
      }
      guard !Task.isCancelled else { throw CancellationError() }
      return try outcome.get()
    }
  }

  /// Drops every generation that isn't live, an unfinished one too, and what a comparison that was killed left.
  /// - Returns: which were dropped.
  public func dropOld() async throws -> [Int] {
    try await withSessions { sessions in
      let tables = GenerationTables(model: model)
      let reader = LogReader(codec: codec)
      let inventory = try await sessions.control.run { try tables.inventory(reader, $0) }
      var dropped: [Int] = []
      let comparison = inventory.hasComparison ? [Generation.comparison] : []
      for generation in inventory.old + inventory.unfinished.map(\.generation) + comparison {
        observe(progress(.dropping, generation, at: 0, of: 0))
        try await sessions.control.run { session in
          try session.transaction { try tables.drop(generation, session) }
        }
        dropped.append(generation.number)
      }
      return dropped
    }
  }

  // MARK: Before

  private func withSessions<Value: Sendable>(
    _ body: @Sendable (RebuildSessions) async throws -> Value
  ) async throws -> Value {
    let sessions = try await RebuildSessions.open(configuration, readers: options.readers)
    let outcome: Result<Value, any Error>
    do {
      try await lock(sessions)
      outcome = .success(try await body(sessions))
    } catch {
      outcome = .failure(error)
    }
    await sessions.close()
    return try outcome.get()
  }

  /// A rebuild that was killed just now may need a moment for its session to end.
  private func lock(_ sessions: RebuildSessions) async throws {
    let until = ContinuousClock.now + .seconds(2)
    while true {
      do {
        return try await sessions.control.run { [model] in try RebuildLock.take(model, $0) }
      } catch let fault as RebuildFault {
        guard ContinuousClock.now < until else { throw fault }
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }

  /// The new generation's tables are there, and its checkpoint is this rebuild's.
  struct Start: Sendable {
    var live: Generation
    var lease: ProjectionLease
    var isContinued: Bool
    var began = ContinuousClock.now
  }

  /// Finds the generation that an earlier run left, or makes the next one.
  ///
  /// - Parameter toCompare: whether it is never to be live: then one of its own is made, and no other is touched.
  private func begin(_ sessions: RebuildSessions, toCompare: Bool = false) async throws -> Start {
    observe(RebuildProgress(model: model.name, generation: 0, phase: .making, position: 0, target: 0))
    let tables = GenerationTables(model: model)
    let reader = LogReader(codec: codec)
    return try await sessions.control.run { [model, build = options.build] session in
      try session.transaction {
        try SchemaOfBuild.expect(session)
        let complete = try session.execute(
          "select position = 0 or exists (select from events where position = 1) from log_head")
        guard try complete.bool(0, 0) else { throw RebuildFault.incompleteLog(missing: 1) }
        let inventory = try tables.inventory(reader, session)
        // The lock says that nobody compares any more.
        if inventory.hasComparison { try tables.drop(.comparison, session) }
        let left = toCompare ? nil : try tables.resumable(inventory, by: build, session)
        let next = left ?? (toCompare ? .comparison : Generation(inventory.live.number + 1))
        if left == nil { try tables.make(next, by: toCompare ? nil : build, session) }
        // The lock says that whoever had it is gone.
        let key = ProjectionLease.Key(model: model.name, generation: next)
        guard let lease = try ProjectionLease.seize(key, owner: .random(), for: RebuildOptions.lease, session) else {
          throw RebuildFault.overtaken(model: model.name)
        }
        return Start(live: inventory.live, lease: lease, isContinued: left != nil)
      }
    }
  }

  private func fill<Fill: GenerationFill>(
    _ start: Start, _ fill: Fill, _ sessions: RebuildSessions, switches: Bool = true
  ) async throws -> RebuildReport {
    var run = RebuildRun(
      model: model, fill: fill, start: start, sessions: sessions, reader: LogReader(codec: codec), options: options,
      switches: switches, observe: observe)
    return try await run.finish()
  }

  // MARK: After

  /// Takes away whatever isn't live and hasn't been, whatever becomes of the calling task meanwhile. A cancellation that
  /// comes after the switch finds nothing.
  ///
  /// - Parameter comparison: whether the comparison's own generation is to go, and no other.
  private func withdraw(_ sessions: RebuildSessions, comparison: Bool = false) async throws {
    await sessions.closeWorking()
    try await Task.detached { [model, codec] in
      // What the cancelled statement held is given back first; the lock that keeps others away stays.
      try await sessions.control.run { session in
        session.rollBack()
        let tables = GenerationTables(model: model)
        let inventory = try tables.inventory(LogReader(codec: codec), session)
        let made = inventory.hasComparison ? [Generation.comparison] : []
        try session.transaction {
          for left in comparison ? made : inventory.unfinished.map(\.generation) { try tables.drop(left, session) }
        }
      }
    }.value
  }

  private func progress(
    _ phase: RebuildProgress.Phase, _ generation: Generation, at position: Int64, of target: Int64
  ) -> RebuildProgress {
    RebuildProgress(
      model: model.name, generation: generation.number, phase: phase, position: position, target: target)
  }
}
