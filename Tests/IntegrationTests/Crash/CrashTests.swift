import Commands
import Glibc
import LocalStack
import Postgres
import Testing

/// Real servers on a real Postgres, killed without warning while clients give commands: what was acknowledged is there,
/// what wasn't is there wholly or not at all, and asking again settles which.
@Suite(.serialized) struct CrashTests {
  /// What is killed.
  enum Victim: CaseIterable {
    /// `kauri serve`.
    case server
    /// Its writer's session, by the database's administrator.
    case session
    /// The process behind that session. Postgres then restarts every process that it has.
    case backend
    /// All of Postgres.
    case postmaster
  }

  @Test func twentyKills() async throws {
    var chance = SeededGenerator()
    let victims = (0..<5).flatMap { _ in Victim.allCases }.shuffled(using: &chance)
    try await ServedBook.run(servers: [[], ["--state-cache", "40", "--batch-maximum", "24"]], accounts: 6) { book in
      for (round, victim) in victims.enumerated() {
        let delay = chance.moment(withinMilliseconds: 150)
        let target = Int.random(in: 0..<book.servers.count, using: &chance)
        try await book.clients.underLoad(10) {
          let before = book.clients.acknowledged
          try await eventually("the load runs", within: .seconds(60)) { book.clients.acknowledged > before + 10 }
          try await Task.sleep(for: delay)
          try await kill(victim, book, server: book.servers[target])
          // While others still ask again: what there is of an unanswered command is all of it.
          try await book.recorded.expectSound()
          let after = book.clients.acknowledged
          try await eventually("the load goes on after round \(round)", within: .seconds(60)) {
            book.clients.acknowledged > after + 20
          }
        }
        let audit = try await book.expectSettled()
        print("round \(round): \(victim), \(audit.commands.count) commands, \(book.clients.tally)")
      }
      try await book.recorded.expectStatements()
      try await expectSameAgain(book)
      print("after \(victims.count) kills: \(book.clients.acknowledged) commands, \(book.clients.tally)")
      #expect(book.clients.tally.unanswered > 0, "nobody was hit")
    }
  }

  private func kill(_ victim: Victim, _ book: ServedBook, server: BankServer) async throws {
    switch victim {
    case .server:
      await server.kill()
      try await server.start()
    case .session:
      let ended = try await book.superuser.read { session in
        try session.execute(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'kauri writer'"
        ).count
      }
      #expect(ended > 0)
    case .backend:
      // Another session ends with it: that is when Postgres has noticed, and not a moment later.
      let witness = try await Connection.connect(book.superuser.configuration)
      let backend = try await writerBackend(book)
      #expect(backend?.send(SIGKILL) == true)
      try await eventually("Postgres ends every session", within: .seconds(30)) {
        (try? await witness.execute("select 1")) == nil
      }
      await witness.close()
    case .postmaster:
      await book.cluster.kill()
      try await book.cluster.start()
    }
    try await eventually("Postgres is back", within: .seconds(60)) { await book.isReachable() }
  }

  /// The process that serves a writer's session, one in a transaction if there is any.
  private func writerBackend(_ book: ServedBook) async throws -> ProcessIdentity? {
    let pid: Int32? = try await book.superuser.read { session in
      let rows = try session.execute(
        """
        select pid from pg_stat_activity where application_name = 'kauri writer'
        order by xact_start nulls last limit 1
        """)
      return rows.count == 0 ? nil : try rows.int4(0, 0)
    }
    return pid.flatMap { ProcessIdentity(of: $0) }
  }

  /// Commands given once more, to any server, are answered as they were the first time, and nothing happens.
  private func expectSameAgain(_ book: ServedBook) async throws {
    let head = try await book.recorded.audit().position
    for (number, command) in book.clients.commands.shuffled().prefix(200).enumerated() {
      let exchange = await book.clients.post(command, at: book.servers[number % book.servers.count])
      let outcome = book.clients.take(exchange, for: command)
      #expect(outcome != nil && outcome == book.clients.outcome(of: command.id))
      if case .answered(let answer) = exchange { #expect(answer.wasReplayed) }
    }
    try await book.expectSettled()
    #expect(try await book.recorded.audit().position == head)
  }
}

extension ServedBook {
  /// Whether the database takes connections.
  func isReachable() async -> Bool {
    do {
      _ = try await recorded.read { session in try session.execute("select 1").count }
      return true
    } catch {
      return false
    }
  }
}
