import Commands
import EventStore
import Ledger
import Postgres

/// Rows of `approvals`. What waits stands in the log, so that personal text is nowhere twice.
struct ApprovalRow {
  static let columns = "command_id, status, held_position, stream_version, position"

  let commandID: CommandID
  let status: ApprovalStatus
  let heldPosition: Int64
  let streamVersion: Int64
  let position: Int64

  init(_ rows: Rows, _ row: Int) throws {
    commandID = try rows.identifier(row, 0)
    status = try rows.choice(row, 1)
    heldPosition = try rows.int8(row, 2)
    streamVersion = try rows.int8(row, 3)
    position = try rows.int8(row, 4)
  }

  /// For one set of live generations.
  struct Statements: Sendable {
    let select: String
    let write: String

    init(_ live: LiveTables) {
      select = "select \(columns) from \(live.approvals) where command_id = any($1::uuid[])"
      write = """
        insert into \(live.approvals) (command_id, status, held_position, stream_version, position)
        select unnest($1::uuid[]), unnest($2::text[]), unnest($3::bigint[]), unnest($4::bigint[]), unnest($5::bigint[])
        on conflict (command_id) do update set
          status = excluded.status, stream_version = excluded.stream_version, position = excluded.position
        """
    }
  }

  static func read(_ rows: Rows) throws -> [ApprovalRow] {
    try (0..<rows.count).map { try ApprovalRow(rows, $0) }
  }

  /// The approval: what its event made of it, as far as it has come since.
  func approval(from reader: LogReader, _ session: Session) throws -> Approval {
    let held = try reader.events(after: heldPosition - 1, limit: 1, stream: nil, types: [], session)
    guard let event = held.first, event.origin.position == heldPosition else {
      throw CorruptRow(table: "approvals", key: commandID.description, reason: "its event isn't in the log")
    }
    return try approval(event)
  }

  func approval(_ event: AppendedEvent) throws -> Approval {
    var state = BookState()
    state.evolve(event.event, event.origin)
    guard var approval = state.approvals[commandID] else {
      throw CorruptRow(table: "approvals", key: commandID.description, reason: "its event holds nothing for approval")
    }
    approval.status = status
    approval.streamVersion = streamVersion
    approval.position = position
    return approval
  }

  static func write(
    _ ids: Set<CommandID>, of state: borrowing BookState, _ statements: Statements, into pipeline: inout Pipeline
  ) throws {
    var commands = ArrayBuilder.uuid(reserving: ids.count)
    var statuses = ArrayBuilder.text(reserving: ids.count)
    var held = ArrayBuilder.int8(reserving: ids.count)
    var versions = ArrayBuilder.int8(reserving: ids.count)
    var positions = ArrayBuilder.int8(reserving: ids.count)
    for id in ids.sorted() {
      guard let approval = state.approvals[id] else { continue }
      commands.append(id)
      statuses.append(approval.status.rawValue)
      held.append(approval.heldPosition)
      versions.append(approval.streamVersion)
      positions.append(approval.position)
    }
    try pipeline.execute(
      statements.write,
      [commands.parameter, statuses.parameter, held.parameter, versions.parameter, positions.parameter])
  }
}
