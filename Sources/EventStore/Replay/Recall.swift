import Commands
import Ledger

/// What a verification doesn't keep and some command asks about: transfers, ids that are taken, holds that have ended,
/// approvals that were decided. Its memory is bounded by what is open, so the past is looked up as the writer does it.
struct Recall: Sendable {
  var transfers: [TransferID: Transfer?] = [:]
  var claimed: [Identifier: Bool] = [:]
  var holds: [HoldID: Hold] = [:]
  var approvals: [CommandID: Approval] = [:]

  /// Looks up what is needed, as it was before a position.
  init(_ needs: StateNeeds, before position: Int64, in source: any LogSource, _ codec: EventCodec) async throws {
    let streams = needs.holds.map { StreamID(.hold, $0) } + needs.transfers.map { StreamID(.transfer, $0) }
    var fold = BookState()
    for id in needs.transfers { fold.transfers.updateValue(nil, forKey: id) }
    Recall.fold(try await source.rows(of: streams, before: position), into: &fold, codec)
    for id in needs.transfers { transfers.updateValue(fold.transfers[id] ?? nil, forKey: id) }
    for id in needs.holds { holds[id] = fold.holds[id] }

    let taken = try await source.taken(Array(needs.claims), before: position)
    for id in needs.claims { claimed[id] = taken.contains(id) }
    try await recallApprovals(needs.approvals, before: position, in: source, codec)
  }

  /// What waited stands in its command's events, what became of it further on in the same stream.
  private mutating func recallApprovals(
    _ ids: Set<CommandID>, before position: Int64, in source: any LogSource, _ codec: EventCodec
  ) async throws {
    guard !ids.isEmpty else { return }
    var fold = BookState()
    let asked = try await source.rows(ofCommands: Array(ids), before: position)
    Recall.fold(asked, into: &fold, codec)
    guard !fold.approvals.isEmpty else { return }
    let streams = Set(fold.approvals.values.map(\.stream))
    Recall.fold(
      try await source.rows(of: Array(streams), before: position).filter { row in !ids.contains(row.commandID) },
      into: &fold, codec)
    for id in ids { approvals[id] = fold.approvals[id] }
  }

  /// A row that can't be read is named where its own turn comes.
  private static func fold(_ rows: [LogRow], into state: inout BookState, _ codec: EventCodec) {
    var decoder = RowDecoder(codec)
    for row in rows {
      if let appended = try? decoder.decode(row) { state.evolve(appended.event, appended.origin) }
    }
  }
}

extension StateNeeds {
  /// Only what isn't kept: accounts, customers and lists are, so one that isn't there isn't in the book.
  var past: StateNeeds {
    var past = self
    past.accounts = []
    past.customers = []
    past.numbers = []
    past.lists = []
    return past
  }
}
