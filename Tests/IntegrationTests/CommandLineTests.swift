import LocalStack
import Testing

/// Wrong use that is told before anything is made.
@Suite struct CommandLineTests {
  @Test(arguments: [
    // The port keeps a command that took the directory all the same from filling it.
    ["dev", "--port", "99999"], ["token", "--role", "operator", "--subject", "somebody"], ["submit", "file"],
    ["migrate"], ["rebuild", "--all"], ["bench", "engine"], ["replay", "verify"], ["replay", "diff"],
  ])
  func aDataDirectoryIsNamed(command: [String]) async throws {
    for directory in ["", "/", "//", "/tmp/.."] {
      let outcome = try await KauriProcess.run(command + ["--data-dir", directory])
      #expect(outcome.status == 2, "\(directory)")
      #expect(outcome.output.isEmpty)
      #expect(outcome.errors.contains("--data-dir must not be "), "\(directory) \(outcome.errors)")
    }
  }

  @Test(arguments: [
    ("operator", "two words", "3600"), ("service", "Māui", "3600"), ("operator", "tab\t", "3600"),
    ("auditor", String(repeating: "a", count: 129), "3600"), ("operator", "", "3600"), ("customer", "somebody", "3600"),
    ("operator", "somebody", "0"), ("operator", "somebody", "315360001"),
    ("operator", "somebody", "9223372036854775807"),
  ])
  func aTokenThatNoServerTakesIsNotMinted(role: String, subject: String, lifetime: String) async throws {
    try await withKeys { directory in
      let outcome = try await KauriProcess.run([
        "token", "--role", role, "--subject", subject, "--expires-in", lifetime, "--data-dir", directory,
      ])
      #expect(outcome.status == 2)
      #expect(outcome.output.isEmpty)
      let option = lifetime == "3600" ? "--subject" : "--expires-in takes"
      #expect(outcome.errors.contains("Error: \(option) "), "\(outcome.errors)")
    }
  }

  @Test func theLongestTokenIsMinted() async throws {
    try await withKeys { directory in
      let outcome = try await KauriProcess.run([
        "token", "--role", "operator", "--subject", String(repeating: "~", count: 128), "--expires-in", "315360000",
        "--data-dir", directory,
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.split(separator: ".").count == 3)
    }
  }

  private func withKeys(_ body: (String) async throws -> Void) async throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    _ = try LocalIdentity.prepare(in: directory)
    try await body(directory)
  }
}
