import LocalStack
import Testing

/// What people type.
@Suite struct SubmitCommandTests {
  @Test(arguments: [
    ["submit"],
    ["submit", "file", "--url", "http://127.0.0.1:1"],
    ["submit", "file", "--token-file", "token"],
    ["submit", "file", "--url", "127.0.0.1:1", "--token-file", "token"],
    ["submit", "file", "--url", "http://127.0.0.1:1", "--token-file", "token", "--data-dir", "dir"],
    ["submit", "file", "--batch", "9000"],
    ["submit", "file", "--connections", "0"],
    ["submit", "file", "--unknown"],
    ["bench", "nothing"],
    ["bench", "engine", "--rate", "10"],
    ["bench", "--database", "dbname=book"],
    ["bench", "--accounts", "1"],
    ["bench", "batch", "--database", "dbname=book", "--master-key", "file"],
  ])
  func wrongUse(arguments: [String]) async throws {
    let outcome = try await KauriProcess.run(arguments)
    #expect(outcome.status == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains("Usage:"))
  }

  @Test func missingThings() async throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    let nothing = "\(directory)/nothing"
    let noStack = try await KauriProcess.run(["submit", nothing, "--data-dir", directory])
    #expect(noStack.status == 1)
    #expect(noStack.errors.contains("no stack runs"))

    try Files.write("secret\n", to: "\(directory)/token", mode: 0o600)
    let noFile = try await KauriProcess.run(
      ["submit", nothing, "--url", "http://127.0.0.1:9", "--token-file", "\(directory)/token"])
    #expect(noFile.status == 1)
    #expect(noFile.errors.contains("can't read \(nothing)"))

    try Files.write("{}\n", to: "\(directory)/commands", mode: 0o600)
    let noServer = try await KauriProcess.run([
      "submit", "\(directory)/commands", "--url", "http://127.0.0.1:9", "--token-file", "\(directory)/token",
      "--patience",
      "0",
    ])
    #expect(noServer.status == 1)
    #expect(noServer.errors.contains("doesn't answer"))
    #expect(!noServer.errors.contains("secret"))
  }
}
