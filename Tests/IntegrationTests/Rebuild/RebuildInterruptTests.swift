import Glibc
import LocalStack
import Postgres
import Projections
import Testing

/// The real `kauri rebuild`, held in the middle of each of its phases beside a server under load, and ended there: by
/// kill -9, after which the next one comes to what the log says, and by Ctrl-C, which leaves nothing behind.
@Suite(.serialized) struct RebuildInterruptTests {
  @Test("ended inside every phase", arguments: ["balances", "entries", "customers"])
  func ended(model: String) async throws {
    try await ServedBook.run(servers: [[]], accounts: 6) { book in
      let gate = try await RebuildGate(on: book, model: model)
      for phase in RebuildGate.phases {
        try await book.clients.underLoad(6) {
          let before = book.clients.acknowledged
          try await eventually("the load runs", within: .seconds(60)) { book.clients.acknowledged > before + 20 }
          try await interrupt(model, phase, gate, book)
          try await kill(model, phase, gate, book)
        }
        try await book.expectSettled()
      }
      try await killDropping(model, book)
      await gate.close()
      try await book.recorded.expectStatements()
    }
  }

  private func rebuild(_ arguments: String..., on book: ServedBook) -> RebuildProcess {
    let owner = book.cluster.conninfo(user: LocalStack.ownerRole)
    return RebuildProcess(arguments + ["--database", owner], in: book.directory)
  }

  private func run(_ arguments: String..., on book: ServedBook) async throws -> KauriProcess.Outcome {
    try await KauriProcess.run(arguments + ["--database", book.cluster.conninfo(user: LocalStack.ownerRole)])
  }

  private func interrupt(
    _ model: String, _ phase: RebuildProgress.Phase, _ gate: RebuildGate, _ book: ServedBook
  ) async throws {
    let before = try await generations(book)
    let rebuild = rebuild(model, on: book)
    let end = try await gate.hold(in: phase, rebuild) { await rebuild.end(by: SIGINT) }
    #expect(end == "exited with status 1", "\(model), \(phase): \(rebuild.errors)")
    #expect(rebuild.errors.contains("cancelled; nothing of what was being made remains"), "\(rebuild.errors)")
    #expect(try await generations(book) == before, "\(model), cancelled while \(phase)")
  }

  private func kill(
    _ model: String, _ phase: RebuildProgress.Phase, _ gate: RebuildGate, _ book: ServedBook
  ) async throws {
    let live = try await liveGeneration(of: model, book)
    let killed = rebuild(model, on: book)
    let end = try await gate.hold(in: phase, killed) { await killed.end(by: SIGKILL) }
    #expect(end.contains("signal"), "\(model), \(phase): \(end)")
    // What it left, and what the server goes on with, is one sound book with the tables it had.
    try await book.recorded.expectSound()
    #expect(try await liveGeneration(of: model, book) == live, "\(model), killed while \(phase)")
    let outcome = try await run("rebuild", model, "--json", on: book)
    #expect(outcome.status == 0, "\(model), \(phase): \(outcome.output) \(outcome.errors)")
    #expect(outcome.output.contains(#""switched":true"#), "\(outcome.output)")
    #expect(try await liveGeneration(of: model, book) == live + 1)
    // What a transaction had brought into the new generation of a model that follows the log isn't read again.
    let isContinued = model == "entries" && [.catchingUp, .comparing, .switching].contains(phase)
    #expect(outcome.output.contains(#""continued_from""#) == isContinued, "\(phase): \(outcome.output)")
    let difference = try await run("replay", "diff", model, on: book)
    #expect(difference.status == 0, "\(model), killed while \(phase): \(difference.output) \(difference.errors)")
    print("\(model), ended while \(phase): \(outcome.output.split(separator: "\n").last ?? "")")
  }

  /// Somebody reads the oldest generation, so that it can't be dropped yet.
  private func killDropping(_ model: String, _ book: ServedBook) async throws {
    let reader = try await Connection.connect(book.superuser.configuration)
    try await reader.run { session in try session.simple("begin; select from \(model) limit 1") }
    let killed = rebuild(model, "--drop-old", on: book)
    try await killed.start()
    try await eventually("the drop waits for the reader", within: .seconds(60)) {
      try killed.expectRunning()
      let isWaiting = try await book.superuser.read { session in
        try session.execute(
          "select from pg_stat_activity where application_name = 'kauri rebuild' and wait_event_type = 'Lock'"
        ).count > 0
      }
      return isWaiting && killed.phase == .dropping
    }
    let end = await killed.end(by: SIGKILL)
    #expect(end.contains("signal"))
    try await reader.run { session in session.rollBack() }
    await reader.close()
    try await book.recorded.expectSound()
    let outcome = try await run("rebuild", model, "--drop-old", on: book)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let live = try await liveGeneration(of: model, book)
    let left = try await book.superuser.read { session in
      let rows = try session.execute(
        "select relname::text from pg_class where relkind = 'r' and relname ~ $1", [.text("^\(model)(_[0-9]+)?$")])
      return try (0..<rows.count).map { try rows.text($0, 0) }
    }
    #expect(left == ["\(model)_\(live)"])
  }

  // MARK: What is there

  /// The tables of generations after the first, and the checkpoints.
  private func generations(_ book: ServedBook) async throws -> [String] {
    try await book.superuser.read { session in
      let rows = try session.execute(
        """
        select relname::text from pg_class where relname ~ '_[0-9]+$' and relkind = 'r' and relname !~ '^events_'
        union all select model || ' ' || generation from projections order by 1
        """)
      return try (0..<rows.count).map { try rows.text($0, 0) }
    }
  }

  private func liveGeneration(of model: String, _ book: ServedBook) async throws -> Int32 {
    try await book.superuser.read { session in
      try session.execute(
        "select coalesce((generations ->> $1)::integer, 1) from log_head", [.text(model)]
      ).int4(0, 0)
    }
  }
}
