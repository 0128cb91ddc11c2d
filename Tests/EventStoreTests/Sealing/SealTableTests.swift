import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// The tree in the database: what `sealExisting` makes of a log, and what the triggers hold it to.
extension OnAServer {
  @Suite struct SealTableTests {
    /// A log of so many events that nothing has sealed.
    private func unsealedLog(_ count: Int) async throws -> Database {
      let database = try await Database.migrated()
      try await database.asServer { try Self.append(count, after: 0, $0) }
      return database
    }

    private static func append(_ count: Int, after position: Int, _ session: Session) throws {
      try session.simple(
        """
        begin;
        insert into events select position, 'command', gen_random_uuid(), 1, 'CustomerVerified', 1,
          convert_to(repeat('x', (position % 7)::integer), 'UTF8'), gen_random_uuid(), 0, 'system:kauri',
          case when position % 2 = 0 then gen_random_uuid() end, case when position % 3 = 0 then gen_random_uuid() end,
          now() + make_interval(secs => position / 1000000.0), current_date, 1
        from generate_series(\(position + 1)::bigint, \(position + count)) position;
        update log_head set position = \(position + count), batch_id = gen_random_uuid();
        commit;
        """)
    }

    /// What the naive tree makes of the rows: the root, and each level's nodes that tiles hold.
    private static func expectSealed(_ session: Session, sourceLocation: SourceLocation = #_sourceLocation) throws {
      let leaves = try LogReader.rows(after: 0, limit: 100_000, session).map {
        NaiveTree.leaf(LeafEncoding.bytes(of: $0))
      }
      let head = try session.execute("select position, frontier from log_head")
      let frontier = try #require(MerkleFrontier(encoded: try head.bytes(0, 1)), sourceLocation: sourceLocation)
      #expect(try head.int8(0, 0) == Int64(leaves.count), sourceLocation: sourceLocation)
      #expect(frontier.size == UInt64(leaves.count), sourceLocation: sourceLocation)
      #expect(frontier.root.bytes == NaiveTree.root(leaves[...]), sourceLocation: sourceLocation)
      let rows = try session.execute("select level, index, hashes from tiles order by level, index")
      var found: [Int: [UInt8]] = [:]
      for row in 0..<rows.count {
        let level = Int(try rows.int2(row, 0))
        // Every tile before the last of its level is full, so that the level is one run of nodes.
        #expect(found[level, default: []].count == Int(try rows.int8(row, 1)) * 8_192, sourceLocation: sourceLocation)
        found[level, default: []] += try rows.bytes(row, 2)
      }
      var expected: [Int: [UInt8]] = [:]
      for level in 0..<8 {
        let span = 1 << (8 * level)
        for start in stride(from: 0, through: leaves.count - span, by: span) {
          expected[level, default: []] += NaiveTree.root(leaves[start..<start + span])
        }
      }
      #expect(found == expected, sourceLocation: sourceLocation)
    }

    @Test(arguments: [0, 1, 2, 255, 256, 257, 1_000]) func anExistingLogIsSealedStepByStep(count: Int) async throws {
      let database = try await unsealedLog(count)
      try await database.asOwner { session in
        var steps: [Int64] = []
        let sealed = try LogSealing.sealExisting(session, stepSize: 100) { reached, head in
          #expect(head == Int64(count))
          steps.append(reached)
        }
        #expect(sealed == Int64(count))
        #expect(steps == stride(from: 100, to: Int64(count), by: 100) + (count > 0 ? [Int64(count)] : []))
        try Self.expectSealed(session)
        #expect(try LogSealing.sealExisting(session) == 0, "nothing is sealed twice")
      }
    }

    @Test func whatWasInterruptedGoesOnWhereItWas() async throws {
      struct Stop: Error {}
      let database = try await unsealedLog(700)
      try await database.asOwner { session in
        // The session dies after the second step, and within the third.
        try session.simple(
          """
          create function stop() returns trigger language plpgsql as $$
          begin raise exception 'stopped' using errcode = '57014'; end $$;
          create trigger stop before update on log_head for each row
            when (substring(new.frontier from 1 for 8) = int8send(300)) execute function stop();
          """)
        #expect(throws: PostgresError.self) { try LogSealing.sealExisting(session, stepSize: 100) }
        let frontier = try session.execute("select frontier from log_head").bytes(0, 0)
        #expect(MerkleFrontier(encoded: frontier)?.size == 200)
        try session.simple("drop trigger stop on log_head")
        #expect(try LogSealing.sealExisting(session, stepSize: 100) == 500)
        try Self.expectSealed(session)
      }
    }

    @Test func anEventThatIsGoneIsNamed() async throws {
      let database = try await unsealedLog(30)
      try await database.asSuperuser { session in
        try session.simple("set session_replication_role = replica; delete from events where position = 17")
        #expect(throws: SealingFault.missingEvent(position: 17)) { try LogSealing.sealExisting(session) }
        try session.simple("delete from events where position >= 17")
        #expect(throws: SealingFault.missingEvent(position: 17)) { try LogSealing.sealExisting(session) }
      }
    }

    @Test func tilesAndTheSealOnlyGrow() async throws {
      let database = try await unsealedLog(300)
      let changed = "23001"
      let broken = "23000"
      let hash = "decode(repeat('ab', 32), 'hex')"
      let refused: [(sql: String, state: String)] = [
        ("update tiles set hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0))", changed),
        (
          "update tiles set hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0)) || \(hash) where index = 1", changed
        ),
        ("update tiles set hashes = substring(hashes from 1 for 32) where index = 1", changed),
        ("update tiles set hashes = hashes where index = 1", changed),
        ("update tiles set hashes = hashes || \(hash), index = 5 where index = 1", changed),
        ("update tiles set hashes = hashes || \(hash) where level = 0 and index = 0", "23514"),
        ("update tiles set hashes = hashes || '\\x00' where index = 1", "23514"),
        ("delete from tiles", changed),
        ("delete from tiles where false", changed),
        ("truncate tiles", changed),
        ("insert into tiles values (0, 0, \(hash))", "23505"),
        ("insert into tiles values (0, 2, '')", "23514"),
        // The head.
        ("update log_head set frontier = ''", changed),
        ("update log_head set frontier = set_byte(frontier, 20, 255 - get_byte(frontier, 20))", changed),
        ("update log_head set frontier = int8send(299) || substring(frontier from 9)", changed),
        ("update log_head set frontier = int8send(301) || \(hash)", broken),
        // What is appended to a sealed log is sealed, with its tiles, or not appended.
        (Self.appendOne + "update log_head set position = 301", broken),
        (Self.appendOne + "update log_head set position = 301, frontier = int8send(301) || \(hash)", broken),
        (
          Self.appendOne + "update log_head set position = 301, frontier = int8send(301) || \(Self.hashes(5))",
          broken
        ),
      ]
      let check: @Sendable (Session) throws -> Void = { session in
        for (sql, state) in refused {
          let refusal = try refusal(sql, session)
          #expect(refusal?.state == state, "\(sql): \(refusal?.message ?? "not refused")")
        }
      }
      try await database.asOwner { session in
        try LogSealing.sealExisting(session)
        try check(session)
        try Self.expectSealed(session)
      }
      try await database.asSuperuser(check)
      // The server's role may do what sealing needs.
      try await database.asServer { session in
        let grown = try refusal(
          Self.appendOne + "update tiles set hashes = hashes || \(hash) where level = 0 and index = 1;"
            + "update log_head set position = 301, frontier = int8send(301) || \(Self.hashes(5))", session)
        #expect(grown == nil)
      }
    }

    private static func hashes(_ count: Int) -> String { "decode(repeat('ab', \(32 * count)), 'hex')" }

    private static let appendOne = """
      insert into events select 301, stream_kind, stream_id, 2, type, schema_version, payload, command_id, 0, actor,
        null, null, moment, book_date, rule_set from events where position = 300;
      """

    @Test func tilesAreReadByName() async throws {
      let database = try await unsealedLog(600)
      try await database.asServer { session in
        try LogSealing.sealExisting(session)
        let wanted = [
          TileID(level: 0, index: 2), TileID(level: 1, index: 0), TileID(level: 0, index: 9),
          TileID(level: 7, index: 0),
        ]
        let tiles = try TileTable.read(wanted, session)
        #expect(Set(tiles.keys) == [wanted[0], wanted[1]])
        #expect(tiles[wanted[0]]?.count == 88 && tiles[wanted[1]]?.count == 2)
        #expect(try TileTable.read([], session).isEmpty)
        // A proof from the table, checked against the head's root.
        let plan = TreePlan.inclusion(index: 511, size: 600).with(.root(size: 600))
        let hashes = try plan.hashes(from: TileTable.read(plan.tiles, session))
        let row = try #require(try LogReader.rows(after: 511, limit: 1, session).first)
        let edge = try session.execute("select frontier from log_head").bytes(0, 0)
        let frontier = try #require(MerkleFrontier(encoded: edge))
        #expect(hashes.last == frontier.root)
        #expect(
          MerkleProof.verifyInclusion(
            of: LeafEncoding.hash(of: row), at: 511, size: 600, root: frontier.root, proof: hashes.dropLast()))
      }
    }
  }
}
