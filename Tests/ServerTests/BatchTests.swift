import Commands
import HTTPTypes
import Ledger
import Server
import Testing

@Suite struct BatchTests {
  static let savings = "01900000-0000-7000-8000-0000000000a1"
  static let shop = "01900000-0000-7000-8000-0000000000b1"

  private static func line(_ command: String, _ data: String, id: String = TestCaller.newID()) -> String {
    #"{"id":"\#(id)","command":"\#(command)","data":\#(data)}"#
  }

  @Test func goodAndBadLinesAreAnsweredInTheirOrder() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 1_000)
      try await caller.open(TestBank.bob, account: Self.shop, funds: 0)
      let key = TestCaller.newID()
      let transfer = TestCaller.transfer(Self.savings, Self.shop, 600)
      let batches = bank.book.batches.count
      let answer = try await caller.batch([
        Self.line("PostTransfer", transfer, id: key),
        Self.line("PostTransfer", transfer),  // 400 are left
        "not json",
        "",
        Self.line("PostTransfer", transfer, id: key),  // the first line again
        Self.line("Dance", "{}"),
        #"{"command":"VerifyCustomer","data":{}}"#,
        #"{"id":"\#(TestCaller.newID())","command":"VerifyCustomer","data":{},"fee":1}"#,
        Self.line("PostTransfer", TestCaller.transfer(Self.savings, Self.shop, 400)),
        Self.line("PostTransfer", TestCaller.transfer(Self.shop, Self.savings, 1), id: key),
        Self.line("ExpireHold", #"{"hold_id":"\#(key)"}"#),
      ])
      let lines = try answer.lines
      #expect(answer.status == .ok)
      #expect(answer.headers[.contentType] == "application/x-ndjson")
      #expect(
        try lines.map { try $0["status"] } == ["201", "422", "400", "201", "400", "400", "400", "201", "422", "422"])
      #expect(try lines[0]["command_id"] == key)
      #expect(try lines[0]["outcome"] == "accepted")
      #expect(try lines[0]["events/0/type"] == "TransferPosted")
      #expect(try lines[0]["replayed"] == nil)
      #expect(try lines[1]["code"] == "insufficient_funds")
      #expect(try lines[1].count("checks") > 0)
      #expect(try lines[2]["line"] == "3")
      #expect(try lines[3]["replayed"] == "true")
      #expect(try lines[3]["position"] == lines[0]["position"])
      #expect(try lines[4]["pointer"] == "/command")
      #expect(try lines[5]["pointer"] == "/id")
      #expect(try lines[6]["pointer"] == "/fee")
      #expect(try lines[6]["command_id"] != nil)
      #expect(try lines[8]["code"] == "idempotency_key_reused")
      #expect(try lines[9]["code"] == "unknown_hold")
      #expect(bank.book.state.accounts[try #require(Identifier(Self.shop))]?.balance.posted == 1_000)
      // One call for all good lines, and none for the bad ones.
      #expect(Array(bank.book.batches.dropFirst(batches)) == [6])
    }
  }

  @Test func aLineIsTheAnswerThatTheCommandAloneWouldGet() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 10)
      try await caller.open(TestBank.bob, account: Self.shop, funds: 0)
      let body = TestCaller.transfer(Self.savings, Self.shop, 600)
      let key = TestCaller.newID()
      let batch = try await caller.batch([Self.line("PostTransfer", body, id: key)])
      let alone = try await caller.give("PostTransfer", body, key: key)
      #expect(alone.headers[.idempotencyReplayed] == "true")
      #expect(batch.text.trimmingEnd == alone.text)
      let later = try await caller.get("/v1/commands/\(key)")
      #expect(later.text == alone.text)
    }
  }

  @Test func rolesHoldForEveryLine() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 100)
      try await caller.open(TestBank.bob, account: Self.shop, funds: 100)
      let answer = try await caller.batch(
        [
          Self.line("PostTransfer", TestCaller.transfer(Self.savings, Self.shop, 1)),
          Self.line("PostTransfer", TestCaller.transfer(Self.shop, Self.savings, 1)),
          Self.line("VerifyCustomer", #"{"customer_id":"\#(TestBank.alice)"}"#),
        ], as: "alice")
      let lines = try answer.lines
      #expect(try lines.map { try $0["status"] } == ["201", "403", "403"])
      #expect(try lines[1]["code"] == "forbidden")
      #expect(try lines[1]["events"] == nil)
      #expect(bank.book.events { if case .accessRefused = $0 { true } else { nil } }.count == 2)
    }
  }

  /// They are one command's: of a batch they would say nothing, and whoever sends them relies on what they say.
  @Test func headersOfOneCommandAreRefused() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let length = bank.book.log.count
      let line = Self.line("RegisterCustomer", #"{"customer_id":"\#(TestBank.alice)","name":"A"}"#)
      let fields: [HTTPFields] = [[.idempotencyKey: TestCaller.newID()], [.ifMatch: "\"1\""], [.ifMatch: ""]]
      for field in fields {
        let headers = field + [HTTPField(name: .contentType, value: "application/x-ndjson")]
        let answer = try await caller.send(.post, "/v1/commands", line, headers: headers)
        #expect(answer.status == .badRequest)
        #expect(try answer.code == "invalid_header")
      }
      #expect(bank.book.log.count == length)
      #expect(try await caller.batch([line]).lines[0]["status"] == "201")
    }
  }

  @Test func aFullBatchIsTaken() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let lines = (0..<8_192).map { _ in
        Self.line("RegisterCustomer", #"{"customer_id":"\#(TestCaller.newID())","name":"A"}"#)
      }
      let answer = try await caller.batch(lines)
      #expect(try answer.lines.count == 8_192)
      #expect(bank.book.state.customers.count == 8_192)
      #expect(try await caller.batch(lines + [lines[0]]).status == .badRequest)
    }
  }
}

extension String {
  fileprivate var trimmingEnd: String { hasSuffix("\n") ? String(dropLast()) : self }
}
