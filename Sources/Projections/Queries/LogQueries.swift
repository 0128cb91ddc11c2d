public import Commands
public import EventStore
public import Ledger
import Postgres

extension BookQueries {
  /// A part of the log, in order. Where events of the wanted types are rare a page may be empty and still not the last:
  /// the next one is after its `through`.
  ///
  /// - Throws: `HistoryChanged` where what was read up to `place` isn't what the log holds.
  public func events(
    after place: LogPlace, stream: StreamID? = nil, types: Set<String> = [], limit: Int = 100, atLeast: Int64? = nil
  ) async throws -> Answer<LogPage> {
    try await askAtHead(atLeast: atLeast) { session, head in
      try place.check(against: head, session)
      var page = try reader.page(
        after: max(0, place.position), limit: pageLimit(limit), stream: stream, types: types, session)
      page.incarnation = head.incarnation
      return .found(page, at: head.position)
    }
  }

  /// What a command led to.
  public func command(_ id: CommandID, atLeast: Int64? = nil) async throws -> Answer<[AppendedEvent]> {
    try await askAtHead(atLeast: atLeast) { session, head in
      guard let events = try reader.command(id, session) else { return .unknown(.command, reached: head.position) }
      return .found(events, at: head.position)
    }
  }

  /// A transfer with everything that became of it.
  public func transfer(_ id: TransferID, atLeast: Int64? = nil) async throws -> Answer<TransferReading> {
    try await askAtHead(atLeast: atLeast) { session, head in
      let events = try reader.stream(StreamID(.transfer, id), session)
      guard let transfer = TransferReading(id, events) else { return .unknown(.transfer, reached: head.position) }
      return .found(transfer, at: head.position)
    }
  }

  /// What waits for a second person, longest first.
  public func approvals(
    limit: Int = 100, cursor: String? = nil, atLeast: Int64? = nil
  ) async throws -> Answer<Page<Approval>> {
    let limit = pageLimit(limit)
    return try await askAtHead(atLeast: atLeast) { session, head in
      let after = try cursor.map { try Cursor.position(Cursor.read($0, .approvals, words: 1)[0]) } ?? 0
      let rows = try session.execute(
        """
        select \(ApprovalRow.columns) from \(head.tables.approvals) where status = 'waiting' and held_position > $1
        order by held_position limit $2
        """, [.int8(after), .int8(Int64(limit + 1))])
      let approvals = try ApprovalRow.read(rows).map { try $0.approval(from: reader, session) }
      let page = Page(approvals, limit: limit) { Cursor.make(.approvals, UInt64(bitPattern: $0.heldPosition)) }
      return .found(page, at: head.position)
    }
  }
}

extension TransferReading {
  /// - Parameter events: of its stream, oldest first.
  /// - Returns: nil when none of them says what was to be transferred.
  init?(_ id: TransferID, _ events: [AppendedEvent]) {
    var content: PostTransfer?
    var history: [Step] = []
    for recorded in events {
      let status: TransferStatus
      switch recorded.event {
      case .transferPosted(let posted):
        content = content ?? posted.terms.instruction
        status = .posted
      case .transferHeldForApproval(let held):
        content = content ?? held.terms.instruction
        status = .heldForApproval
      case .transferDeclined(let declined):
        content = content ?? declined.instruction
        status = .declined
      case .transferReversed: status = .reversed
      case .approvalRejected: status = .rejected
      default: continue
      }
      history.append(Step(status: status, event: recorded))
    }
    guard let content, let last = history.last else { return nil }
    self.init(
      transferID: id, status: last.status, debit: content.debit, credit: content.credit, amount: content.amount,
      currency: content.currency, reference: content.reference, channel: content.channel, valueDate: content.valueDate,
      occurredAt: content.occurredAt, history: history)
  }
}
