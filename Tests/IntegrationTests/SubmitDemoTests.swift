import FoundationEssentials
import LocalStack
import Testing

/// `kauri dev --demo` and what it tells people to type.
@Suite struct SubmitDemoTests {
  @Test func whatTheDemonstrationSaysWorksAsPasted() async throws {
    let stack = try await KauriProcess.dev(arguments: ["--demo"])
    do {
      while !stack.output.contains("entries?limit") {
        try #require(stack.process.isRunning, "\(stack.errors)")
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(stack.errors.contains("a demonstration bank of 220 people"))
      let commands = stack.output.split(separator: "\n").filter { $0.hasPrefix("curl ") }
      try #require(commands.count == 3)
      let transfer = try await Self.paste(String(commands[0]))
      #expect(transfer.contains(#""outcome":"accepted""#))
      let balance = try await Self.paste(String(commands[1]))
      #expect(balance.contains(#""posted":""#) && balance.contains(#""held":"24000""#))
      let statement = try await Self.paste(String(commands[2]))
      #expect(statement.contains(#""entries":[{"#))

      // Started again, it fills nothing and says the same.
      await stack.stop()
      let again = try await KauriProcess.dev(directory: stack.directory, arguments: ["--demo"])
      // Its outputs go on where the first run's ended.
      while again.output.ranges(of: "entries?limit").count < 2 {
        try #require(again.process.isRunning, "\(again.errors)")
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(again.errors.ranges(of: "commands accepted").count == 1)
      await again.stop()
    } catch {
      try await stack.destroy()
      throw error
    }
    try await stack.destroy()
  }

  private static func paste(_ command: String) async throws -> String {
    let outcome = try await Program("sh").run(["-c", command])
    #expect(outcome.exitStatus == 0, "\(outcome.errors)")
    return outcome.output
  }
}
