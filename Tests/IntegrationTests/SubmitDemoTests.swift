import FoundationEssentials
import Glibc
import LocalStack
import Testing

/// `kauri dev --demo` and what it tells people to type.
@Suite struct SubmitDemoTests {
  @Test func whatTheDemonstrationSaysWorksAsPasted() async throws {
    let stack = try await KauriProcess.dev(arguments: ["--demo"])
    do {
      let commands = try await Self.commands(of: stack)
      try #require(commands.count == 3)
      let transfer = try await Self.paste(commands[0])
      #expect(transfer.contains(#""outcome":"accepted""#))
      let balance = try await Self.paste(commands[1])
      #expect(balance.contains(#""posted":""#) && balance.contains(#""held":"24000""#))
      let statement = try await Self.paste(commands[2])
      #expect(statement.contains(#""entries":[{"#))
      await stack.stop()
      try await whatIsThereIsNotMadeAgain(in: stack.directory)
    } catch {
      try await stack.destroy()
      throw error
    }
    try await stack.destroy()
  }

  @Test func brokenOffItSaysSoAndNothingWorse() async throws {
    let stack = try await KauriProcess.dev(arguments: ["--demo"])
    await stack.process.stop(SIGTERM, grace: .seconds(90))
    let errors = stack.errors
    try await stack.destroy()
    // On a very fast machine it may be done by then.
    let isDone = errors.contains("a demonstration bank of")
    #expect(isDone || errors.contains("the demonstration was broken off"), "\(errors)")
    #expect(!errors.contains("can't be given") && !errors.contains("Error"), "\(errors)")
  }

  /// Started again, it fills nothing and says the same. What it says on standard error is kept from one start to the next.
  private func whatIsThereIsNotMadeAgain(in directory: String) async throws {
    let stack = try await KauriProcess.dev(directory: directory, arguments: ["--demo"])
    let commands = try? await Self.commands(of: stack)
    let fillings = stack.errors.split(separator: "\n").count { $0.contains("a demonstration bank of 220 people") }
    await stack.stop()
    #expect(commands?.count == 3)
    #expect(fillings == 1)
  }

  /// What it tells people to type, once it has.
  private static func commands(of stack: RunningStack) async throws -> [String] {
    let until = ContinuousClock.now + .seconds(180)
    while !stack.output.contains("entries?limit") {
      try #require(stack.process.isRunning, "\(stack.errors)")
      try #require(ContinuousClock.now < until, "nothing to type was said in three minutes: \(stack.errors)")
      try await Task.sleep(for: .milliseconds(50))
    }
    return stack.output.split(separator: "\n").filter { $0.hasPrefix("curl ") }.map(String.init)
  }

  private static func paste(_ command: String) async throws -> String {
    let outcome = try await Program("sh").run(["-c", command])
    #expect(outcome.exitStatus == 0, "\(outcome.errors)")
    return outcome.output
  }
}
