import Commands
import LocalStack
import NIOCore
import Synchronization
import Testing

/// Postgres is away for a while; servers say so, and find it again by themselves.
@Suite struct OutageTests {
  @Test func unavailableAndBack() async throws {
    try await ServedBook.run(servers: [[], ["--state-cache", "off"]], accounts: 4) { book in
      for mode in [PostgresCluster.StopMode.fast, .immediate] {
        try await book.clients.underLoad(8) {
          let before = book.clients.acknowledged
          try await eventually("the load runs", within: .seconds(60)) { book.clients.acknowledged > before + 50 }
          await book.cluster.stop(mode)
          var refused: [CommandEnvelope] = []
          for server in book.servers { refused += try await expectUnavailable(book, server) }
          try await book.cluster.start()
          for server in book.servers {
            try await eventually("a server is ready again", within: .seconds(30)) { await book.clients.isReady(server) }
            let path = "/v1/accounts/\(Teller.settlement)/balance"
            try await eventually("a balance is read again", within: .seconds(30)) {
              await book.clients.get(path, at: server).status == 200
            }
            let command = book.clients.teller.withLock { $0.next() }
            try await eventually("a command is taken again", within: .seconds(30)) {
              book.clients.take(await book.clients.post(command, at: server), for: command) != nil
            }
          }
          for command in refused { await book.clients.settle(command, at: 0) }
        }
        try await book.expectSettled()
      }
      #expect(book.servers.allSatisfy { $0.process?.isRunning == true })
    }
  }

  /// Whatever is asked of it is answered, in seconds, with 503 and when to ask again.
  ///
  /// - Returns: the commands that it was given, to be given again.
  private func expectUnavailable(_ book: ServedBook, _ server: BankServer) async throws -> [CommandEnvelope] {
    let (account, single, batch) = book.clients.teller.withLock { teller in
      (teller.accounts[0], teller.next(), [teller.transfer(from: teller.accounts[0], to: teller.accounts[1], 1)])
    }
    let reads = [
      "/v1/accounts/\(account)/balance", "/v1/accounts/\(account)/entries", "/v1/accounts/\(account)", "/v1/approvals",
      "/v1/commands/\(single.id)", "/v1/events?after=0",
    ]
    var exchanges: [(String, Exchange)] = [
      ("a command", await book.clients.post(single, at: server)),
      ("a batch", await book.clients.post(batch, at: server)),
    ]
    for path in reads { exchanges.append((path, await book.clients.get(path, at: server))) }
    for (what, exchange) in exchanges {
      guard case .answered(let answer) = exchange else {
        Issue.record("\(what): \(exchange)")
        continue
      }
      #expect(answer.status == 503, "\(what): \(String(decoding: answer.body, as: UTF8.self))")
      #expect(answer.retryAfter != nil, "\(what)")
    }
    #expect(await book.clients.get("/readyz", at: server).status == 503)
    #expect(await book.clients.get("/livez", at: server).status == 200)
    return [single] + batch
  }
}
