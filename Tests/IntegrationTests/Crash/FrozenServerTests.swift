import Commands
import Glibc
import LocalStack
import NIOCore
import Postgres
import Synchronization
import Testing

/// A server that is stopped (SIGSTOP, as a frozen machine would be) doesn't stop the bank, not even while it holds the
/// head's lock.
@Suite struct FrozenServerTests {
  @Test func othersGoOn() async throws {
    var chance = SeededGenerator()
    try await ServedBook.run(servers: SeveralServersTests.servers, accounts: 6) { book in
      var frozenWithTheLock = 0
      var slowest = Duration.zero
      try await book.clients.underLoad(24) {
        // Which statement a server is stopped in is chance; what matters most, stopped with the lock, has to come up a
        // few times.
        var tries = 0
        while frozenWithTheLock < 4 {
          tries += 1
          try #require(tries <= 150, "no server was stopped with the lock in \(tries) tries")
          let number = tries % book.servers.count
          let before = book.clients.acknowledged
          try await eventually("the load runs", within: .seconds(60)) { book.clients.acknowledged > before + 20 }
          try await Task.sleep(for: chance.moment(withinMilliseconds: 60))
          guard let server = book.servers[number].process, server.send(SIGSTOP) else {
            Issue.record("a server isn't there")
            return
          }
          let held = try await holdsTheLock(book)
          if held { frozenWithTheLock += 1 }
          let command = book.clients.teller.withLock { $0.next() }
          let started = ContinuousClock.now
          let others = book.servers.indices.filter { $0 != number }
          try await eventually("a command at another server is answered", within: .seconds(20)) {
            for other in others {
              let exchange = await book.clients.post(command, at: book.servers[other], patience: .seconds(20))
              if book.clients.take(exchange, for: command) != nil { return true }
            }
            return false
          }
          if held { slowest = max(slowest, ContinuousClock.now - started) }
          server.send(SIGCONT)
        }
        print("stopped \(tries) servers, \(frozenWithTheLock) with the lock; the others went on within \(slowest)")
      }
      try await book.expectSettled()
      try await book.recorded.expectStatements()
      // Those that were stopped take commands again.
      for server in book.servers.indices {
        let command = book.clients.teller.withLock { $0.next() }
        let exchange = await book.clients.post(command, at: book.servers[server])
        #expect(book.clients.take(exchange, for: command) != nil, "server \(server)")
      }
      try await book.expectSettled()
    }
  }

  /// Whether a writer's session stays in one transaction and waits for a client that says nothing, for longer than a
  /// healthy one ever does.
  private func holdsTheLock(_ book: ServedBook) async throws -> Bool {
    try await book.superuser.read { session in
      let silent = """
        select pid, xact_start from pg_stat_activity
        where application_name = 'kauri writer' and xact_start is not null and wait_event = 'ClientRead'
          and state_change < clock_timestamp() - interval '400 milliseconds'
        """
      let until = ContinuousClock.now + .milliseconds(700)
      while ContinuousClock.now < until {
        if try session.execute(silent).count > 0 { return true }
        _ = try session.execute("select pg_sleep(0.02)")
      }
      return false
    }
  }
}
