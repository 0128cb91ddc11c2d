import LocalStack
import Postgres
import Testing

/// What the server's role may do, by statements that must be refused and by the catalogue.
extension OnAServer {
  @Suite struct PrivilegeTests {
    static let log = ["events", "commands", "personal_keys", "tiles", "checkpoints"]
    static let readModels = [
      "book", "customers", "accounts", "balances", "holds", "approvals", "sanctions_lists", "sanctions_entries",
      "projections", "entries", "held_changes", "customers_overview", "customers_overview_accounts", "declines",
      "access_log",
    ]

    @Test func everyTableIsGrantedWhatItsKindAllowsAndNoMore() async throws {
      let database = try await Database.migrated()
      let granted = try await database.asOwner { session -> [String: String] in
        let rows = try session.execute(
          """
          select c.relname, coalesce((select string_agg(privilege, ' ' order by privilege)
            from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) privilege
            where has_table_privilege('kauri_server', c.oid, privilege)), '')
          from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
          """)
        return try Dictionary(
          uniqueKeysWithValues: (0..<rows.count).map { (try rows.text($0, 0), try rows.text($0, 1)) })
      }
      var expected = ["log_head": "SELECT UPDATE"]
      for table in Self.log { expected[table] = "INSERT SELECT" }
      for table in Self.readModels { expected[table] = "INSERT SELECT UPDATE" }
      // A server that finds other migrations than its own isn't ready, so it looks.
      expected["kauri_migrations"] = "SELECT"
      expected["event_log"] = "SELECT"
      // Only the owner declares a history.
      expected["incarnations"] = "SELECT"
      expected["checkpoint_signer"] = "SELECT UPDATE"
      expected["events_000000"] = ""
      // Filled by functions only.
      expected["erased_subjects"] = "SELECT"
      expected["erased_subjects_number_seq"] = ""
      #expect(granted == expected)
    }

    @Test func everyFunctionIsGrantedByName() async throws {
      let database = try await Database.migrated()
      let (granted, open) = try await database.asOwner { session -> ([String], Int64) in
        let rows = try session.execute(
          """
          select proname::text from pg_proc where pronamespace = 'public'::regnamespace
            and has_function_privilege('kauri_server', oid, 'EXECUTE') order by proname
          """)
        let open = try session.execute(
          """
          select count(*) from pg_proc where pronamespace = 'public'::regnamespace
            and exists (select from aclexplode(coalesce(proacl, acldefault('f', proowner))) where grantee = 0)
          """)
        return (try (0..<rows.count).map { try rows.text($0, 0) }, try open.int8(0, 0))
      }
      #expect(
        granted == [
          "erase_personal_keys", "extend_tile", "position_at", "position_at_end_of", "prepare_event_partitions",
          "repeat_erasures",
        ])
      #expect(open == 0, "no function is left to everybody")
    }

    @Test func functionsOfLaterMigrationsAreNotLeftToEverybodyEither() async throws {
      let database = try await Database.migrated()
      let refused = try await database.asOwner { session in
        try session.simple("create function later() returns integer language sql as 'select 1'")
        return try session.execute("select has_function_privilege('kauri_server', 'later()', 'EXECUTE')").bool(0, 0)
      }
      #expect(!refused)
    }

    /// Insufficient privilege.
    static let denied = "42501"

    static let forbidden: [(sql: String, state: String)] = [
      ("update events set payload = ''", denied),
      ("delete from events", denied),
      ("truncate events", denied),
      ("update events set payload = '' where false", denied),
      ("insert into events_000000 select * from events", denied),
      ("select * from events_000000", denied),
      ("delete from events_000000", denied),
      ("update commands set content_hash = null", denied),
      ("delete from commands", denied),
      ("truncate commands", denied),
      ("update personal_keys set wrapped_key = wrapped_key", denied),
      ("delete from personal_keys", denied),
      ("insert into erased_subjects (subject) values ('00000000-0000-0000-0000-000000000001')", denied),
      ("delete from erased_subjects", denied),
      // Only an event that erases the customer lets a key go.
      ("select erase_personal_keys(array['00000000-0000-0000-0000-000000000001']::uuid[], array[1])", "23001"),
      ("insert into log_head default values", denied),
      ("delete from log_head", denied),
      ("truncate log_head", denied),
      ("update tiles set level = 1", denied),
      ("update tiles set index = 1", denied),
      ("delete from tiles", denied),
      ("truncate tiles", denied),
      ("delete from balances", denied),
      ("delete from customers", denied),
      ("truncate accounts", denied),
      ("delete from entries", denied),
      ("update kauri_migrations set checksum = ''", denied),
      ("delete from kauri_migrations", denied),
      ("insert into kauri_migrations values (9999, 'x', '', now())", denied),
      ("insert into event_log (position) values (1)", denied),
      ("update event_log set actor = actor", denied),
      ("delete from event_log", denied),
      ("alter table events disable trigger all", denied),
      ("drop trigger events_contiguity on events", denied),
      ("alter table log_head disable trigger log_head_moves_forward", denied),
      ("drop table balances", denied),
      ("create table public.mine ()", denied),
      ("create temporary table events (position bigint)", denied),
      ("create schema mine", denied),
      ("create index on events (type)", denied),
      ("create function public.mine() returns integer language sql as 'select 1'", denied),
      (
        """
        create or replace function public.refuse_change() returns trigger language plpgsql as 'begin return old; end'
        """, denied
      ),
      ("alter function public.refuse_change() set search_path = pg_temp", denied),
      ("select public.refuse_change()", denied),
      ("set session_replication_role = replica", denied),
      ("set role kauri_owner", denied),
      ("set role postgres", denied),
      ("create role mine", denied),
      ("grant kauri_owner to kauri_server", denied),
      ("lock table events in access exclusive mode", denied),
      ("copy events to program 'true'", denied),
      ("select pg_read_file('PG_VERSION')", denied),
      // What it may do, the triggers bound.
      ("update log_head set position = position + 1", "23000"),
      ("update log_head set last_moment = last_moment - interval '1 second'", "23001"),
      ("select prepare_event_partitions(9000000000000000)", "22023"),
    ]

    @Test func theServerIsRefused() async throws {
      let database = try await Database.migrated()
      try await database.asServer { session in
        for (sql, state) in Self.forbidden {
          let refusal = try refusal(sql, session)
          #expect(refusal?.state == state, "\(sql)")
        }
      }
    }

    @Test func theServerCanDoItsWork() async throws {
      let database = try await Database.migrated()
      try await database.asServer { session in
        var log = TestLog()
        try log.append([Given.registered()], command: Given.command, session)
        try session.simple("select prepare_event_partitions(15000000)")
        try session.simple("update log_head set generations = '{\"entries\": 2}'")
        for table in Self.readModels + Self.log + ["log_head"] { try session.simple("select * from \(table)") }
      }
    }
  }
}
