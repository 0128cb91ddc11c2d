import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// What the triggers refuse to everybody, the owner and a superuser included, as long as nobody disables them.
extension OnAServer {
  @Suite struct AppendOnlyTests {
    static let notChanged = "23001"
    static let broken = "23000"

    /// Appends events at `positions`, in one statement.
    static func insert(_ positions: [Int64], into table: String = "events") -> String {
      """
      insert into \(table) select position, 'command', gen_random_uuid(), 1, 'CustomerVerified', 1, '{}',
        gen_random_uuid(), 0, 'system:kauri', null, null, now(), current_date, 1
      from unnest(array[\(positions.map(String.init).joined(separator: ","))]::bigint[]) position
      """
    }

    static let refused: [(sql: String, state: String)] = [
      ("update events set payload = ''", notChanged),
      ("update events set payload = payload where position = 2", notChanged),
      ("update events set position = 100 where position = 3", notChanged),
      ("update events set payload = '' where false", notChanged),
      ("delete from events", notChanged),
      ("delete from events where position = 3", notChanged),
      ("delete from events where false", notChanged),
      ("truncate events", notChanged),
      ("update events_000000 set payload = ''", notChanged),
      ("delete from events_000000 where position = 3", notChanged),
      ("delete from events_000000 where false", notChanged),
      ("truncate events_000000", notChanged),
      ("update commands set content_hash = null", notChanged),
      ("delete from commands", notChanged),
      ("truncate commands", notChanged),
      ("delete from log_head", notChanged),
      ("truncate log_head", notChanged),
      ("insert into events select * from events on conflict (position) do update set payload = ''", notChanged),
      (
        """
        merge into events using (values (3)) gone(position) on events.position = gone.position
        when matched then delete
        """, notChanged
      ),
      // Positions.
      (insert([5]), broken),
      (insert([4, 6]), broken),
      (insert([5, 6, 7]), broken),
      (insert([4, 5, 7]), broken),
      (insert([2]), "23505"),
      (insert([0]), "23514"),
      (insert([-1]), "23514"),
      (insert([5], into: "events_000000"), broken),
      (insert([4, 6], into: "events_000000"), broken),
      // The head.
      ("update log_head set position = 2", notChanged),
      ("update log_head set position = 0", notChanged),
      ("update log_head set position = 4", broken),
      ("update log_head set position = 1000000", broken),
      ("update log_head set last_moment = 'epoch'", notChanged),
      ("update log_head set incarnation = 0", notChanged),
      ("insert into log_head default values", "23505"),
      ("insert into log_head (one) values (false)", "23514"),
      (insert([4, 5]) + "; update log_head set position = 4", broken),
      ("create temporary table events (position bigint); " + insert([7], into: "public.events"), broken),
    ]

    private func logOfThree() async throws -> Database {
      let database = try await Database.migrated()
      try await database.asServer { session in
        var log = TestLog()
        try log.append([Given.transfer(), Given.registered()], command: Given.command, session)
        try log.append([Given.registered()], command: Given.tane, session)
      }
      return database
    }

    @Test(arguments: [LocalStack.ownerRole, "postgres"]) func nobodyChangesTheLog(role: String) async throws {
      let database = try await logOfThree()
      let check: @Sendable (Session) throws -> Void = { session in
        for (sql, state) in Self.refused {
          let refusal = try refusal(sql, session)
          #expect(refusal?.state == state, "\(sql): \(refusal?.message ?? "not refused")")
        }
        let head = try LogReader(codec: EventCodec(keyring: PersonalKeyring(masterKey: Given.masterKey()))).head(
          session)
        #expect(head.position == 3)
      }
      try await role == "postgres" ? database.asSuperuser(check) : database.asOwner(check)
    }

    static let allowed = [
      insert([4]) + "; update log_head set position = 4",
      insert([4, 5, 6]) + "; update log_head set position = 6, batch_id = gen_random_uuid(), last_moment = now()",
      // The order in which a statement's rows come doesn't matter, and a batch may be several statements.
      insert([6, 4, 5]) + "; " + insert([7, 8]) + "; update log_head set position = 8",
      insert([]),
      "update log_head set incarnation = 2",
      "update log_head set rule_set = 2, generations = '{}'",
    ]

    @Test func appendingIsAllowed() async throws {
      let database = try await logOfThree()
      try await database.asServer { session in
        for sql in Self.allowed {
          let refusal = try refusal(sql, session)
          #expect(refusal == nil, "\(sql)")
        }
      }
    }

    // MARK: Partitions

    private static func partitions(_ session: Session) throws -> [String] {
      let rows = try session.execute(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'events'::regclass order by 1")
      return try (0..<rows.count).map { try rows.text($0, 0) }
    }

    @Test func partitionsAreMadeAheadOnceAndByAnyNumberAtOnce() async throws {
      let database = try await Database.migrated()
      for ahead in [1, 10_000_000] as [Int64] {
        try await database.asServer { _ = try $0.execute("select prepare_event_partitions($1)", [.int8(ahead)]) }
      }
      #expect(try await database.asOwner(Self.partitions) == ["events_000000"])
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask { try await database.asServer { try $0.simple("select prepare_event_partitions(30000001)") } }
        }
        try await group.waitForAll()
      }
      let made = try await database.asOwner(Self.partitions)
      #expect(made == ["events_000000", "events_000001", "events_000002", "events_000003"])
      // The triggers that aren't inherited are there too.
      try await database.asOwner { session in
        #expect(try refusal("truncate events_000003", session)?.state == Self.notChanged)
        #expect(try refusal("delete from events_000003 where false", session)?.state == Self.notChanged)
        let gap = try refusal(Self.insert([30_000_005], into: "events_000003"), session)
        #expect(gap?.state == Self.broken)
      }
    }

    @Test func makingAPartitionNeitherWaitsForAWriterNorStopsOne() async throws {
      let database = try await logOfThree()
      try await database.asServer { writer in
        try writer.simple("begin; select from log_head for update; " + Self.insert([4]))
        let other = try Session(database.configuration(LocalStack.serverRole))
        // It waits for nobody, or this would time out.
        try other.simple("set lock_timeout = '5s'; select prepare_event_partitions(15000000)")
        try other.simple("begin; select prepare_event_partitions(25000000)")
        try writer.simple("set local lock_timeout = '5s'; " + Self.insert([5]) + "; update log_head set position = 5")
        try writer.simple("commit")
        try other.simple("commit")
        other.close()
      }
      #expect(try await database.asOwner(Self.partitions).count == 3)
    }

    @Test func anArchivedRangeIsNotMadeAgainAndTheLogGoesOn() async throws {
      let database = try await Database.migrated()
      try await database.asOwner { session in
        // A log that ended just before its second partition, without its ten million events.
        try session.simple(
          """
          select prepare_event_partitions(20000000);
          alter table log_head disable trigger log_head_moves_forward;
          update log_head set position = 10000000;
          alter table log_head enable trigger log_head_moves_forward;
          alter table events detach partition events_000000;
          drop table events_000000;
          """)
        try session.simple("select prepare_event_partitions(20000000)")
        #expect(try Self.partitions(session) == ["events_000001"])
        #expect(try refusal(Self.insert([10_000_002]), session)?.state == Self.broken)
        try session.simple(Self.insert([10_000_001, 10_000_002]) + "; update log_head set position = 10000002")
      }
    }
  }
}
