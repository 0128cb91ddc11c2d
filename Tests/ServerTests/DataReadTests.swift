import Commands
import HTTPTypes
import Ledger
import Server
import Testing

/// Whatever shows an operator or an auditor something of a customer is in the log before it is shown.
@Suite(.timeLimit(.minutes(1))) struct DataReadTests {
  static let savings = "01900000-0000-7000-8000-0000000000a1"
  static let shop = "01900000-0000-7000-8000-0000000000b1"
  static let cash = "01900000-0000-7000-8000-0000000ca5e0"

  private struct Read: Equatable {
    var customer: String
    var resource: String
    var object: String?
    var actor: String
  }

  private static func open(_ caller: TestCaller) async throws {
    try await caller.open(TestBank.alice, account: savings, funds: 1_000)
    try await caller.open(TestBank.bob, account: shop, funds: 1_000)
  }

  /// The reads that were recorded after an event.
  private static func reads(_ bank: TestBank, after length: Int = 0) -> [Read] {
    bank.book.log.dropFirst(length).compactMap { event in
      guard case .customerDataRead(let read) = event.event else { return nil }
      return Read(
        customer: read.instruction.customerID.description, resource: read.instruction.resource,
        object: read.instruction.objectID?.description, actor: event.origin.actor.description)
    }
  }

  @Test(arguments: ["operator", "auditor", "service"])
  func aPageOfACustomersStreamIsARead(role: String) async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await Self.open(caller)
      let transfer = TestCaller.newID()
      let body = TestCaller.transfer(Self.savings, Self.shop, 5)
      try #require(try await caller.give("PostTransfer", body, as: "alice", key: transfer).status == .created)
      let cases: [(stream: String, customers: [String])] = [
        ("account/\(Self.savings)", [TestBank.alice]), ("customer/\(TestBank.alice)", [TestBank.alice]),
        ("transfer/\(transfer)", [TestBank.bob, TestBank.alice]), ("account/\(Self.cash)", []),
        ("account/\(TestCaller.newID())", []), ("customer/\(TestCaller.newID())", []),
        ("transfer/\(TestCaller.newID())", []),
      ]
      for (stream, customers) in cases {
        let length = bank.book.log.count
        let answer = try await caller.get("/v1/events?stream=\(stream)", as: role)
        #expect(answer.status == .ok)
        let reads = Self.reads(bank, after: length)
        #expect(reads.map(\.customer) == (role == "service" ? [] : customers), "\(stream)")
        #expect(bank.book.log.count == length + reads.count)
        #expect(reads.allSatisfy { $0.resource == "GET /v1/events" && $0.actor.hasPrefix(role) })
        let id = String(stream.drop { $0 != "/" }.dropFirst())
        #expect(reads.allSatisfy { $0.object == ($0.customer == id ? nil : id) })
      }
      // The log as a whole is nobody's.
      let length = bank.book.log.count
      #expect(try await caller.get("/v1/events?limit=1000", as: role).status == .ok)
      #expect(bank.book.log.count == length)
    }
  }

  @Test func whatWaitsIsReadWithTheCustomersWhoseItIs() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await Self.open(caller)
      for account in [Self.savings, Self.shop] {
        try await caller.accepted(
          "SetLimit", #"{"subject_id":"\#(account)","kind":"approval_threshold","amount":"10","currency":"NZD"}"#)
      }
      try await caller.accepted("PostTransfer", TestCaller.transfer(Self.savings, Self.cash, 50))
      try await caller.accepted("PostTransfer", TestCaller.transfer(Self.shop, Self.savings, 50))
      for (path, customers) in [
        ("/v1/approvals?limit=1", [TestBank.alice]), ("/v1/approvals", [TestBank.bob, TestBank.alice]),
      ] {
        let length = bank.book.log.count
        #expect(try await caller.get(path, as: "operator2").status == .ok)
        let reads = Self.reads(bank, after: length)
        #expect(reads.map(\.customer) == customers, "one event a customer")
        #expect(reads.allSatisfy { $0.resource == "GET /v1/approvals" && $0.actor == "operator:ops-2" })
        #expect(bank.book.log.count == length + customers.count)
      }
    }
  }

  /// The answer to a command is none, also when its key is given again; looking it up later is one.
  @Test func anOperatorsOwnCommandIsReadWhenItIsLookedUp() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let (key, customer) = (TestCaller.newID(), TestBank.alice)
      let body = #"{"customer_id":"\#(customer)","name":"Wiremu Tāne","date_of_birth":"1990-01-31"}"#
      for _ in 0..<2 { #expect(try await caller.give("RegisterCustomer", body, key: key).status == .created) }
      #expect(Self.reads(bank).isEmpty)
      let later = try await caller.get("/v1/commands/\(key)")
      #expect(later.text.contains("Wiremu Tāne") && later.text.contains("1990-01-31"))
      #expect(
        Self.reads(bank) == [
          Read(customer: customer, resource: "GET /v1/commands/{id}", object: key, actor: "operator:ops-1")
        ])
    }
  }

  /// Where the read can't be recorded, nothing is shown, although there is everything to show.
  @Test func whatCantBeRecordedIsntShown() async throws {
    let bank = try await TestBank(handling: CommandHandler.Options(batchMaximum: 1, queueMaximum: 1))
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 1_000)
      try await caller.accepted(
        "SetLimit", #"{"subject_id":"\#(Self.savings)","kind":"approval_threshold","amount":"10","currency":"NZD"}"#)
      let key = TestCaller.newID()
      let body = TestCaller.transfer(Self.savings, Self.cash, 50)
      try #require(try await caller.give("PostTransfer", body, key: key).status == .created)
      let length = bank.book.log.count

      // One command's batch is held and another one waits: the log can be read, and nothing be written.
      bank.book.hold()
      let verify = #"{"customer_id":"\#(TestBank.alice)"}"#
      async let first = caller.give("VerifyCustomer", verify)
      while bank.book.heldBatches < 1 { await Task.yield() }
      async let second = caller.give("VerifyCustomer", verify)
      while bank.parts.handler.queueDepth < 1 { await Task.yield() }
      let follow: HTTPFields = [.accept: "text/event-stream"]
      let streams = ["account/\(Self.savings)", "customer/\(TestBank.alice)", "transfer/\(key)"]
      var requests: [(path: String, headers: HTTPFields)] = [("/v1/approvals", [:]), ("/v1/commands/\(key)", [:])]
      for stream in streams {
        requests += [("/v1/events?stream=\(stream)", [:]), ("/v1/events?stream=\(stream)", follow)]
      }
      for (path, headers) in requests {
        let answer = try await caller.get(path, headers: headers)
        #expect(answer.status == .serviceUnavailable, "\(path)")
        #expect(try answer.code == "queue_full")
        #expect(!answer.text.contains(Self.savings))
      }
      #expect(bank.book.log.count == length)
      #expect(bank.parts.feed.followers == 0)
      bank.book.release()
      let answered = try await [first.status.code, second.status.code]
      #expect(answered == [422, 422])
    }
  }

  @Test func aStreamIsAReadWhenItOpensAndNoMoreThanOne() async throws {
    let bank = try await TestBank()
    try await LiveServer.run(bank) { server in
      @Sendable func give(_ name: String, _ body: String, key: String = TestCaller.newID()) async throws {
        try await server.talk { talk in
          try await talk.say(try Self.command(bank, name, body, key: key))
          let answer = try await talk.listen { $0.contains("command_id") }
          #expect(answer.hasPrefix("HTTP/1.1 201"))
        }
      }
      for customer in [TestBank.alice, TestBank.bob] {
        try await give("RegisterCustomer", #"{"customer_id":"\#(customer)","name":"A"}"#)
        try await give("VerifyCustomer", #"{"customer_id":"\#(customer)"}"#)
      }
      try await give(
        "OpenAccount", #"{"account_id":"\#(Self.shop)","customer_id":"\#(TestBank.bob)","currency":"NZD"}"#)
      try await give(
        "OpenAccount", #"{"account_id":"\#(Self.cash)","kind":"internal","currency":"NZD","allow_negative":true}"#)
      let token = try #require(bank.tokens["auditor"])
      let transfer = TestCaller.newID()
      func head(_ stream: String) -> String {
        "GET /v1/events?stream=\(stream) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
          + "Accept: text/event-stream\r\n\r\n"
      }
      try await server.talk { talk in
        try await talk.say(head("customer/\(TestBank.alice)"))
        try await talk.listen { $0.contains("retry: 1000") }
        #expect(Self.reads(bank).map(\.customer) == [TestBank.alice], "before the first event")
        try await talk.listen { $0.contains("event: CustomerVerified\n") }
        try await give("SuspendCustomer", #"{"customer_id":"\#(TestBank.alice)"}"#)
        try await talk.listen { $0.contains("event: CustomerSuspended\n") }
        #expect(Self.reads(bank).count == 1, "one event a customer and stream")
      }
      // Of what comes later nobody knows whose it will be: whoever is named is read before the event is sent.
      try await server.talk { talk in
        try await talk.say(head("transfer/\(transfer)"))
        try await talk.listen { $0.contains("retry: 1000") }
        #expect(Self.reads(bank).count == 1)
        try await give("PostTransfer", TestCaller.transfer(Self.cash, Self.shop, 5), key: transfer)
        try await talk.listen { $0.contains("event: TransferPosted\n") }
        #expect(Self.reads(bank).map(\.customer) == [TestBank.alice, TestBank.bob])
      }
    }
  }

  private static func command(
    _ bank: TestBank, _ name: String, _ body: String, key: String = TestCaller.newID()
  ) throws -> String {
    let token = try #require(bank.tokens["operator"])
    return "POST /v1/commands/\(name) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
      + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\nIdempotency-Key: \(key)\r\n\r\n" + body
  }
}
