import EventStore
import Ledger
import Postgres

/// One run of a rebuild, from the first event to the switch.
struct RebuildRun<Fill: GenerationFill> {
  let model: ReadModel
  let fill: Fill
  let start: Rebuild.Start
  let sessions: RebuildSessions
  let reader: LogReader
  let options: RebuildOptions
  /// Whether the new generation is to be made live, or is only to be compared.
  let switches: Bool
  let observe: @Sendable (RebuildProgress) -> Void
  /// The checkpoint: what is written.
  private var lease: ProjectionLease
  private var differences = Differences()
  /// What the last comparison left out, because it says that it was changed later.
  private var later = WrittenRows.none

  init(
    model: ReadModel, fill: Fill, start: Rebuild.Start, sessions: RebuildSessions, reader: LogReader,
    options: RebuildOptions, switches: Bool, observe: @escaping @Sendable (RebuildProgress) -> Void
  ) {
    self.model = model
    self.fill = fill
    self.start = start
    self.sessions = sessions
    self.reader = reader
    self.options = options
    self.switches = switches
    self.observe = observe
    lease = start.lease
  }

  mutating func finish() async throws -> RebuildReport {
    // A model that follows the log is compared where its live generation stands, so the new one isn't to be ahead of it
    // before that.
    try await bring(to: try await comparable(), .filling)
    let (filled, filling) = (lease.position - start.lease.position, ContinuousClock.now - start.began)
    try await catchUp(to: comparable)
    try await compare()
    var report = RebuildReport(
      model: model.name, oldGeneration: start.live.number, newGeneration: lease.key.generation.number,
      continuedFrom: start.isContinued ? start.lease.position : nil, position: lease.position, differences: differences,
      switched: false)
    (report.filled, report.filling) = (filled, filling)
    if !switches {
      try await compareRest(&report)
    } else if differences.isEmpty || options.accepts {
      try await makeLive(&report)
    }
    report.differences = differences
    report.duration = ContinuousClock.now - start.began
    return report
  }

  // MARK: Filling

  /// Reads the log from where the checkpoint stands through `target`.
  private mutating func bring(to target: Int64, _ phase: RebuildProgress.Phase) async throws {
    report(phase, of: target)
    guard target > lease.position else { return }
    var runs = LogRuns<Fill.Portion>(
      after: lease.position, through: target, length: options.runLength, ahead: options.readers * 2
    ) { [fill, reader, readers = sessions.readers] after, through in
      try await readers.run { session in
        fill.portion(of: try reader.wholeRun(after: after, through: through, types: fill.eventTypes, session))
      }
    }
    defer { runs.cancel() }
    while let run = try await runs.next() {
      try Task.checkCancellation()
      let isDue = fill.take(run.portion)
      if isDue || run.through == target { try await write(through: run.through) }
      observe(
        RebuildProgress(
          model: model.name, generation: lease.key.generation.number, phase: phase, position: run.through,
          target: target))
    }
  }

  /// Rows and checkpoint together. What a crash of the database takes away with its last moments is read once more.
  private mutating func write(through position: Int64) async throws {
    do {
      try await sessions.writing.run { [fill, lease] session in
        fill.arrange()
        try session.transaction("begin; set local synchronous_commit = off") {
          try lease.advance(to: position, for: RebuildOptions.lease, session)
          try fill.write(session)
        }
      }
    } catch is LeaseLost {
      throw RebuildFault.overtaken(model: model.name)
    }
    lease.position = position
  }

  /// Round by round, until little is left.
  /// - Parameter first: the round to begin with.
  /// - Returns: the last round; how little was left depends on it.
  @discardableResult
  private mutating func catchUp(to target: () async throws -> Int64, from first: Int = 0) async throws -> Int {
    for round in first..<max(first, RebuildOptions.roundsMaximum) {
      let end = try await target()
      if end - lease.position <= options.rest(inRound: round) / 2 { return round }
      try await bring(to: end, .catchingUp)
    }
    throw RebuildFault.notCaughtUp(model: model.name)
  }

  private func head() async throws -> Int64 {
    try await sessions.control.run { [reader] session in try reader.head(session).position }
  }

  /// Up to where the new generation may go before it is live.
  private func reachable() async throws -> Int64 {
    try await sessions.control.run { [model, reader] session in try Reach(model).end(reader.head(session), session) }
  }

  /// Up to where the new generation can be compared with the live one.
  private func comparable() async throws -> Int64 {
    if model.isInline { return try await head() }
    return try await sessions.control.run { [model, start, reader] session in
      let live = try LiveCheckpoint(model.name, start.live).position(session)
      return min(live, try reader.head(session).position)
    }
  }

  // MARK: Comparing

  private var comparison: GenerationComparison {
    GenerationComparison(
      model: model, old: start.live, new: lease.key.generation, shownMaximum: options.shownMaximum)
  }

  private mutating func compare() async throws {
    report(.comparing, of: lease.position)
    let found: Differences
    if model.isInline {
      // Rows that the writer changes meanwhile are compared later, when the new generation has their events too.
      try await bring(to: try await head(), .comparing)
      _ = fill.takeWritten()
      found = try await sessions.comparing.run { [comparison, position = lease.position] session in
        try comparison.differences(in: .any, at: position, session)
      }
      later = try await sessions.comparing.run { [comparison, position = lease.position] session in
        try comparison.laterRows(than: position, among: .any, session)
      }
    } else {
      found = try await compareFollowing()
    }
    try await note(found)
  }

  /// What was found different is said in the database before anybody else hears of it: the next rebuild doesn't go on
  /// with it. One that was to be compared only goes with this rebuild.
  private mutating func note(_ found: Differences) async throws {
    guard !found.isEmpty else { return }
    differences.add(found, showing: options.shownMaximum)
    guard switches else { return }
    do {
      try await sessions.writing.run { [lease] session in try GenerationTables.noteDifference(lease, session) }
    } catch is LeaseLost {
      throw RebuildFault.overtaken(model: model.name)
    }
  }

  /// The live checkpoint is held still for as long as it takes to bring the new generation to it and to take a snapshot
  /// of both; who follows the log waits for that, and for no more.
  private mutating func compareFollowing() async throws -> Differences {
    let live = try await holdLiveCheckpoint()
    // The head was read later than the checkpoint: what stands beyond it follows events that aren't there.
    let head = try await sessions.control.run { [reader] session in try reader.head(session).position }
    try await bring(to: min(live, head), .comparing)
    try await sessions.comparing.run { session in
      try session.simple("begin isolation level repeatable read read only")
      // The first statement takes the snapshot.
      try session.execute("select from log_head")
    }
    try await sessions.control.run { $0.rollBack() }
    var found = try await sessions.comparing.run { [comparison] session in
      defer { session.rollBack() }
      return try comparison.differences(in: .any, session)
    }
    if live > head { found.add(beyond(head, live), showing: options.shownMaximum) }
    return found
  }

  /// A checkpoint behind the log's end: whoever follows the log from there would leave out what is still to come.
  private func beyond(_ head: Int64, _ live: Int64) -> Differences {
    let row = RowDifference(
      table: "projections", key: [("model", model.name), ("generation", "\(start.live.number)")], column: "position",
      old: "\(live)", new: "at most \(head), the head", kind: .changed)
    return Differences(shown: [row], rows: ["projections": 1])
  }

  /// Begins a transaction in which the live checkpoint stays where it is. Where an earlier run was killed after its
  /// comparison the new generation may be ahead of it, and the servers get time to come after.
  /// - Returns: the checkpoint's position.
  private func holdLiveCheckpoint() async throws -> Int64 {
    let checkpoint = LiveCheckpoint(model.name, start.live)
    let until = ContinuousClock.now + RebuildOptions.patience
    while true {
      let live = try await sessions.control.run { session in
        try session.simple("begin")
        return try checkpoint.hold(session)
      }
      if live >= lease.position { return live }
      try await sessions.control.run { $0.rollBack() }
      guard ContinuousClock.now < until else {
        throw RebuildFault.notFollowed(model: model.name, position: live, wanted: lease.position)
      }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// What has been written since it was last compared, and what was left out before.
  private mutating func compareWritten() async throws {
    guard model.isInline else { return }
    let rows = fill.takeWritten().union(later)
    let (found, later) = try await sessions.comparing.run { [comparison, position = lease.position] session in
      (
        try comparison.differences(in: rows, at: position, session),
        try comparison.laterRows(than: position, among: rows, session)
      )
    }
    self.later = later
    try await note(found)
  }

  /// Once more for what was written while the tables were compared. Rows that are written just now agree with one
  /// another when their events are in both; those of events that came later aren't looked at.
  private mutating func compareRest(_ report: inout RebuildReport) async throws {
    guard model.isInline else { return }
    try await catchUp(to: head)
    // As far as anything that was left out may say that it was changed.
    try await bring(to: try await head(), .catchingUp)
    try await compareWritten()
    report.position = lease.position
  }

  // MARK: Switching

  private mutating func makeLive(_ report: inout RebuildReport) async throws {
    // Its first questions are to be planned as its thousandth.
    let names = GenerationTables(model: model).names(lease.key.generation)
    try await sessions.comparing.run { session in
      for name in names { try session.simple("analyze public.\(name)") }
    }
    var round = 0
    while true {
      round = try await catchUp(to: reachable, from: round)
      try await compareWritten()
      if !differences.isEmpty, !options.accepts { return }
      self.report(.switching, of: lease.position)
      let change = GenerationSwitch(
        model: model, fill: fill, reader: reader, comparison: comparison, restMaximum: options.rest(inRound: round),
        accepts: options.accepts, later: later)
      let outcome = try await sessions.writing.run { [lease] session in try change.attempt(lease, session) }
      switch outcome {
      case .behind:
        round += 1
        try await bring(to: try await reachable(), .catchingUp)
      case .different(let found): return try await note(found)
      case .switched(let position, let locked, let found):
        differences.add(found, showing: options.shownMaximum)
        lease.position = position
        (report.switched, report.position, report.locked) = (true, position, locked)
        return self.report(.switched, of: position)
      }
    }
  }

  private func report(_ phase: RebuildProgress.Phase, of target: Int64) {
    observe(
      RebuildProgress(
        model: model.name, generation: lease.key.generation.number, phase: phase, position: lease.position,
        target: target))
  }
}
