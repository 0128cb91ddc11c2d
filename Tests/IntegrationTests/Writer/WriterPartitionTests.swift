import Commands
import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// The log's partitions are there before the log is, whether or not the writer keeps a cache.
@Suite(.serialized) struct WriterPartitionTests {
  @Test(arguments: [0, 500_000]) func theNextPartitionIsMadeInTime(cachedAccounts: Int) async throws {
    try await WriterBook.run { book in
      var teller = Teller(accounts: 2)
      let writer = try book.writer(WriterOptions(cachedAccountsMaximum: cachedAccounts))
      _ = await writer.commit(teller.opening(funds: 1_000))
      #expect(try await !exists("events_000001", book))

      // Near the end of the first partition the next one is made, before a batch needs it.
      try await jump(to: 9_000_000, book)
      for _ in 0..<2 { try await expectRecorded([teller.next()], writer) }
      #expect(try await exists("events_000001", book))

      // And a batch goes over the edge.
      try await jump(to: 9_999_999, book)
      try await expectRecorded([teller.next(), teller.next(), teller.next()], writer)
      let head = try await book.recorded.read { session in
        try session.execute("select position from log_head").int8(0, 0)
      }
      #expect(head >= 10_000_002)
    }
  }

  private func expectRecorded(_ commands: [CommandEnvelope], _ writer: PostgresBook) async throws {
    for result in await writer.commit(commands) {
      guard case .recorded = result else {
        Issue.record("not recorded: \(result)")
        return
      }
    }
  }

  private func exists(_ table: String, _ book: WriterBook) async throws -> Bool {
    try await book.recorded.read { session in
      try session.execute("select to_regclass($1) is not null", [.text(table)]).bool(0, 0)
    }
  }

  /// Puts the head far ahead, as millions of events would have, with one event for it to stand on, and the edge of a
  /// tree that reaches as far.
  private func jump(to position: Int64, _ book: WriterBook) async throws {
    let connection = try await Connection.connect(ConnectionConfiguration(conninfo: book.cluster.adminConninfo))
    try await connection.run { session in
      try session.simple("set session_replication_role = replica")
      _ = try session.execute(
        """
        insert into events select $1, stream_kind, stream_id, stream_version, type, schema_version, payload, \
        command_id, command_index, actor, causation_id, correlation_id, moment, book_date, rule_set \
        from events where position = 1
        """, [.int8(position)])
      let size = UInt64(position)
      let roots = [TreeHash](repeating: .empty, count: size.nonzeroBitCount)
      let frontier = try #require(MerkleFrontier(size: size, roots: roots))
      _ = try session.execute(
        "update log_head set position = $1, batch_id = gen_random_uuid(), frontier = $2",
        [.int8(position), .bytea(frontier.encoded)])
      for level in 0..<8 where size >> UInt64(8 * level) > 0 {
        let last = size >> UInt64(8 * level) - 1
        _ = try session.execute(
          """
          insert into tiles values ($1, $2, decode(repeat('00', $3), 'hex'))
          on conflict (level, index) do update set hashes = excluded.hashes
          """, [.int2(Int16(level)), .int8(Int64(last / 256)), .int4(Int32(last % 256 + 1) * 32)])
      }
    }
    await connection.close()
  }
}
