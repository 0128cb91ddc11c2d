import AsyncHTTPClient
import Commands
import Foundation
import Glibc
import Ledger
import LocalStack
import NIOCore
import NIOHTTP1
import Testing

/// `kauri dev` itself is killed; the next start takes up what is there.
@Suite struct DevKillTests {
  @Test func takesUpTheSameData() async throws {
    let first = try await KauriProcess.dev()
    let http = HTTPClient.forTests()
    let outcome: Result<Void, any Error>
    do {
      try await killTwice(first, http)
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    try await http.shutdown()
    try await first.destroy()
    try outcome.get()
  }

  private func killTwice(_ first: RunningStack, _ http: HTTPClient) async throws {
    var teller = Teller(accounts: 3)
    var running = first
    var audit = try await give(teller.opening(funds: 10_000), running, http)
    for _ in 0..<2 {
      let before = try running.record()
      #expect(running.process.send(SIGKILL))
      _ = await running.process.waitForEnd()

      running = try await KauriProcess.dev(directory: first.directory)
      let after = try running.record()
      for part in ["postgres", "server"] { #expect(before.processes[part] != after.processes[part], "\(part)") }
      let taken = try await RecordedBook(conninfo: after.postgres).expectSound()
      #expect(taken.position == audit.position)
      #expect(taken.balances.accounts == audit.balances.accounts)
      #expect(taken.commands == audit.commands)
      audit = try await give((0..<20).map { _ in teller.next() }, running, http)
    }
    await running.stop()
  }

  /// Gives commands in one request; whatever became of them, every one has an outcome.
  private func give(
    _ commands: [CommandEnvelope], _ stack: RunningStack, _ http: HTTPClient
  ) async throws -> LogAudit {
    var writer = RecordWriter()
    for command in commands {
      writer.json.beginObject()
      writer.json.field("command", command.instruction.name)
      writer.json.field("id", command.id)
      writer.json.key("data")
      writer.json.beginObject()
      command.instruction.write(to: &writer)
      writer.json.endObject()
      writer.json.endObject()
      writer.json.endLine()
    }
    let record = try stack.record()
    let exchange = await http.exchange(
      .POST, "\(record.http)/v1/commands",
      headers: [
        ("Authorization", "Bearer \(try stack.token("operator"))"), ("Content-Type", "application/x-ndjson"),
      ], body: writer.json.bytes, patience: .seconds(30))
    guard case .answered(let answer) = exchange else { throw NotInTime(what: "\(exchange)") }
    let outcomes = answer.body.split(separator: UInt8(ascii: "\n")).compactMap { CommandAnswer.read($0)?.given }
    #expect(outcomes.count == commands.count, "\(String(decoding: answer.body, as: UTF8.self))")
    let audit = try await RecordedBook(conninfo: record.postgres).expectSound()
    for command in commands { #expect(audit.commands[command.id] != nil) }
    return audit
  }
}
