import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// Signing in the database: who may, what, and that it stays.
extension OnAServer {
  @Suite struct CheckpointTableTests {
    private static let signer = CheckpointSigner(key: CheckpointKey())
    private static let minute = Duration.seconds(60)

    /// A sealed log of three events in an opened book.
    private func sealedBook() async throws -> Database {
      let database = try await Database.migrated()
      try await database.asServer { session in
        var log = TestLog()
        try log.append([Given.transfer(), Given.registered()], command: Given.command, session)
        try log.append([Given.registered()], command: Given.tane, session)
        try LogSealing.sealExisting(session)
        try session.simple(
          "insert into book values (true, '01890a5d-ac96-774b-bcce-b302099a8057', '{}', 1, 1)")
      }
      return database
    }

    /// One more event, appended and sealed with it as the writer does.
    private static func append(_ position: Int64, _ session: Session) throws {
      try session.simple(
        """
        begin;
        set local session_replication_role = replica;
        insert into events select \(position), stream_kind, stream_id, \(position), type, schema_version, payload,
          command_id, 0, actor, null, null, moment, book_date, rule_set from events where position = 1;
        update log_head set position = \(position);
        commit;
        """)
      try LogSealing.sealExisting(session)
    }

    @Test func theHeadIsSignedOnceAndAgainWhenItHasMoved() async throws {
      let database = try await sealedBook()
      let lease = try await database.asServer {
        try #require(try CheckpointLease.take(owner: Given.mere, for: Self.minute, $0))
      }
      let first = try await database.asServer { try Self.signer.sign(lease, renewingFor: Self.minute, $0) }
      let again = try await database.asServer { try Self.signer.sign(lease, renewingFor: Self.minute, $0) }
      #expect(first?.size == 3 && first == again)
      try await database.asSuperuser { try Self.append(4, $0) }
      let second = try await database.asServer { try Self.signer.sign(lease, renewingFor: Self.minute, $0) }
      #expect(second?.size == 4)
      let stored = try await database.asServer { session in
        let all = try CheckpointTable.page(limit: 10, session)
        #expect(try CheckpointTable.page(after: (1, 3), limit: 10, session) == Array(all.dropFirst()))
        #expect(try CheckpointTable.newest(session) == all.last)
        return all
      }
      #expect(stored == [first, second].compactMap(\.self))
      #expect(stored.first?.note.hasPrefix("kauri.\(Given.account)/1\n3\n") == true)
    }

    @Test func nothingIsSignedBeforeTheBookIsOpen() async throws {
      let database = try await Database.migrated()
      try await database.asServer { session in
        let lease = try #require(try CheckpointLease.take(owner: Given.mere, for: Self.minute, session))
        #expect(try Self.signer.sign(lease, renewingFor: Self.minute, session) == nil)
        #expect(try CheckpointTable.newest(session) == nil)
      }
    }

    @Test func oneSignsAtATime() async throws {
      let database = try await sealedBook()
      try await database.asServer { session in
        let lease = try #require(try CheckpointLease.take(owner: Given.mere, for: Self.minute, session))
        #expect(try CheckpointLease.take(owner: Given.tane, for: Self.minute, session) == nil)
        // One who has gone silent is overtaken, and finds out before anything is signed.
        try lease.renew(for: .milliseconds(-1), session)
        let next = try #require(try CheckpointLease.take(owner: Given.tane, for: Self.minute, session))
        #expect(throws: CheckpointLeaseLost.self) { try Self.signer.sign(lease, renewingFor: Self.minute, session) }
        #expect(try CheckpointTable.newest(session) == nil)
        // What he gives back isn't his any more.
        try lease.release(session)
        #expect(try CheckpointLease.take(owner: Given.mere, for: Self.minute, session) == nil)
        try next.release(session)
        #expect(try CheckpointLease.take(owner: Given.mere, for: Self.minute, session) != nil)
      }
    }

    /// Two histories of one incarnation: a signer that has signed the one doesn't sign the other.
    @Test(arguments: [
      "update tiles set hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0)) where level = 0",
      "update checkpoints set root = set_byte(root, 0, 255 - get_byte(root, 0))",
      "update log_head set frontier = set_byte(frontier, 9, 255 - get_byte(frontier, 9))",
      "update log_head set position = 1, frontier = int8send(1) || substring((select hashes from tiles) from 1 for 32)",
    ])
    func aLogThatIsNotWhatWasSignedIsNotSigned(tampering: String) async throws {
      let database = try await sealedBook()
      let lease = try await database.asServer { session in
        let lease = try #require(try CheckpointLease.take(owner: Given.mere, for: Self.minute, session))
        _ = try Self.signer.sign(lease, renewingFor: Self.minute, session)
        return lease
      }
      try await database.asSuperuser { session in
        try session.simple("set session_replication_role = replica; \(tampering)")
      }
      try await database.asServer { session in
        #expect(throws: BrokenTree.self) { try Self.signer.sign(lease, renewingFor: Self.minute, session) }
        let count = try CheckpointTable.page(limit: 10, session).count
        #expect(count == 1)
      }
    }

    @Test func checkpointsStayAndFollowTheHead() async throws {
      let database = try await sealedBook()
      let (changed, broken, denied) = ("23001", "23000", "42501")
      let root = "decode(repeat('ab', 32), 'hex')"
      try await database.asServer { session in
        let lease = try #require(try CheckpointLease.take(owner: Given.mere, for: Self.minute, session))
        _ = try Self.signer.sign(lease, renewingFor: Self.minute, session)
        for (sql, state) in [
          ("update checkpoints set note = ''", denied), ("delete from checkpoints", denied),
          ("delete from checkpoint_signer", denied), ("insert into checkpoint_signer values (true)", denied),
          ("insert into checkpoints values (1, 4, \(root), '')", broken),
          ("insert into checkpoints values (2, 3, \(root), '')", broken),
          ("insert into checkpoints values (1, 3, \(root), '')", "23505"),
          ("insert into checkpoints values (1, 0, \(root), '')", "23514"),
        ] {
          let refusal = try refusal(sql, session)
          #expect(refusal?.state == state, "\(sql)")
        }
      }
      try await database.asSuperuser { session in
        for sql in ["update checkpoints set note = ''", "delete from checkpoints", "truncate checkpoints"] {
          let refusal = try refusal(sql, session)
          #expect(refusal?.state == changed, "\(sql)")
        }
      }
    }
  }
}
