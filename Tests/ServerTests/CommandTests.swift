import Commands
import HTTPTypes
import Ledger
import Server
import Testing

@Suite struct CommandTests {
  static let savings = "01900000-0000-7000-8000-0000000000a1"
  static let shop = "01900000-0000-7000-8000-0000000000b1"

  @Test func anAcceptedCommandSaysWhatItLedTo() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 10_000)
      try await caller.open(TestBank.bob, account: Self.shop, funds: 0)
      let key = TestCaller.newID()
      let answer = try await caller.give(
        "PostTransfer", TestCaller.transfer(Self.savings, Self.shop, 1_250, reference: "Rent"), as: "alice", key: key)
      let json = try answer.json
      #expect(answer.status == .created)
      #expect(answer.headers[.contentType] == "application/json")
      #expect(answer.headers[.location] == "/v1/commands/\(key)")
      #expect(answer.headers[.idempotencyReplayed] == nil)
      #expect(try json["command_id"] == key)
      #expect(try json["command"] == "PostTransfer")
      #expect(try json["outcome"] == "accepted")
      #expect(try json["position"] == answer.headers[.logPosition])
      #expect(try json["position"] == "\(bank.book.log.count)")
      #expect(try json.count("events") == 1)
      #expect(try json["events/0/type"] == "TransferPosted")
      #expect(try json["events/0/stream"] == "transfer/\(key)")
      #expect(try json["events/0/data/amount"] == "1250")
      #expect(try json["events/0/data/reference"] == "Rent")
      #expect(bank.book.state.accounts[try #require(Identifier(Self.shop))]?.balance.posted == 1_250)
    }
  }

  @Test func theSameCommandAgainIsAnsweredWithItsFirstOutcome() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 10_000)
      try await caller.open(TestBank.bob, account: Self.shop, funds: 0)
      let key = TestCaller.newID()
      let body = TestCaller.transfer(Self.savings, Self.shop, 700)
      let first = try await caller.give("PostTransfer", body, as: "alice", key: key)
      let length = bank.book.log.count
      // Other spaces, another order and another spelling of the amount are the same content.
      let again = try await caller.give(
        "PostTransfer",
        #"{ "currency":"NZD", "amount":700, "credit_account_id":"\#(Self.shop.uppercased())","debit_account_id":"\#(Self.savings)"}"#,
        as: "alice", key: key)
      #expect(again.status == .created)
      #expect(again.text == first.text)
      #expect(again.headers[.idempotencyReplayed] == "true")
      #expect(bank.book.log.count == length)

      for (other, who) in [(TestCaller.transfer(Self.savings, Self.shop, 701), "alice"), (body, "operator")] {
        let refused = try await caller.give("PostTransfer", other, as: who, key: key)
        #expect(refused.status == .unprocessableContent)
        #expect(try refused.code == "idempotency_key_reused")
        #expect(try refused.json["events"] == nil)
        #expect(!refused.text.contains(Self.shop))
      }
      #expect(bank.book.log.count == length)
    }
  }

  @Test func aDeclineIsAProblemWithEveryCheck() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 100)
      try await caller.open(TestBank.bob, account: Self.shop, funds: 0)
      let answer = try await caller.give("PostTransfer", TestCaller.transfer(Self.savings, Self.shop, 101), as: "alice")
      let json = try answer.json
      #expect(answer.status == .unprocessableContent)
      #expect(answer.headers[.contentType] == "application/problem+json")
      #expect(try json["type"] == "urn:kauri:problem:insufficient_funds")
      #expect(try json["code"] == "insufficient_funds")
      #expect(try json["status"] == "422")
      #expect(try json["retryable"] == "false")
      #expect(try json["outcome"] == "declined")
      #expect(try json["events/0/type"] == "TransferDeclined")
      #expect(try json["position"] == "\(bank.book.log.count)")
      let failed = try #require(try json.root.object().first { $0.key == "checks" }).value
      let checks = try failed.array().map { try $0.object().reduce(into: [:]) { $0[$1.key] = $1.value } }
      #expect(checks.count > 5)
      let funds = try #require(try checks.first { try $0["code"]?.string() == "insufficient_funds" })
      #expect(try funds["passed"]?.bool() == false)
      #expect(try funds["available"]?.string() == "100")
      #expect(try funds["amount"]?.string() == "101")
    }
  }

  /// What may pass tomorrow passes under another key: this one's answer stays, and says so.
  @Test func aDeclineIsFinalForItsKeyAndSaysSo() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 100)
      try await caller.open(TestBank.bob, account: Self.shop, funds: 1_000)
      try await caller.accepted(
        "SetLimit", #"{"subject_id":"\#(Self.savings)","kind":"daily","amount":"50","currency":"NZD"}"#)
      let key = TestCaller.newID()
      for (amount, code) in [(Int64(60), "limit_daily"), (101, "limit_daily"), (1_001, "insufficient_funds")] {
        let debit = code == "limit_daily" ? Self.savings : Self.shop
        let credit = code == "limit_daily" ? Self.shop : Self.savings
        let answer = try await caller.give("PostTransfer", TestCaller.transfer(debit, credit, amount))
        #expect(try answer.code == code)
        #expect(try answer.json["retryable"] == "false")
      }
      let body = TestCaller.transfer(Self.savings, Self.shop, 60)
      let first = try await caller.give("PostTransfer", body, key: key)
      try await caller.accepted(
        "SetLimit", #"{"subject_id":"\#(Self.savings)","kind":"daily","amount":null,"currency":"NZD"}"#)
      let again = try await caller.give("PostTransfer", body, key: key)
      #expect(again.text == first.text && again.headers[.idempotencyReplayed] == "true")
      #expect(try again.json["retryable"] == "false")
      let line = try await caller.batch([
        #"{"id":"\#(key)","command":"PostTransfer","data":\#(body)}"#
      ]).lines[0]
      #expect(try line["retryable"] == "false")
      #expect(try await caller.give("PostTransfer", body).status == .created)
    }
  }

  @Test(arguments: [
    ("GET", "/v1/commands/Dance", 404, "not_found"), ("POST", "/v1/commands/Dance", 404, "unknown_command"),
    ("POST", "/v1/commands/OpenBook", 404, "unknown_command"),
    ("POST", "/v1/commands/RecordDataRead", 404, "unknown_command"),
    ("POST", "/v1/commands/posttransfer", 404, "unknown_command"), ("GET", "/v1/nothing", 404, "not_found"),
    ("GET", "/", 404, "not_found"), ("DELETE", "/v1/commands", 405, "method_not_allowed"),
    ("PUT", "/v1/accounts/\(savings)", 405, "method_not_allowed"), ("POST", "/livez", 405, "method_not_allowed"),
    ("GET", "/v1/commands/PostTransfer", 405, "method_not_allowed"), ("QUERY", "/v1/events", 405, "method_not_allowed"),
    ("QUERY", "/v1/nothing", 404, "not_found"),
  ])
  func whatIsntThere(method: String, path: String, status: Int, code: String) async throws {
    try await TestBank().test { caller in
      let answer = try await caller.send(try #require(HTTPRequest.Method(method)), path)
      #expect(answer.status.code == status)
      #expect(try answer.code == code)
      if status == 405 { #expect(answer.headers[.allow] != nil) }
    }
  }

  /// What is asked behind the question mark doesn't change that there is nothing to post to.
  @Test(arguments: ["", "?at_least=0", "?at_least=-1&more"])
  func aCommandThatWasGivenIsOnlyLookedAt(query: String) async throws {
    try await TestBank().test { caller in
      let given = try await caller.send(.post, "/v1/commands/\(TestCaller.newID())\(query)", "{}")
      #expect(given.status == .methodNotAllowed)
      #expect(try given.code == "method_not_allowed")
      #expect(given.headers[.allow] == "GET, HEAD")
      let unknown = try await caller.send(.post, "/v1/commands/Dance\(query)", "{}")
      #expect(unknown.status == .notFound)
      #expect(try unknown.code == "unknown_command")
    }
  }

  /// What clients may not send any more, an old log may hold.
  @Test func aReversalWithoutAReasonIsReadFromTheLog() throws {
    let document = try JSONDocument(Array(#"{"transfer_id":"\#(Self.savings)","reason":""}"#.utf8))
    let command = Identifier(high: 1, low: 1)
    let read = try Instruction(
      name: "ReverseTransfer", from: document.root, in: ReadingContext(command: command, source: .log))
    guard case .reverseTransfer(let reversal)? = read else {
      Issue.record("it isn't read")
      return
    }
    #expect(reversal.reason.clearText == "")
    #expect(throws: JSONFault.self) {
      try Instruction(
        name: "ReverseTransfer", from: document.root, in: ReadingContext(command: command, source: .client))
    }
  }

  @Test func headersOfACommand() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let body = #"{"customer_id":"\#(TestBank.alice)"}"#
      for (key, code) in [(nil, "missing_idempotency_key"), ("", "invalid_header"), ("7", "invalid_header")] {
        let answer = try await caller.give("VerifyCustomer", body, key: key)
        #expect(answer.status == .badRequest)
        #expect(try answer.code == code)
      }
      for version in ["3", "\"x\"", "*", "W/\"3\"", "\"1\", \"2\"", "\"-1\"", "\"99999999999999999999\""] {
        let answer = try await caller.give("VerifyCustomer", body, headers: [.ifMatch: version])
        #expect(try answer.code == "invalid_header", "\(version)")
      }
      for type in ["text/plain", "", "application/x-ndjson", "application/jsonp"] {
        let answer = try await caller.give("VerifyCustomer", body, headers: [.contentType: type])
        #expect(answer.status == .unsupportedMediaType, "\(type)")
      }
      let compressed = try await caller.give("VerifyCustomer", body, headers: [.contentEncoding: "gzip"])
      #expect(compressed.status == .unsupportedMediaType)
      let quoted = try await caller.give(
        "RegisterCustomer", #"{"customer_id":"\#(TestBank.alice)","name":"A"}"#, key: "\"\(TestCaller.newID())\"",
        headers: [.contentType: "Application/JSON; charset=utf-8"])
      #expect(quoted.status == .created)
    }
  }

  @Test func aVersionThatIsntTheOneExpected() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 0)
      let account = try await caller.get("/v1/accounts/\(Self.savings)")
      #expect(account.headers[.eTag] == "\"1\"")
      let length = bank.book.log.count
      let body = #"{"account_id":"\#(Self.savings)"}"#
      let key = TestCaller.newID()
      let wrong = try await caller.give("FreezeAccount", body, key: key, headers: [.ifMatch: "\"4\""])
      #expect(wrong.status == .conflict)
      #expect(try wrong.code == "version_conflict")
      #expect(try wrong.json["current_version"] == "1")
      // The read of the account is the only thing recorded, and the key is still free.
      #expect(bank.book.log.count == length)
      let right = try await caller.give("FreezeAccount", body, key: key, headers: [.ifMatch: "\"1\""])
      #expect(right.status == .created)
    }
  }

  @Test func expiringAHoldTooEarlyIsntRecorded() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 500)
      let hold = TestCaller.newID()
      let placed = try await caller.give(
        "PlaceHold",
        #"{"account_id":"\#(Self.savings)","amount":"100","currency":"NZD","expires_at":"2999-01-01T00:00:00Z"}"#,
        key: hold)
      #expect(placed.status == .created)
      let early = try await caller.give("ExpireHold", #"{"hold_id":"\#(hold)"}"#)
      #expect(early.status == .conflict)
      #expect(try early.code == "not_due")
      #expect(try early.json["retryable"] == "true")
    }
  }

  @Test(arguments: [
    (BookFault.queueFull, "queue_full"), (.databaseUnavailable("gone"), "database_unavailable"),
    (.unknownRuleSet(9), "unknown_rule_set"), (.shuttingDown, "shutting_down"), (.notOpen, "book_not_open"),
    (.notSealed(sealed: 1, position: 2), "log_not_sealed"),
  ])
  func aBookThatCantTakeCommands(fault: BookFault, code: String) async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      bank.book.fail(with: fault)
      let answer = try await caller.give("RegisterCustomer", #"{"customer_id":"\#(TestBank.alice)","name":"A"}"#)
      #expect(answer.status == .serviceUnavailable)
      #expect(try answer.code == code)
      #expect(try answer.json["retryable"] == "true")
      #expect(Int(answer.headers[.retryAfter] ?? "") ?? 0 > 0)
      #expect(!answer.text.contains("gone"))
      let batch = try await caller.batch([
        #"{"id":"\#(TestCaller.newID())","command":"VerifyCustomer","data":{"customer_id":"\#(TestBank.alice)"}}"#
      ])
      #expect(batch.status == .serviceUnavailable)
      #expect(batch.headers[.retryAfter] != nil)
      bank.book.fail(with: nil)
      let mended = try await caller.give("RegisterCustomer", #"{"customer_id":"\#(TestBank.alice)","name":"A"}"#)
      #expect(mended.status == .created)
    }
  }

  @Test func requestsAndTracesAreTiedTogether() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
      let answer = try await caller.give(
        "RegisterCustomer", #"{"customer_id":"\#(TestBank.alice)","name":"A"}"#,
        headers: [.traceParent: trace, .requestID: "my-request"])
      #expect(answer.headers[.requestID] == "my-request")
      let echoed = try #require(answer.headers[.traceParent])
      #expect(echoed.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-"))
      #expect(echoed.hasSuffix("-01"))
      #expect(!echoed.contains("00f067aa0ba902b7"))
      #expect(bank.book.log.last?.origin.correlation.description == "4bf92f35-77b3-4da6-a3ce-929d0e0e4736")

      for bad in [
        "", "00-x", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
      ] {
        let other = try await caller.get("/livez", as: nil, headers: [.traceParent: bad, .requestID: "a b"])
        #expect(other.headers[.traceParent] == nil, "\(bad)")
        #expect(Identifier(try #require(other.headers[.requestID])) != nil)
      }
    }
  }
}
