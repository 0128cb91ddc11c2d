import EventStore
import Ledger
import Postgres

/// Accounts with their money as it was: the register from their streams, balances from the account's last entry and
/// from the last change of what was held on it.
struct AccountsPast {
  let register: RegisterPast
  /// The model of entries, as it is live.
  let entries: ModelView

  var point: PastPoint { register.point }
  var session: Session { register.session }
  var generation: Generation { entries.generation }

  init(_ point: PastPoint, _ entries: ModelView, _ reader: LogReader, _ session: Session) {
    register = RegisterPast(point: point, reader: reader, session: session)
    self.entries = entries
  }

  func account(_ id: AccountID) throws -> Account {
    guard let account = try accounts([id]).first else {
      throw try register.absence(of: .account, StreamID(.account, id))
    }
    return account
  }

  /// Those of the accounts that were open or had been, in the order of `ids`. What they had used of limits isn't
  /// filled in.
  func accounts(_ ids: [AccountID]) throws -> [Account] {
    // A customer's erasure, in its own stream, takes the names of its accounts.
    let rows = try session.execute(
      "select distinct customer_id from \(point.live.accounts) where account_id = any($1::uuid[]) and customer_id is not null",
      [.uuids(ids)])
    let owners = try (0..<rows.count).map { try rows.identifier($0, 0) }
    let state = try register.fold(accounts: ids, customers: owners)
    let balances = try balances(ids)
    return ids.compactMap { id in
      guard var account = state.accounts[id] else { return nil }
      account.balance = balances[id] ?? account.balance
      return account
    }
  }

  /// What stood on accounts and was held on them. Accounts that weren't open yet are left out.
  func balances(_ ids: [AccountID]) throws -> [AccountID: Balance] {
    let rows = try session.execute(
      """
      select wanted.account_id, h.held, h.position, e.balance, e.position from unnest($1::uuid[]) as wanted (account_id)
      join lateral (select held, position from \(generation.table("held_changes")) x
        where x.account_id = wanted.account_id and x.position <= $2 order by x.position desc limit 1) as h on true
      left join lateral (select balance, position from \(generation.table("entries")) x
        where x.account_id = wanted.account_id and x.position <= $2
        order by x.position desc, x.leg desc limit 1) as e on true
      """, [.uuids(ids), .int8(point.position)])
    var balances: [AccountID: Balance] = [:]
    for row in 0..<rows.count {
      balances[try rows.identifier(row, 0)] = Balance(
        posted: try rows.int8OrNil(row, 3) ?? 0, held: try rows.int8(row, 1),
        position: max(try rows.int8(row, 2), try rows.int8OrNil(row, 4) ?? 0))
    }
    return balances
  }
}
