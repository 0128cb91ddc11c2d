import EventStore
import Ledger
import Postgres
import Testing

extension OnAServer {
  /// A book that was there before retention was looked at: what it counts from is filled in from the log.
  @Suite struct RetentionDatesTests {
    @Test func datesOfClosedAccountsAndOfStandingsComeFromTheLog() async throws {
      let database = try await Database.empty()
      let (before, rest) = (
        Schema.migrations.filter { $0.number < 143 }, Schema.migrations.filter { $0.number <= 143 }
      )
      _ = try await database.asOwner { try Migrator(migrations: before).migrate($0) }
      try await database.asSuperuser { session in
        // The log of a customer with a closed account and one that is open, and of one that is registered only.
        try session.simple(
          """
          set session_replication_role = replica;
          insert into events (position, stream_kind, stream_id, stream_version, type, schema_version, payload, command_id,
            command_index, actor, moment, book_date, rule_set)
          select n, kind, id::uuid, version, type, 1, '', gen_random_uuid(), 0, 'system:kauri', now(), day::date, 1
          from (values
            (1, 'customer', '\(Given.mere)', 1, 'CustomerRegistered', '2026-01-01'),
            (2, 'customer', '\(Given.mere)', 2, 'CustomerVerified', '2026-01-03'),
            (3, 'account', '\(Given.account)', 1, 'AccountOpened', '2026-01-04'),
            (4, 'account', '\(Given.other)', 1, 'AccountOpened', '2026-01-04'),
            (5, 'account', '\(Given.account)', 2, 'AccountClosed', '2026-02-05'),
            (6, 'customer', '\(Given.mere)', 3, 'LimitSet', '2026-02-06'),
            (7, 'customer', '\(Given.tane)', 1, 'CustomerRegistered', '2026-03-07')
          ) as e (n, kind, id, version, type, day);
          insert into customers (customer_id, status, name, sanctions_match, scores, limits, accounts, version, position)
          values ('\(Given.mere)', 'verified', '', false, '{}', '{}', '{\(Given.account),\(Given.other)}', 3, 6),
            ('\(Given.tane)', 'registered', '', false, '{}', '{}', '{}', 1, 7);
          insert into accounts (account_id, kind, customer_id, currency, status, overdraft, allow_negative, limits, scores,
            version, position)
          values ('\(Given.account)', 'customer', '\(Given.mere)', 'NZD', 'closed', 0, false, '{}', '{}', 2, 5),
            ('\(Given.other)', 'customer', '\(Given.mere)', 'NZD', 'open', 0, false, '{}', '{}', 1, 4);
          """)
      }
      _ = try await database.asOwner { try Migrator(migrations: rest).migrate($0) }
      let dates = try await database.asOwner { session -> [String] in
        let rows = try session.execute(
          """
          select customer_id || ' ' || standing_since from customers
          union all select account_id || ' ' || coalesce(closed_on::text, 'none') from accounts
          """)
        return try (0..<rows.count).map { try rows.text($0, 0) }
      }
      #expect(
        Set(dates) == [
          "\(Given.mere) 2026-01-03", "\(Given.tane) 2026-03-07", "\(Given.account) 2026-02-05", "\(Given.other) none",
        ])
    }
  }
}
