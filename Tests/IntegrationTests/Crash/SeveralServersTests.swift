import Commands
import Ledger
import LocalStack
import NIOCore
import Synchronization
import Testing

/// Three `kauri serve` processes on one database, one of them without a cache and one with hardly any.
@Suite(.serialized) struct SeveralServersTests {
  static let servers = [[], ["--state-cache", "off"], ["--state-cache", "3", "--batch-maximum", "40"]]

  /// Hundreds of clients on a few accounts.
  @Test func hundredsOfClients() async throws {
    try await ServedBook.run(servers: Self.servers, accounts: 8) { book in
      let opened = book.clients.acknowledged
      try await book.clients.underLoad(240) {
        try await eventually("six thousand commands are settled", within: .seconds(120)) {
          book.clients.acknowledged >= opened + 6_000
        }
      }
      let audit = try await book.expectSettled()
      // The book's opening is nobody's command here.
      #expect(audit.commands.count == book.clients.acknowledged + 1)
      try await book.recorded.expectStatements()
      #expect(book.clients.tally.unanswered == 0 && book.clients.tally.cutOff == 0)
      print("240 clients, three servers: \(book.clients.acknowledged) commands, \(book.clients.tally)")
    }
  }

  /// The same command given to two servers at the same time happens once, and both say the same.
  @Test func sameCommandAtTwoServers() async throws {
    try await ServedBook.run(servers: Self.servers, accounts: 5) { book in
      let commands = book.clients.teller.withLock { teller in (0..<600).map { _ in teller.next() } }
      let answers = await withTaskGroup(of: (Int, Exchange).self) { group in
        for (number, command) in commands.enumerated() {
          for copy in 0..<2 {
            let server = book.servers[(number + copy) % book.servers.count]
            group.addTask { (number, await book.clients.post(command, at: server, patience: .seconds(60))) }
          }
        }
        var answers: [Int: [Exchange]] = [:]
        for await (number, exchange) in group { answers[number, default: []].append(exchange) }
        return answers
      }
      for (number, command) in commands.enumerated() {
        var firsts = 0
        for exchange in answers[number] ?? [] {
          #expect(book.clients.take(exchange, for: command) != nil)
          if case .answered(let answer) = exchange, !answer.wasReplayed { firsts += 1 }
        }
        #expect(firsts == 1, "command \(command.id) was new to \(firsts) servers")
      }
      try await book.expectSettled()
    }
  }

  /// Many people at every server reverse the same transfer, capture the same hold, approve the same transfer: one
  /// succeeds.
  @Test func oneOfManyWins() async throws {
    try await ServedBook.run(servers: Self.servers, accounts: 4) { book in
      let accounts = book.clients.teller.withLock { $0.accounts }
      await book.clients.settle(book.clients.teller.withLock { $0.setThreshold(of: accounts[3], 500) }, at: 0)
      for round in 0..<8 {
        let (posted, hold, waiting) = book.clients.teller.withLock { teller in
          (
            teller.transfer(from: accounts[0], to: accounts[1], 100, chosen: round % 2 == 0),
            teller.placeHold(on: accounts[1], 90), teller.transfer(from: accounts[3], to: accounts[2], 600)
          )
        }
        for command in [posted, hold, waiting] { await book.clients.settle(command, at: round) }
        #expect(book.clients.outcome(of: posted.id)?.types == ["TransferPosted"])
        #expect(book.clients.outcome(of: hold.id)?.types == ["HoldPlaced"])
        #expect(book.clients.outcome(of: waiting.id)?.types == ["TransferHeldForApproval"])
        guard case .postTransfer(let transfer) = posted.instruction, case .placeHold(let place) = hold.instruction
        else { return }
        let contests = book.clients.teller.withLock { teller in
          [
            (0..<12).map { _ in teller.reverse(transfer.transferID) },
            (0..<12).map { _ in teller.captureHold(place.holdID, to: accounts[2], 90) },
            (0..<12).map { teller.decide(waiting.id, yes: $0 % 3 > 0, by: Teller.staff[1]) },
          ]
        }
        await withTaskGroup(of: Void.self) { group in
          for (number, command) in contests.joined().enumerated() {
            group.addTask { await book.clients.settle(command, at: number) }
          }
        }
        for contest in contests {
          let winners = contest.filter { book.clients.outcome(of: $0.id)?.outcome == "accepted" }
          #expect(winners.count == 1, "round \(round): \(winners.map { "\($0.instruction.name)" })")
        }
      }
      try await book.expectSettled()
    }
  }
}
