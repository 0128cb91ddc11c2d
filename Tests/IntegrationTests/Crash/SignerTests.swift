import Foundation
import Ledger
import LocalStack
import Postgres
import Synchronization
import Testing

/// One of several servers signs, whichever it is; when it dies, another takes over.
@Suite(.serialized) struct SignerTests {
  @Test func everyServerGivesCheckpointsAndAnyMayDie() async throws {
    try await ServedBook.run(servers: [[], [], []], accounts: 4) { book in
      var sizes: [Int] = []
      for round in 0..<6 {
        let server = book.servers[round % 3]
        await book.clients.settle(book.clients.teller.withLock { $0.next() }, at: round)
        sizes.append(try await Self.checkpoint(book, at: server).size)
      }
      #expect(sizes == sizes.sorted())
      let lease = try await Self.lease(book)

      // Under load servers are killed one after the other, the one that signs among them.
      try await book.clients.underLoad(24) {
        for server in book.servers {
          await server.kill()
          let size = try await Self.newest(book)
          try await eventually("a server that is left signs", within: .seconds(20)) {
            try await Self.newest(book) > size
          }
          try await server.start()
        }
      }
      #expect(try await Self.lease(book) > lease, "the lease has changed hands")
      let last = try await Self.checkpoint(book, at: book.servers[1])
      let audit = try await book.expectSettled()
      #expect(last.size <= Int(audit.position))
      #expect(try await Self.newest(book) >= last.size)
    }
  }

  /// When the one that signs has gone silent, nobody else signs before its time is over, and whoever asks is told.
  @Test func aSilentSignerIsNotReplacedBeforeItsTime() async throws {
    try await ServedBook.run(servers: [[]], accounts: 2) { book in
      _ = try await Self.checkpoint(book, at: book.servers[0])
      // Somebody else has the lease, and is gone: as a server that froze.
      try await book.superuser.read { session in
        try session.simple(
          """
          update checkpoint_signer set owner = gen_random_uuid(), epoch = epoch + 1,
            lease_until = clock_timestamp() + interval '1 hour'
          """)
      }
      await book.clients.settle(book.clients.teller.withLock { $0.next() }, at: 0)
      let refused = await book.clients.get("/v1/audit/checkpoint", at: book.servers[0])
      guard case .answered(let answer) = refused else {
        Issue.record("no answer: \(refused)")
        return
      }
      #expect(answer.status == 503 && answer.retryAfter != nil)
      #expect(String(decoding: answer.body, as: UTF8.self).contains(#""checkpoint_unavailable""#))
      try await book.superuser.read { try $0.simple("update checkpoint_signer set lease_until = clock_timestamp()") }
      try await eventually("the server signs again", within: .seconds(20)) {
        await book.clients.get("/v1/audit/checkpoint", at: book.servers[0]).status == 200
      }
      try await book.expectSettled()
    }
  }

  private static func checkpoint(_ book: ServedBook, at server: BankServer) async throws -> AuditBank.Note {
    let exchange = await book.clients.get("/v1/audit/checkpoint", at: server)
    guard case .answered(let answer) = exchange, answer.status == 200 else {
      throw NotInTime(what: "a checkpoint: \(exchange)")
    }
    return try AuditBank.open(String(decoding: answer.body, as: UTF8.self), book.checkpointKey)
  }

  private static func newest(_ book: ServedBook) async throws -> Int {
    try await book.recorded.read { session in
      Int(try session.execute("select coalesce(max(size), 0) from checkpoints").int8(0, 0))
    }
  }

  private static func lease(_ book: ServedBook) async throws -> Int64 {
    try await book.recorded.read { try $0.execute("select epoch from checkpoint_signer").int8(0, 0) }
  }
}
