import Foundation
import Glibc
import LocalStack
import Postgres
import Projections
import Testing

/// The real `kauri rebuild`, killed at random moments beside servers under load: the bank goes on, and the next rebuild
/// comes to what the log says. `RebuildInterruptTests` ends it in the very middle of each phase.
@Suite(.serialized) struct RebuildKillTests {
  @Test("killed a moment after it has said which phase it is in", arguments: ["balances", "entries", "customers"])
  func killed(model: String) async throws {
    try await ServedBook.run(servers: [[], ["--state-cache", "40"]], accounts: 6) { book in
      var chance = SeededGenerator()
      let owner = book.cluster.conninfo(user: LocalStack.ownerRole)
      let directory = try TemporaryDirectory()
      var hits = 0
      // A log this short is caught up with at once.
      for phase in RebuildProgress.Phase.allCases where phase != .catchingUp && phase != .dropping {
        let delay = chance.moment(withinMilliseconds: 30)
        try await book.clients.underLoad(6) {
          let before = book.clients.acknowledged
          try await eventually("the load runs", within: .seconds(60)) { book.clients.acknowledged > before + 20 }
          let end = try await kill(
            ["rebuild", model, "--json", "--database", owner], at: phase, after: delay, in: directory.path)
          if end.contains("signal") { hits += 1 }
          // What the killed one left, and what the servers go on with, is one sound book.
          try await book.recorded.expectSound()
          let outcome = try await KauriProcess.run(["rebuild", model, "--json", "--database", owner])
          #expect(outcome.status == 0, "\(phase), \(end): \(outcome.output) \(outcome.errors)")
          #expect(outcome.output.contains(#""switched":true"#))
          try await book.recorded.expectSound()
          print("\(model), killed at \(phase) (\(end)): \(outcome.output.split(separator: "\n").last ?? "")")
        }
        try await book.expectSettled()
      }
      // One that was quicker than its killer says nothing.
      #expect(hits > 0, "every rebuild was done before it was killed")
      try await book.recorded.expectStatements()

      _ = try await kill(
        ["rebuild", model, "--drop-old", "--json", "--database", owner], at: .dropping, after: .zero, in: directory.path
      )
      let outcome = try await KauriProcess.run(["rebuild", model, "--drop-old", "--database", owner])
      #expect(outcome.status == 0, "\(outcome.errors)")
      let left = try await book.recorded.read { session in
        try session.execute(
          "select count(*) from pg_class where relkind = 'r' and relname ~ $1", [.text("^\(model)(_[0-9]+)?$")]
        ).int8(0, 0)
      }
      #expect(left == 1, "only the live generation is left")
      try await book.clients.underLoad(4) {
        let before = book.clients.acknowledged
        try await eventually("the load runs", within: .seconds(60)) { book.clients.acknowledged > before + 20 }
      }
      try await book.expectSettled()
      try await book.recorded.expectStatements()
    }
  }

  /// Starts a rebuild and kills it a moment after it has said that it is in a phase.
  /// - Returns: how it ended.
  private func kill(
    _ arguments: [String], at phase: RebuildProgress.Phase, after delay: Duration, in directory: String
  ) async throws -> String {
    let output = "\(directory)/rebuild-\(UInt64.random(in: .min ... .max))"
    let process = try await KauriProcess.start(arguments, outputFile: output, logFile: "\(output).errors")
    try await eventually("the rebuild is \(phase)", within: .seconds(60)) {
      let isRunning = process.isRunning
      if (Files.read(output) ?? "").contains(#""phase":"\#(phase.rawValue)""#) { return true }
      guard isRunning else {
        throw LocalStackError.failed("a rebuild ended", detail: Files.read("\(output).errors") ?? "")
      }
      return false
    }
    try await Task.sleep(for: delay)
    process.send(SIGKILL)
    return await process.waitForEnd()?.description ?? "unknown"
  }

  @Test("wrong use exits with 2, and says what is right")
  func wrongUse() async throws {
    for arguments in [
      ["rebuild"], ["rebuild", "--all", "entries"], ["rebuild", "nothing", "--data-dir", "/nowhere"],
      ["rebuild", "entries", "--database", "host=/nowhere", "--data-dir", "/nowhere"],
      ["rebuild", "entries", "--accept", "--drop-old", "--data-dir", "/nowhere"],
      ["rebuild", "entries", "--database", "host=/nowhere password=x"],
    ] {
      let outcome = try await KauriProcess.run(arguments)
      #expect(outcome.status == 2, "\(arguments): \(outcome.errors)")
    }
  }
}

/// A directory that goes with the test.
private final class TemporaryDirectory {
  let path: String

  init() throws { path = try TemporaryDirectories.make() }

  deinit { try? Files.remove(path) }
}
