import Commands
import Dispatch
import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// The writer beside backends that die, a server that restarts, and a colleague that freezes.
@Suite(.serialized) struct WriterFaultTests {
  /// Backends are ended at random while commands run; whoever gets no answer asks again with the same id.
  @Test func endedBackendsLoseNothing() async throws {
    try await WriterBook.run { book in
      var teller = Teller(accounts: 6)
      let writer = try book.writer()
      _ = await writer.commit(teller.opening(funds: 50_000))
      var commands: [CommandEnvelope] = []
      for _ in 0..<1_200 { commands.append(teller.next()) }
      let given = commands

      let acknowledged = try await withThrowingTaskGroup(of: [CommandID: Int64].self) { group in
        group.addTask {
          var positions: [CommandID: Int64] = [:]
          for start in stride(from: 0, to: given.count, by: 12) {
            let batch = Array(given[start..<start + 12])
            for (id, position) in try await Self.settle(batch, writer) { positions[id] = position }
          }
          return positions
        }
        group.addTask {
          // As long as the load runs; it ends by being cancelled. Each time something has to have been committed since,
          // or a slow machine would get nowhere.
          let connection = try await Connection.connect(book.configuration)
          while !Task.isCancelled {
            let position = try await connection.query(
              """
              select position, (select count(pg_terminate_backend(pid)) from pg_stat_activity
                where application_name = 'kauri writer') from log_head
              """
            ) { try $0.int8(0, 0) }
            try? await Task.sleep(for: .milliseconds(Int.random(in: 1...25)))
            var reached = position
            while !Task.isCancelled, reached == position {
              try? await Task.sleep(for: .milliseconds(2))
              reached = try await connection.query("select position from log_head") { try $0.int8(0, 0) }
            }
          }
          await connection.close()
          return [:]
        }
        let positions = try await group.next() ?? [:]
        group.cancelAll()
        return positions
      }
      #expect(acknowledged.count == given.count)
      let audit = try await book.expectSoundBook()
      for (command, position) in acknowledged {
        #expect(audit.commands[command]?.last == position, "command \(command) was acknowledged at \(position)")
      }
    }
  }

  @Test func aRestartedServerIsFoundAgain() async throws {
    try await WriterBook.run { book in
      var teller = Teller(accounts: 4)
      let writer = try book.writer(WriterOptions(settlingTime: .milliseconds(300)))
      _ = await writer.commit(teller.opening(funds: 5_000))
      // Not killed: a backend outlives its postmaster until it has nothing to do, and may commit one more batch.
      await book.cluster.stop(.immediate)
      let command = teller.next()
      guard case .unavailable(.databaseUnavailable) = await writer.commit([command])[0] else {
        Issue.record("a command was answered without a database")
        return
      }
      try await book.cluster.start()
      let results = try await Self.settle([command, teller.next()], writer)
      #expect(results.count == 2)
      try await book.expectSoundBook()
    }
  }

  /// A row that nobody can read (a later build's, or one that somebody changed) fails whoever needs it, and nobody else.
  @Test func aRowThatCannotBeReadFailsAlone() async throws {
    try await WriterBook.run { book in
      var teller = Teller(accounts: 4)
      let writer = try book.writer()
      _ = await writer.commit(teller.opening(funds: 5_000))
      let (bad, from, to) = (teller.accounts[0], teller.accounts[1], teller.accounts[2])
      let owner = ConnectionConfiguration(conninfo: book.cluster.conninfo(user: "postgres"))
      let connection = try await Connection.connect(owner)
      try await connection.run { try $0.simple("update accounts set status = 'dormant' where account_id = '\(bad)'") }
      await connection.close()
      func transfer(_ number: UInt64, from debit: AccountID) -> CommandEnvelope {
        let id = Identifier(high: 0xBAD, low: number)
        return CommandEnvelope(
          id: id, actor: Teller.staff[0],
          instruction: .postTransfer(
            PostTransfer(transferID: id, debit: .id(debit), credit: .id(to), amount: 1, currency: .nzd)))
      }
      let started = ContinuousClock.now
      let batch = (1...9).map { transfer($0, from: $0 == 5 ? bad : from) }
      let results = await (try book.writer()).commit(batch)
      #expect(ContinuousClock.now - started < .seconds(4), "it was tried again and again")
      for (index, result) in results.enumerated() {
        switch result {
        case .recorded: #expect(index != 4)
        case .unavailable(.commandFailed(let reason)): #expect(index == 4 && reason.contains("dormant"), "\(reason)")
        default: Issue.record("\(index): \(result)")
        }
      }
      #expect(try await book.log().count { $0.origin.commandID.high == 0xBAD } == 8)
    }
  }

  /// What is dated by a clock that runs far ahead can't be taken back.
  @Test func aClockFarAheadIsRefused() async throws {
    try await WriterBook.run { book in
      var teller = Teller(accounts: 4)
      let opening = teller.opening(funds: 5_000)
      let ahead = try book.writer(
        WriterOptions(clock: { Moment(microseconds: Moment.now.microseconds + 3_600_000_000) }))
      let before = try await book.log().count
      for result in await ahead.commit(opening) {
        guard case .unavailable(.clockAhead) = result else {
          Issue.record("\(result)")
          continue
        }
      }
      #expect(try await book.log().count == before)
      // A little is nothing: clocks differ.
      let near = try book.writer(
        WriterOptions(clock: { Moment(microseconds: Moment.now.microseconds + 60_000_000) }))
      for result in await near.commit(opening) { _ = try result.outcome() }
      try await book.expectSoundBook()
    }
  }

  /// A colleague that took the head's lock and froze in the middle of a pipeline, sending or reading, which no time-out
  /// of Postgres' own sees.
  @Test(arguments: [false, true]) func aFrozenWriterStopsNobodyForLong(isReading: Bool) async throws {
    try await WriterBook.run { book in
      var teller = Teller(accounts: 4)
      let writer = try book.writer()
      _ = await writer.commit(teller.opening(funds: 5_000))

      var configuration = book.configuration
      configuration.applicationName = "kauri writer"
      let colleague = try await Connection.connect(configuration)
      let thaw = DispatchSemaphore(value: 0)
      async let frozen: Void = {
        _ = try? await colleague.run { session in
          _ = try session.pipeline { pipeline in
            try pipeline.execute("begin")
            try pipeline.execute("select from log_head for update")
            // More than the socket takes: the backend waits for somebody to read it.
            if isReading { try pipeline.execute("select repeat('x', 1000) from generate_series(1, 50000)") }
            // Blocks the connection's own thread, as a stopped process would: the backend waits for the rest of the
            // pipeline.
            _ = thaw.wait(timeout: .now() + 60)
          }
        }
      }()
      try await untilTheHeadIsLocked(book)

      let started = ContinuousClock.now
      let result = await writer.commit([teller.next()])[0]
      let elapsed = ContinuousClock.now - started
      thaw.signal()
      await frozen
      guard case .recorded = result else {
        Issue.record("not recorded beside a frozen writer: \(result)")
        return
      }
      #expect(elapsed < .seconds(15))
      try await book.expectSoundBook()
    }
  }

  private func untilTheHeadIsLocked(_ book: WriterBook) async throws {
    let until = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < until {
      do {
        try await book.recorded.read { session in
          try session.transaction { _ = try session.execute("select from log_head for update nowait") }
        }
      } catch let error as PostgresError where error.sqlState == "55P03" {
        return
      }
    }
    Issue.record("the head was never locked")
  }

  /// Gives the batch until every command of it is recorded, and says where each stands.
  static func settle(_ batch: [CommandEnvelope], _ writer: PostgresBook) async throws -> [CommandID: Int64] {
    var positions: [CommandID: Int64] = [:]
    var waiting = batch
    let until = ContinuousClock.now + .seconds(60)
    while !waiting.isEmpty {
      try #require(ContinuousClock.now < until, "commands were not settled in a minute")
      let results = await writer.commit(waiting)
      for (command, result) in zip(waiting, results) {
        if case .recorded(let outcome, _) = result { positions[command.id] = outcome.position }
      }
      waiting.removeAll { positions[$0.id] != nil }
    }
    return positions
  }
}
