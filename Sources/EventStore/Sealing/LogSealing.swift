public import Postgres

/// Why a log can't be sealed.
public enum SealingFault: Error, Hashable, Sendable {
  /// The head's frontier isn't one: somebody has changed it past every trigger.
  case frontierBroken
  /// An event that has yet to be sealed isn't there, as when its partition was detached.
  case missingEvent(position: Int64)
}

extension SealingFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .frontierBroken: "the head's frontier isn't the edge of a tree"
    case .missingEvent(let position):
      "event \(position) is to be sealed and isn't there: attach its partition, then migrate again"
    }
  }
}

/// Seals what a log holds from before it was sealed as it was written.
public enum LogSealing {
  /// Events that are sealed in one transaction, which holds the head's lock meanwhile: some tens of milliseconds.
  public static let stepSize = 10_000

  /// Seals everything that isn't, step by step; where it is interrupted, the next call goes on.
  ///
  /// - Parameters:
  ///   - session: of a role that may write the log, with no transaction open.
  ///   - stepSize: events a transaction, at most.
  ///   - progress: called after each step with the position sealed and the log's end.
  /// - Returns: how many events were sealed by this call.
  /// - Throws: `SealingFault`; what the session throws.
  @discardableResult
  public static func sealExisting(
    _ session: Session, stepSize: Int = stepSize, progress: (_ sealed: Int64, _ head: Int64) -> Void = { _, _ in }
  ) throws -> Int64 {
    var count: Int64 = 0
    while true {
      let step = try session.transaction { try sealStep(session, stepSize) }
      count += step.sealed - step.before
      if step.sealed > step.before { progress(step.sealed, step.head) }
      if step.sealed == step.head { return count }
    }
  }

  private static func sealStep(_ session: Session, _ stepSize: Int) throws -> (
    before: Int64, sealed: Int64, head: Int64
  ) {
    let locked = try session.execute("select position, frontier from log_head for update")
    let head = try locked.int8(0, 0)
    guard let frontier = MerkleFrontier(encoded: try locked.bytes(0, 1)) else { throw SealingFault.frontierBroken }
    let before = Int64(frontier.size)
    let target = min(head, before + Int64(stepSize))
    guard target > before else { return (before, before, head) }
    var sealer = LogSealer(frontier, gathersTiles: true)
    let rows = try session.execute(
      """
      select \(LogRow.columns) from events e where e.position > $1 and e.position <= $2 order by e.position
      """, [.int8(before), .int8(target)])
    for row in 0..<rows.count {
      let row = try LogRow(rows, row: row)
      let expected = Int64(sealer.frontier.size) + 1
      guard row.position == expected else { throw SealingFault.missingEvent(position: expected) }
      sealer.seal(row)
    }
    guard Int64(sealer.frontier.size) == target else {
      throw SealingFault.missingEvent(position: Int64(sealer.frontier.size) + 1)
    }
    let outcomes = try session.pipeline { pipeline in
      try TileTable.write(sealer.takeRuns(), into: &pipeline)
      try pipeline.execute("update log_head set frontier = $1", [.bytea(sealer.frontier.encoded)])
    }
    for outcome in outcomes { _ = try outcome.get() }
    return (before, target, head)
  }
}
