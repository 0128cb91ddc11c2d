import Commands
import EventStore
import Ledger
import Postgres

extension AccountsPast {
  /// What was held on an account, in the order of the holds' ids.
  ///
  /// A hold is placed once and ends once. So the table of holds, which says when each last changed, leaves those that
  /// may have been active then, and the index of streams says when they were placed.
  func holds(of account: AccountID, after: HoldID = .zero, limit: Int) throws -> [Hold] {
    let rows = try session.execute(
      """
      select placed.position from \(point.live.holds) h left join lateral (
        select e.position from commands c join events e on e.position = c.first_position
        where c.command_id = h.hold_id and e.stream_id = h.hold_id and e.stream_kind = 'hold' and e.stream_version = 1
        union all
        select e.position from events e where e.stream_id = h.hold_id and e.stream_id <> e.command_id
          and e.stream_kind = 'hold' and e.stream_version = 1
      ) as placed on true
      where h.account_id = $1 and h.hold_id > $2 and (h.status = 'active' or h.position > $3) and h.placed_on <= $4
        and (placed.position <= $3 or placed.position is null)
      order by h.hold_id limit $5
      """, [.uuid(account), .uuid(after), .int8(point.position), .date(point.bookDate), .int8(Int64(limit))])
    var positions: [Int64] = []
    for row in 0..<rows.count { positions.append(try rows.int8OrNil(row, 0).orThrow(QueryFault.archived)) }
    var state = BookState()
    for event in try register.reader.events(at: positions, session) { state.evolve(event.event, event.origin) }
    return state.holds.values.sorted { $0.id < $1.id }
  }
}
