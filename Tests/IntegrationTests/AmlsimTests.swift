import FoundationEssentials
import Glibc
import LocalStack
import Postgres
import Testing

/// Where the data is.
private enum AmlsimData {
  /// The repository's folder.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// `KAURI_AMLSIM_DATA`, or beside the repository; nil when it isn't there.
  static let folder: String? = {
    let path = getenv("KAURI_AMLSIM_DATA").map { String(cString: $0) } ?? "\(root)/../shared/data/amlsim"
    return Files.exists("\(path)/20K_cycle200/nodes.csv") ? path : nil
  }()
}

/// 20,000 accounts and 118,000 transfers of other people's making (IBM AMLSim), loaded with `kauri submit`: every
/// balance and every decline is what a calculator says that shares nothing with the server.
@Suite(.serialized, .enabled(if: AmlsimData.folder != nil, "the AMLSim data isn't there"))
struct AmlsimTests {
  @Test(arguments: [
    ("20K_cycle200", "as-given", 72_859), ("20K_fanin200", "as-given", 73_004), ("20K_cycle200", "sufficient", 0),
  ])
  func everyOutcomeIsTheCalculators(folder: String, funding: String, withoutFunds: Int) async throws {
    try await withStack { stack, directory in
      let file = try await Self.convert(folder, funding, in: directory)
      let expected = try AmlsimCalculator(file)
      #expect(expected.declines.values.count { $0 == "same_account" } == 14)
      #expect(expected.declines.values.count { $0 == "insufficient_funds" } == withoutFunds)

      let outcome = try await KauriProcess.run([
        "submit", file, "--data-dir", stack.directory, "--json", "--rejects", "\(directory)/rejects.ndjson",
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      print("\(folder) \(funding): \(outcome.output)")
      let summary = try JSONDecoder().decode(Summary.self, from: Data(outcome.output.utf8))
      try await expectBook(expected, summary, stack)
      let rejects = (Files.read("\(directory)/rejects.ndjson") ?? "").split(separator: "\n")
      #expect(rejects.count == expected.declines.count)

      // The whole file once more moves nothing.
      let again = try await KauriProcess.run(["submit", file, "--data-dir", stack.directory, "--json"])
      let repeated = try JSONDecoder().decode(Summary.self, from: Data(again.output.utf8))
      #expect(repeated.accepted == summary.accepted && repeated.declined == summary.declined)
      try await expectBook(expected, summary, stack)
    }
  }

  /// `kill -9` of the client, again and again, and of the server.
  @Test func kills() async throws {
    var chance = SubmitChance("kills during a submission")
    try await withStack { stack, directory in
      let file = try await Self.convert("20K_cycle200", "as-given", in: directory)
      let expected = try AmlsimCalculator(file)
      var deaths = 0
      while true {
        let output = "\(directory)/submit.\(deaths).json"
        let process = try await KauriProcess.start(
          ["submit", file, "--data-dir", stack.directory, "--json", "--rejects", "\(directory)/rejects.ndjson"],
          outputFile: output, logFile: "\(directory)/submit.log")
        let patience: Duration = deaths < 5 ? .milliseconds(300 + chance.index(below: 1_200)) : .seconds(600)
        if let end = await process.waitForEnd(timeout: patience) {
          #expect(end.isSuccess, "\(Files.read("\(directory)/submit.log") ?? "")")
          let summary = try JSONDecoder().decode(Summary.self, from: Data((Files.read(output) ?? "").utf8))
          try await expectBook(expected, summary, stack)
          let rejects = (Files.read("\(directory)/rejects.ndjson") ?? "").split(separator: "\n")
          #expect(rejects.count == expected.declines.count)
          #expect(Set(rejects).count == rejects.count)
          #expect(deaths > 0)
          return
        }
        process.send(SIGKILL)
        _ = await process.waitForEnd()
        deaths += 1
        if deaths == 3, let server = try stack.record().processes["server"] { kill(server, SIGKILL) }
      }
    }
  }

  // MARK: - What is there in the end

  private struct Summary: Decodable {
    let commands, accepted: Int
    let declined, refused: [String: Int]
  }

  private func expectBook(_ expected: AmlsimCalculator, _ summary: Summary, _ stack: RunningStack) async throws {
    #expect(summary.commands == expected.count)
    #expect(summary.refused.isEmpty)
    #expect(summary.declined == Dictionary(expected.declines.values.map { ($0, 1) }, uniquingKeysWith: +))
    #expect(summary.accepted == expected.count - expected.declines.count)

    let connection = try await Connection.connect(
      ConnectionConfiguration(conninfo: stack.conninfo(user: LocalStack.serverRole)))
    let (balances, declines) = try await connection.run { session in
      let rows = try session.execute("select account_id::text, posted from balances")
      var balances: [String: Int] = [:]
      for row in 0..<rows.count { balances[try rows.text(row, 0)] = Int(try rows.int8(row, 1)) }
      let declined = try session.execute(
        """
        select command_id::text, convert_from(payload, 'UTF8')::jsonb ->> 'code' from events
        where type = 'TransferDeclined'
        """)
      var declines: [String: String] = [:]
      for row in 0..<declined.count { declines[try declined.text(row, 0)] = try declined.text(row, 1) }
      return (balances, declines)
    }
    await connection.close()
    #expect(balances == expected.balances, "every balance")
    #expect(balances.values.reduce(0, +) == 0, "money is moved, not made")
    #expect(declines == expected.declines, "every decline")
  }

  // MARK: - Setting up

  private func withStack(_ body: (RunningStack, String) async throws -> Void) async throws {
    let directory = try TemporaryDirectories.make()
    let stack = try await KauriProcess.dev()
    do {
      try await body(stack, directory)
    } catch {
      try await stack.destroy()
      try Files.remove(directory)
      throw error
    }
    try await stack.destroy()
    try Files.remove(directory)
  }

  private static func convert(_ folder: String, _ funding: String, in directory: String) async throws -> String {
    let file = "\(directory)/\(folder).ndjson"
    let script = try await ChildProcess.start(
      "amlsim-to-ndjson", executable: "\(AmlsimData.root)/scripts/amlsim-to-ndjson",
      arguments: ["\(AmlsimData.folder ?? "")/\(folder)", "--funding", funding], logFile: "\(directory)/convert.log",
      outputFile: file)
    let end = await script.waitForEnd()
    guard end?.isSuccess == true else {
      throw LocalStackError.failed("amlsim-to-ndjson failed", detail: Files.read("\(directory)/convert.log") ?? "")
    }
    return file
  }
}
