import Commands
import Crypto
import EventStore
import FoundationEssentials
import Ledger
import LocalStack
import Testing

/// `kauri replay` as an auditor types it.
@Suite(.serialized) struct ReplayCommandTests {
  private static func object(_ text: String) throws -> [String: JSONValue] {
    var fields: [String: JSONValue] = [:]
    for (name, value) in try JSONDocument(Array(text.utf8)).root.object() { fields[name] = value }
    return fields
  }

  @Test func verifySaysWhatItFound() async throws {
    try await ReplayBook.run(commands: 60) { book in
      let directory = try TemporaryDirectories.make()
      defer { try? Files.remove(directory) }
      let keyFile = "\(directory)/master.key"
      try Files.write(book.book.masterKey.withUnsafeBytes { Array($0) }, to: keyFile, mode: 0o600)
      let database = ["--database", book.book.cluster.conninfo(user: LocalStack.serverRole)]
      let verify = ["replay", "verify"] + database + ["--master-key", keyFile]

      let sound = try await KauriProcess.run(verify)
      #expect(sound.status == 0, "\(sound.output)\(sound.errors)")
      #expect(sound.output.contains("commands decided again") && sound.output.hasSuffix("the log is sound\n"))
      // Silent in a pipe.
      #expect(sound.errors == "")
      let fields = try Self.object(try await KauriProcess.run(verify + ["--json"]).output)
      #expect(try fields["sound"]?.bool() == true)
      #expect(try fields["differences"]?.array().isEmpty == true)

      try await book.tamper("update events set book_date = book_date + 1 where position = 9")
      let changed = try await KauriProcess.run(verify + ["--json"])
      #expect(changed.status == 1)
      let found = try Self.object(changed.output)
      #expect(try found["sound"]?.bool() == false)
      #expect(try found["differences_total"]?.int64() ?? 0 > 0)
      let words = try await KauriProcess.run(verify + ["--named", "1"])
      #expect(words.status == 1)
      #expect(words.output.hasPrefix("event 9: "))

      for wrong in [["--from", "0"], ["--named", "0"], ["--data-dir", directory]] {
        #expect(try await KauriProcess.run(verify + wrong).status == 2)
      }
    }
  }

  @Test func verifyTakesTheLocalStacksOwnKey() async throws {
    let stack = try await KauriProcess.dev()
    do {
      let read = try await Program("curl").run([
        "-sSf", "-H", "Authorization: Bearer \(try stack.token("auditor"))",
        "\(try stack.record().http)/v1/audit/checkpoint",
      ])
      #expect(read.exitStatus == 0, "\(read.errors)")
      let verify = ["replay", "verify", "--data-dir", stack.directory]
      let sound = try await KauriProcess.run(verify)
      #expect(sound.status == 0, "\(sound.output)\(sound.errors)")
      #expect(sound.output.contains(" signatures are the key's") && !sound.output.contains(" 0 signatures"))
      #expect(!sound.output.contains("no key was given"))

      let other = Curve25519.Signing.PrivateKey().publicKey.rawRepresentation.base64EncodedString()
      try Files.write("ed25519 \(other)\n", to: "\(stack.directory)/checkpoint.pub", mode: 0o644)
      #expect(try await KauriProcess.run(verify).status == 1, "the key is the one in that file")
    } catch {
      try await stack.destroy()
      throw error
    }
    try await stack.destroy()
  }

  @Test func aCommandsStory() async throws {
    try await ReplayBook.run(commands: 0) { book in
      let database = ["--database", book.book.cluster.conninfo(user: LocalStack.serverRole)]
      let log = try await book.book.log()
      let declined = try #require(log.first { $0.event.type == "CommandDeclined" }).origin.commandID
      let story = try await KauriProcess.run(["replay", "command", declined.description] + database)
      #expect(story.status == 0, "\(story.errors)")
      #expect(story.output.contains(declined.description) && story.output.contains("declined, "))
      let json = try await KauriProcess.run(["replay", "command", declined.description, "--json"] + database)
      #expect(try Self.object(json.output)["outcome"]?.string() == "declined")
      let unknown = Identifier(high: 1, low: 99).description
      #expect(try await KauriProcess.run(["replay", "command", unknown] + database).status == 1)
      #expect(try await KauriProcess.run(["replay", "command", "nonsense"] + database).status == 2)
    }
  }
}
