import EventStore
import Ledger
import Postgres

/// The switch: under the head's lock the new generation takes in the last few events, what they changed is compared, and
/// the head says that it is live. No table is made or changed, so nobody waits behind whoever reads the old one.
struct GenerationSwitch<Fill: GenerationFill> {
  let model: ReadModel
  let fill: Fill
  let reader: LogReader
  let comparison: GenerationComparison
  /// Events that are taken in under the lock, at most.
  let restMaximum: Int64
  /// Whether to switch although there are differences.
  let accepts: Bool
  /// What hasn't been compared yet, because it said that it was changed later.
  let later: WrittenRows

  enum Outcome: Sendable {
    /// The log has grown by too much to take it in, or to compare what it changed, under the lock; nothing was done.
    case behind
    /// The last events brought differences to light; nothing was done.
    case different(Differences)
    case switched(position: Int64, locked: Duration, Differences)
  }

  /// Nothing of an attempt that didn't switch remains in the database.
  private struct Withdrawn: Error {
    let outcome: Outcome
  }

  /// - Throws: `RebuildFault.overtaken` when the tables aren't this rebuild's any more, whatever it may believe: the
  ///   lock that keeps others away goes with its session.
  func attempt(_ lease: ProjectionLease, _ session: Session) throws -> Outcome {
    do {
      var lease = lease
      var locked = ContinuousClock.now
      var differences = Differences()
      try session.transaction {
        let head = try LogHead(session.execute(LogHead.lock))
        locked = .now
        let end = max(lease.position, try Reach(model).end(head, session))
        guard end - lease.position <= restMaximum else { throw Withdrawn(outcome: .behind) }
        try takeIn(through: end, &lease, session)
        differences = try compareRest(session)
        if !accepts, !differences.isEmpty { throw Withdrawn(outcome: .different(differences)) }
        try makeLive(lease, head, session)
      }
      return .switched(position: lease.position, locked: .now - locked, differences)
    } catch let withdrawn as Withdrawn {
      return withdrawn.outcome
    } catch is LeaseLost {
      throw RebuildFault.overtaken(model: model.name)
    }
  }

  /// Where there is nothing to take in, the lease still has to be this rebuild's.
  private func takeIn(through end: Int64, _ lease: inout ProjectionLease, _ session: Session) throws {
    try lease.advance(to: end, for: RebuildOptions.lease, session)
    let events = try reader.wholeRun(after: lease.position, through: end, types: fill.eventTypes, session)
    // Before the fill takes anything in: what it holds in memory can't be taken back.
    if model.isComparedWhole, !events.isEmpty || later != .none { throw Withdrawn(outcome: .behind) }
    guard end > lease.position else { return }
    lease.position = end
    _ = fill.take(fill.portion(of: events))
    try fill.write(session)
  }

  /// Only rows that the last events changed or that were left out before, and only where the writer keeps the old ones up
  /// to this very position.
  private func compareRest(_ session: Session) throws -> Differences {
    guard model.isInline else { return Differences() }
    return try comparison.differences(in: fill.takeWritten().union(later), session)
  }

  private func makeLive(_ lease: ProjectionLease, _ head: LogHead, _ session: Session) throws {
    let generation = lease.key.generation.number
    try session.execute(
      "update log_head set generations = jsonb_set(generations, array[$1::text], to_jsonb($2::integer))",
      [.text(model.name), .int4(Int32(clamping: generation))])
    if model.isInline {
      // The writer keeps it from now on, in the events' own transactions: there is no checkpoint to move.
      try session.execute(
        "delete from projections where model = $1 and generation = $2",
        [.text(model.name), .int4(Int32(clamping: generation))])
    } else {
      // Whoever of the servers comes first goes on.
      try lease.release(session)
    }
  }
}
