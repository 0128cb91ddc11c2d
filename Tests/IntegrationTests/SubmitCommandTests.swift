import Glibc
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
    #expect(noFile.status == 2)
    #expect(noFile.errors.contains("can't read \(nothing)"))

    let folder = try await KauriProcess.run(
      ["submit", directory, "--url", "http://127.0.0.1:9", "--token-file", "\(directory)/token"])
    #expect(folder.status == 2)
    #expect(folder.errors.contains("can't read \(directory): Is a directory"))

    let noToken = try await KauriProcess.run(
      ["submit", nothing, "--url", "http://127.0.0.1:9", "--token-file", "\(directory)/no-token"])
    #expect(noToken.status == 2)
    #expect(noToken.errors.contains("--token-file \(directory)/no-token can't be read"))

    try Files.write("{}\n", to: "\(directory)/commands", mode: 0o600)
    let noServer = try await KauriProcess.run([
      "submit", "\(directory)/commands", "--url", "http://127.0.0.1:9", "--token-file", "\(directory)/token",
      "--patience",
      "0",
    ])
    #expect(noServer.status == 1)
    #expect(
      noServer.errors.contains("the server doesn't answer (http://127.0.0.1:9: Connection refused); run the same"))
    #expect(!noServer.errors.contains("secret"))
  }
  /// Whatever name is typed in the wrong place, the file under it stays as it is.
  @Test func nobodysFileIsOverwritten() async throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    let own = ["commands": "{}\n", "notes": "mine\n", "state.json": #"{"version":1}"#]
    for (name, text) in own { try Files.write(text, to: "\(directory)/\(name)", mode: 0o600) }
    try Files.write("secret\n", to: "\(directory)/token", mode: 0o600)
    try Files.makeDirectory("\(directory)/folder", mode: 0o755)
    #expect(symlink("commands", "\(directory)/link") == 0)
    #expect(link("\(directory)/commands", "\(directory)/hard") == 0)
    #expect(symlink("absent", "\(directory)/nowhere") == 0)
    let before = try Files.entries(of: directory).sorted()

    for files in [
      ["--rejects", "commands"], ["--rejects", "link"], ["--rejects", "hard"], ["--rejects", "folder/../commands"],
      ["--state", "commands"], ["--state", "link"], ["--state", "hard"],
      ["--state", "new", "--rejects", "new"], ["--state", "new", "--rejects", "folder/../new"],
      ["--rejects", "commands.submitted"], ["--state", "notes"], ["--state", "state.json"], ["--state", "folder"],
      ["--rejects", "notes"], ["--rejects", "token"], ["--rejects", "folder"], ["--state", "nowhere"],
      ["--rejects", "nowhere"],
    ] {
      let named = files.map { $0.hasPrefix("--") ? $0 : "\(directory)/\($0)" }
      let outcome = try await KauriProcess.run(
        [
          "submit", "\(directory)/commands", "--url", "http://127.0.0.1:9", "--token-file", "\(directory)/token",
          "--patience", "0",
        ] + named)
      #expect(outcome.status == 2, "\(files) \(outcome.errors)")
      #expect(outcome.output.isEmpty && outcome.errors.contains("\(directory)/"), "\(files) \(outcome.errors)")
      #expect(try Files.entries(of: directory).sorted() == before, "\(files)")
      for (name, text) in own { #expect(Files.read("\(directory)/\(name)") == text, "\(files)") }
      #expect(Files.read("\(directory)/token") == "secret\n", "\(files)")
    }
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func brokenOffItSaysHowToGoOn(signal: Int32) async throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    try Files.write("{}\n", to: "\(directory)/commands", mode: 0o600)
    try Files.write("secret\n", to: "\(directory)/token", mode: 0o600)
    let errors = "\(directory)/errors"
    let process = try await KauriProcess.start(
      ["submit", "\(directory)/commands", "--url", "http://127.0.0.1:9", "--token-file", "\(directory)/token"],
      outputFile: "\(directory)/output", logFile: errors)
    let state = "\(directory)/commands.submitted"
    try await eventually("the state is kept", within: .seconds(30)) { Files.exists(state) || !process.isRunning }
    process.send(signal)
    let end = await process.waitForEnd(timeout: .seconds(30))
    if end == nil { await process.stop(SIGKILL, grace: .seconds(5)) }
    #expect(end?.description == "exited with status \(128 + signal)")
    #expect(Files.read(errors) == "kauri: broken off; run the same command again to go on from here\n")
    #expect(Files.exists(state))
  }
}
