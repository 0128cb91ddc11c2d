import Commands
import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// What the writer appends it seals, in the same transaction. Every test that looks at a whole book (`SealAudit`) finds
/// out whether it did; these are about who may write when.
@Suite(.serialized) struct WriterSealingTests {
  /// Writers that take turns, in batches that meet the edges of tiles, with the cache and without: each goes on where
  /// the tree was left, whoever left it.
  @Test func severalWritersTakeTurnsOnOneTree() async throws {
    try await WriterBook.run { book in
      var teller = Teller(accounts: 4)
      let writers = [try book.writer(), try book.writer(WriterOptions(cachedAccountsMaximum: 0)), try book.writer()]
      _ = await writers[0].commit(teller.opening(funds: 50_000))
      for (turn, size) in [1, 230, 1, 3, 256, 17, 1, 512, 2, 1].enumerated() {
        let batch = (0..<size).map { _ in teller.next() }
        #expect(try await WriterFaultTests.settle(batch, writers[turn % writers.count]).count == size)
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in writers {
          let batches = (0..<20).map { _ in (0..<9).map { _ in teller.next() } }
          group.addTask { for batch in batches { _ = try await WriterFaultTests.settle(batch, writer) } }
        }
        try await group.waitForAll()
      }
      try await book.expectSoundBook()
    }
  }

  /// A commit that fails at its very end leaves neither events nor tiles nor a frontier, and the next goes on as if
  /// it had never been.
  @Test func aFailedCommitLeavesTheTreeAsItWas() async throws {
    try await WriterBook.run { book in
      var teller = Teller(accounts: 4)
      let writer = try book.writer()
      _ = await writer.commit(teller.opening(funds: 50_000))
      let before = try await book.log().count
      try await asOwner(book) { session in
        try session.simple(
          """
          create function fail() returns trigger language plpgsql as $$
          begin raise exception 'not now' using errcode = '40001'; end $$;
          create constraint trigger fail after insert on commands deferrable initially deferred
            for each row execute function fail();
          """)
      }
      let impatient = try book.writer(WriterOptions(settlingTime: .milliseconds(200)))
      let batch = (0..<300).map { _ in teller.next() }
      for result in await impatient.commit(batch) {
        guard case .unavailable = result else {
          Issue.record("answered although the commit failed: \(result)")
          return
        }
      }
      #expect(try await book.log().count == before)
      try await book.expectSoundBook()
      try await asOwner(book) { try $0.simple("drop trigger fail on commands") }
      #expect(try await WriterFaultTests.settle(batch, writer).count == batch.count)
      try await book.expectSoundBook()
    }
  }

  /// A log from before sealing: no writer goes on with it until `kauri migrate` has sealed it.
  @Test func anUnsealedLogIsRefusedUntilItIsSealed() async throws {
    try await WriterBook.run { book in
      var teller = Teller(accounts: 4)
      let writer = try book.writer()
      _ = await writer.commit(teller.opening(funds: 50_000))
      for _ in 0..<3 { _ = try await WriterFaultTests.settle((0..<200).map { _ in teller.next() }, writer) }
      let head = try await book.log().count
      // As a database is that an older build has written.
      let connection = try await Connection.connect(ConnectionConfiguration(conninfo: book.cluster.adminConninfo))
      try await connection.run { session in
        try session.simple(
          "set session_replication_role = replica; delete from tiles; update log_head set frontier = ''")
      }
      await connection.close()

      let commands = [teller.next()]
      guard case .unavailable(let fault) = await writer.commit(commands)[0] else {
        Issue.record("a log that isn't sealed was written to")
        return
      }
      #expect(fault == .notSealed(sealed: 0, position: Int64(head)))
      #expect(try await book.log().count == head)

      let sealed = try await asOwner(book) { try LogSealing.sealExisting($0, stepSize: 100) }
      #expect(sealed == Int64(head))
      #expect(try await WriterFaultTests.settle(commands, writer).count == 1)
      try await book.expectSoundBook()
    }
  }

  /// What an older build would do: append without sealing. The database refuses.
  @Test func aSealedLogTakesNothingUnsealed() async throws {
    try await WriterBook.run { book in
      var teller = Teller(accounts: 2)
      let writer = try book.writer()
      _ = await writer.commit(teller.opening(funds: 1_000))
      var options = WriterOptions(settlingTime: .milliseconds(100))
      options.sealsLog = false
      let older = try book.writer(options)
      guard case .unavailable(.commandFailed) = await older.commit([teller.next()])[0] else {
        Issue.record("an unsealed event was appended to a sealed log")
        return
      }
      try await book.expectSoundBook()
    }
  }

  private func asOwner<Value: Sendable>(
    _ book: WriterBook, _ body: @Sendable (Session) throws -> Value
  ) async throws -> Value {
    let connection = try await Connection.connect(
      ConnectionConfiguration(conninfo: book.cluster.conninfo(user: LocalStack.ownerRole)))
    let value = try await connection.run(body)
    await connection.close()
    return value
  }
}
