import BookByChance
import Foundation
import Postgres

/// What the live tables say of money, as text: by table, and by row's key. Read with plain SQL.
struct TablesInDatabase: Sendable {
  private(set) var tables: [String: [String: String]] = [:]

  init(_ session: Session) throws {
    // Usage is 12 bytes a day: days since 1970, and minor units.
    tables["balances"] = try Self.read(
      session, "balances", of: "balances",
      """
      select account_id::text, posted || ' ' || held || ' ' || coalesce((
        select string_agg(day || ':' || amount, ' ' order by day) from (
          select date '1970-01-01' + ('x' || encode(substr(usage, at, 4), 'hex'))::bit(32)::integer as day,
            ('x' || encode(substr(usage, at + 4, 8), 'hex'))::bit(64)::bigint as amount
          from generate_series(1, length(usage), 12) as at) as days
        where day > (select max(book_date) - 31 from events)), '') from %
      """)
    tables["accounts"] = try Self.read(
      session, "accounts", of: "accounts", "select account_id::text, status::text from %")
    tables["customers"] = try Self.read(
      session, "customers", of: "customers", "select customer_id::text, status::text from %")
    tables["holds"] = try Self.read(
      session, "holds", of: "holds",
      "select hold_id::text, account_id || ' ' || amount from % where status = 'active'")
    // An account that nothing was moved on has no line of these; one that has nothing left needs none here.
    tables["entries"] = try Self.read(
      session, "entries", of: "entries",
      "select account_id::text, sum(change)::text from % group by account_id having sum(change) <> 0")
    tables["statements"] = try Self.read(
      session, "entries", of: "entries",
      """
      select account_id::text, balance::text from (
        select distinct on (account_id) account_id, balance from % order by account_id, position desc, leg desc
      ) as last where balance <> 0
      """)
    tables["held_changes"] = try Self.read(
      session, "held_changes", of: "entries",
      "select account_id::text, sum(change)::text from % group by account_id")
  }

  /// - Parameter sql: gives keys and values; `%` stands for the table of the live generation.
  private static func read(
    _ session: Session, _ table: String, of model: String, _ sql: String
  ) throws -> [String: String] {
    let live = try session.execute(
      "select coalesce((generations ->> $1)::integer, 1) from log_head", [.text(model)]
    ).int4(0, 0)
    let rows = try session.execute(sql.replacingOccurrences(of: "%", with: live == 1 ? table : "\(table)_\(live)"))
    return Dictionary(uniqueKeysWithValues: try (0..<rows.count).map { (try rows.text($0, 0), try rows.text($0, 1)) })
  }

  /// What they should say.
  init(_ naive: NaiveLedger, on day: String) {
    let oldest = NaiveDays.day(before: day, by: 30)
    tables["balances"] = naive.accounts.mapValues { account in
      let used = account.used.filter { $0.value != 0 && $0.key >= oldest }.sorted { $0.key < $1.key }
      return "\(account.posted) \(account.held) " + used.map { "\($0.key):\($0.value)" }.joined(separator: " ")
    }
    tables["accounts"] = naive.accounts.mapValues(\.status)
    tables["customers"] = naive.customers
    var holds: [String: String] = [:]
    for account in naive.accounts.keys {
      for (hold, amount) in naive.activeHolds(on: account) { holds[hold] = "\(account) \(amount)" }
    }
    tables["holds"] = holds
    let posted = naive.accounts.filter { $0.value.posted != 0 }.mapValues { "\($0.posted)" }
    tables["entries"] = posted
    tables["statements"] = posted
    tables["held_changes"] = naive.accounts.mapValues { "\($0.held)" }
  }
}
