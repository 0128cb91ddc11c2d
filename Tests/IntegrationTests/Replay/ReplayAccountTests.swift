import Commands
import Ledger
import LocalStack
import Synchronization
import Testing

/// `kauri replay account`, as an auditor types it.
@Suite(.serialized) struct ReplayAccountTests {
  @Test(arguments: [
    ["replay", "account"],
    ["replay", "account", "0000acc0-0000-0000-0000-000000000001"],
    ["replay", "account", "nobody", "--at", "1"],
    ["replay", "account", "0000acc0-0000-0000-0000-000000000001", "--at", "yesterday"],
    ["replay", "account", "0000acc0-0000-0000-0000-000000000001", "--at", "-1"],
    ["replay", "account", "0000acc0-0000-0000-0000-000000000001", "--at", "1", "--data-dir", "a", "--database", "b"],
    ["replay", "account", "0000acc0-0000-0000-0000-000000000001", "--at", "1", "--database", "password=x"],
  ])
  func wrongUse(arguments: [String]) async throws {
    let outcome = try await KauriProcess.run(arguments)
    #expect(outcome.status == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains("Usage:"))
  }

  @Test func anAccountAsItWas() async throws {
    try await ServedBook.run(servers: [[]], accounts: 2, funds: 20_000) { book in
      let account = book.clients.teller.withLock { $0.accounts[0] }
      let opened = try #require(try await book.recorded.log().last).origin
      let (hold, transfer) = book.clients.teller.withLock { teller in
        (teller.placeHold(on: account, 1_250), teller.transfer(from: account, to: teller.accounts[1], 5))
      }
      _ = await book.clients.settle([hold, transfer], at: 0)
      let database = ["--database", book.cluster.conninfo(user: LocalStack.serverRole)]
      func replay(_ at: String, _ more: String...) async throws -> KauriProcess.Outcome {
        try await KauriProcess.run(["replay", "account", account.description, "--at", at] + database + more)
      }

      let before = try await replay("\(opened.position)")
      #expect(before.status == 0, "\(before.errors)")
      #expect(before.output.contains("posted     200.00 NZD"))
      #expect(before.output.contains("held       0.00 NZD"))
      #expect(before.output.contains("holds      none"))
      let atMoment = try await replay("\(opened.moment)")
      #expect(atMoment.output == before.output)

      let after = try await replay("\(opened.position + 2)", "--json")
      #expect(after.status == 0, "\(after.errors)")
      for field in [
        #""account_id":"\#(account)""#, #""posted":"19995""#, #""held":"1250""#, #""available":"18745""#,
        #""status":"open""#, #""amount":"1250""#, #""position":\#(opened.position + 2)"#,
      ] { #expect(after.output.contains(field), "\(field) in \(after.output)") }
      // Nobody's name is shown, and no key was needed.
      #expect(!after.output.contains("Customer"))

      for (at, problem) in [
        ("0", "before the log's first event"), ("1", "wasn't there yet"), ("999999999", "lies in the future"),
        ("1999-01-01T00:00:00Z", "before the log's first event"), ("2999-01-01T00:00:00Z", "lies in the future"),
      ] {
        let outcome = try await replay(at)
        #expect(outcome.status == 1 && outcome.output.isEmpty)
        #expect(outcome.errors.contains(problem), "\(at): \(outcome.errors)")
      }
    }
  }
}
