import Ledger
import LocalStack
import Synchronization
import Testing
import kauri

/// What a submission writes beside its input.
@Suite struct SubmitFilesTests {
  /// Refuses every line, with its number in the batch.
  private struct Refusing: CommandEndpoint {
    func hasOutcome(of command: Identifier) async throws -> Bool { false }

    func send(_ lines: [UInt8]) async throws -> BatchReply {
      let count = lines.split(separator: UInt8(ascii: "\n")).count
      let answers = (1...count).map { #"{"line":\#($0),"status":400,"code":"invalid_request","detail":"no"}\#n"# }
      return .outcomes(Array(answers.joined().utf8))
    }
  }

  /// Accepts one command, and then neither answers nor says what it has.
  private final class Falling: CommandEndpoint {
    private let hasAnswered = Mutex(false)
    private let asked: @Sendable () -> Void

    struct Down: Error {}

    init(asked: @escaping @Sendable () -> Void) { self.asked = asked }

    func hasOutcome(of command: Identifier) async throws -> Bool {
      asked()
      throw Down()
    }

    func send(_ lines: [UInt8]) async throws -> BatchReply {
      let isFirst = hasAnswered.withLock { answered in
        defer { answered = true }
        return !answered
      }
      guard isFirst else { throw Down() }
      return .outcomes(Array((#"{"status":201,"outcome":"accepted","position":1}"# + "\n").utf8))
    }
  }

  private static func withDirectory(_ body: (String) async throws -> Void) async throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    try await body(directory)
  }

  @Test func aRejectHasOneLineNumber() async throws {
    try await Self.withDirectory { directory in
      let (input, rejects) = ("\(directory)/commands", "\(directory)/rejects")
      try Files.write("\n{}\n\n{}\nnonsense\n", to: input, mode: 0o600)
      let report = try await Submission(
        of: input, to: Refusing(), statePath: "\(directory)/state", rejectsPath: rejects
      ).run()
      #expect(report.tally.refused == ["invalid_request": 3])
      let lines = try (Files.read(rejects) ?? "").split(separator: "\n").map { line in
        var record = try JSONDocument(Array(line.utf8)).root.object()
        let answer = try record.required("answer").object()
        #expect(answer.map(\.key) == ["status", "code", "detail"])
        return try record.required("line").int64()
      }
      #expect(lines.sorted() == [2, 4, 5])
    }
  }

  @Test func theRejectsOfAnEarlierRunAreKept() async throws {
    try await Self.withDirectory { directory in
      let (input, state, rejects) = ("\(directory)/commands", "\(directory)/state", "\(directory)/rejects")
      try Files.write("{}\n", to: input, mode: 0o600)
      _ = try await Submission(of: input, to: Refusing(), statePath: state, rejectsPath: rejects).run()
      let kept = Files.read(rejects)
      #expect(kept?.isEmpty == false && !Files.exists(state))
      await #expect(throws: InputFault.self) {
        _ = try await Submission(of: input, to: Refusing(), statePath: state, rejectsPath: rejects)
      }
      #expect(Files.read(rejects) == kept && !Files.exists(state))
    }
  }

  /// Whoever breaks off a run that waits for the server to go on hasn't given up what was answered before.
  @Test func aRunBrokenOffBeforeItGoesOnKeepsTheState() async throws {
    try await Self.withDirectory { directory in
      let (input, state, rejects) = ("\(directory)/commands", "\(directory)/state", "\(directory)/rejects")
      let lines = (1...2).map { place in
        let customer = #""data":{"customer_id":"\#(Identifier(high: 2, low: 1))"}"#
        return #"{"command":"VerifyCustomer","id":"\#(Identifier(high: 1, low: UInt64(place)))",\#(customer)}\#n"#
      }
      try Files.write(lines.joined(), to: input, mode: 0o600)
      let asked = AsyncStream<Void>.makeStream()
      let endpoint = Falling { asked.continuation.yield() }
      var options = Submission<Falling>.Options()
      options.batch = .init(linesMaximum: 1, bytesMaximum: 8_192, linesMinimum: 1)
      options.patience = .init(total: .zero, firstWait: .milliseconds(1), longestWait: .milliseconds(1))
      await #expect(throws: SubmissionFault.self) {
        _ = try await Submission(
          of: input, to: endpoint, statePath: state, rejectsPath: rejects, options: options
        ).run()
      }
      let kept = try #require(Files.read(state))
      #expect(kept.contains("\(Identifier(high: 1, low: 1))"))

      options.patience.total = .seconds(600)
      let run = Task { [options] in
        try await Submission(
          of: input, to: endpoint, statePath: state, rejectsPath: rejects, options: options
        ).run()
      }
      for await _ in asked.stream { break }
      run.cancel()
      await #expect(throws: CancellationError.self) { _ = try await run.value }
      #expect(Files.read(state) == kept)
    }
  }
}
