import Commands
import HTTPTypes
import Ledger
import Server
import Testing

/// Who sees and does what, and what is recorded of it.
@Suite struct AccessTests {
  static let savings = "01900000-0000-7000-8000-0000000000a1"
  static let shop = "01900000-0000-7000-8000-0000000000b1"
  static let cash = "01900000-0000-7000-8000-0000000ca5e0"

  private func withBank(
    limits: ServerLimits = ServerLimits(),
    _ body: @escaping @Sendable (TestBank, TestCaller, _ transfer: String) async throws -> Void
  ) async throws {
    let bank = try await TestBank(limits: limits)
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 1_000)
      try await caller.open(TestBank.bob, account: Self.shop, funds: 1_000)
      let key = TestCaller.newID()
      let posted = try await caller.give(
        "PostTransfer", TestCaller.transfer(Self.savings, Self.shop, 5, reference: "Secret"), as: "alice", key: key)
      try #require(posted.status == .created)
      try await body(bank, caller, key)
    }
  }

  private static func customerPaths(_ transfer: String) -> [String] {
    ["", "/balance", "/entries", "/limits", "/holds"].map { "/v1/accounts/\(savings)\($0)" }
      + [
        "/v1/customers/\(TestBank.alice)", "/v1/customers/\(TestBank.alice)/accounts", "/v1/transfers/\(transfer)",
        "/v1/commands/\(transfer)",
      ]
  }

  @Test func aCustomerSeesItsOwnAndNothingIsRecorded() async throws {
    try await withBank { bank, caller, transfer in
      let length = bank.book.log.count
      for path in Self.customerPaths(transfer) {
        #expect(try await caller.get(path, as: "alice").status == .ok, "\(path)")
      }
      #expect(try await caller.get("/v1/transfers/\(transfer)", as: "bob").status == .ok)
      #expect(bank.book.log.count == length)
      let entries = try await caller.get("/v1/accounts/\(Self.savings)/entries", as: "alice")
      #expect(entries.text.contains("Secret"))
      #expect(try await caller.get("/v1/customers/\(TestBank.alice)", as: "alice").json["name"] == "Wiremu Tāne")
    }
  }

  @Test func aCustomerIsRefusedWhatIsAnothersAndThatIsRecordedFirst() async throws {
    try await withBank { bank, caller, transfer in
      let others =
        Self.customerPaths(transfer).filter { !$0.hasPrefix("/v1/transfers") } + [
          "/v1/accounts/\(Self.cash)", "/v1/accounts/\(TestCaller.newID())", "/v1/customers/\(TestCaller.newID())",
          "/v1/transfers/\(TestCaller.newID())", "/v1/commands/\(TestCaller.newID())", "/v1/events", "/v1/approvals",
          "/v1/sanctions/lists", "/v1/sanctions/entries/1",
        ]
      for path in others {
        let length = bank.book.log.count
        let answer = try await caller.get(path, as: "bob")
        #expect(answer.status == .forbidden, "\(path)")
        #expect(try answer.code == "forbidden")
        #expect(bank.book.log.count == length + 1)
        let last = try #require(bank.book.log.last)
        #expect(try answer.json["position"] == "\(last.origin.position)")
        #expect(last.origin.actor.description == "customer:\(TestBank.bob)")
        guard case .accessRefused(let refused) = last.event, case .recordRefusal(let refusal) = refused.instruction
        else {
          Issue.record("\(path) recorded \(last.event.type)")
          continue
        }
        #expect(refusal.resource.hasPrefix("GET /v1/"))
        #expect(!refusal.resource.contains(Self.savings))
      }
    }
  }

  @Test(arguments: ["operator", "auditor"])
  func aPersonsReadIsRecordedBeforeItIsAnswered(role: String) async throws {
    try await withBank { bank, caller, transfer in
      for path in Self.customerPaths(transfer) {
        let length = bank.book.log.count
        let answer = try await caller.get(path, as: role)
        #expect(answer.status == .ok, "\(path)")
        let reads = bank.book.log.dropFirst(length).compactMap { event -> RecordDataRead? in
          if case .customerDataRead(let read) = event.event { read.instruction } else { nil }
        }
        let both = path.hasPrefix("/v1/transfers") || path.hasPrefix("/v1/commands")
        let customers = both ? [TestBank.bob, TestBank.alice] : [TestBank.alice]
        #expect(reads.map(\.customerID.description) == customers, "\(path)")
        #expect(reads.allSatisfy { $0.resource.hasPrefix("GET /v1/") && !$0.resource.contains(Self.savings) })
      }
      #expect(try await caller.get("/v1/commands/\(transfer)", as: role).text.contains("Secret"))

      // When it can't be recorded it isn't shown.
      bank.book.fail(with: .queueFull)
      let answer = try await caller.get("/v1/accounts/\(Self.savings)", as: role)
      #expect(answer.status == .serviceUnavailable)
    }
  }

  @Test func accountsThatAreNamedByTheirNumbersHaveOwnersToo() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 1_000, number: "01-0902-0068389-00")
      try await caller.open(TestBank.bob, account: Self.shop, funds: 0)
      for (amount, status) in [(Int64(10), 201), (99_999, 422)] {
        let key = TestCaller.newID()
        let answer = try await caller.give(
          "PostTransfer", TestCaller.transfer("01-0902-0068389-00", Self.shop, amount), as: "alice", key: key)
        #expect(answer.status.code == status)
        let length = bank.book.log.count
        #expect(try await caller.get("/v1/commands/\(key)").status == .ok)
        let read = bank.book.log.dropFirst(length).compactMap { event -> String? in
          if case .customerDataRead(let read) = event.event { read.instruction.customerID.description } else { nil }
        }
        #expect(read == [TestBank.bob, TestBank.alice])
        let transfer = try await caller.get("/v1/transfers/\(key)", as: "alice")
        if status == 201 { #expect(try transfer.json["debit_account_id"] == Self.savings) }
      }
    }
  }

  @Test func whatIsNobodysIsReadWithoutARecord() async throws {
    try await withBank { bank, caller, _ in
      let length = bank.book.log.count
      for path in ["/v1/accounts/\(Self.cash)", "/v1/approvals", "/v1/events", "/v1/sanctions/lists"] {
        let answer = try await caller.get(path, as: "operator")
        #expect(answer.status == .ok)
      }
      for path in ["/v1/accounts/\(TestCaller.newID())", "/v1/customers/\(TestCaller.newID())"] {
        let answer = try await caller.get(path, as: "operator")
        #expect(answer.status == .notFound)
      }
      #expect(bank.book.log.count == length)
    }
  }

  @Test func aServiceSeesNoPersonalText() async throws {
    try await withBank { bank, caller, transfer in
      let length = bank.book.log.count
      for path in Self.customerPaths(transfer) + ["/v1/events?limit=1000"] {
        let answer = try await caller.get(path, as: "service")
        #expect(answer.status == .ok)
        #expect(!answer.text.contains("Secret") && !answer.text.contains("Wiremu"), "\(path)")
      }
      #expect(try await caller.get("/v1/customers/\(TestBank.alice)", as: "service").json["name/withheld"] == "true")
      #expect(bank.book.log.count == length)
      #expect(try await caller.get("/v1/approvals", as: "service").status == .forbidden)
    }
  }

  @Test func theLogShowsNobodysPersonalText() async throws {
    try await withBank { _, caller, _ in
      for who in ["operator", "auditor"] {
        let log = try await caller.get("/v1/events?limit=1000", as: who)
        #expect(!log.text.contains("Secret") && !log.text.contains("Wiremu"))
        #expect(log.text.contains(#"{"withheld":true}"#))
      }
    }
  }

  @Test func whoApprovesSeesNothingThatTheMakerWrote() async throws {
    try await withBank { bank, caller, _ in
      try await caller.accepted(
        "SetLimit", #"{"subject_id":"\#(Self.savings)","kind":"approval_threshold","amount":"10","currency":"NZD"}"#)
      let key = TestCaller.newID()
      let held = try await caller.give(
        "PostTransfer", TestCaller.transfer(Self.savings, Self.shop, 50, reference: "Hush"), as: "alice", key: key)
      #expect(try held.json["events/0/type"] == "TransferHeldForApproval")
      #expect(held.text.contains("Hush"))
      let waiting = try await caller.get("/v1/approvals")
      #expect(try waiting.json["approvals/0/command_id"] == key)
      #expect(try waiting.json["approvals/0/kind"] == "transfer")
      #expect(!waiting.text.contains("Hush"))
      let approved = try await caller.give("Approve", #"{"command_id":"\#(key)"}"#, as: "operator2")
      #expect(approved.status == .created)
      #expect(try approved.json["events/0/type"] == "TransferPosted")
      #expect(!approved.text.contains("Hush"))
    }
  }

  /// What each role may give, as the contract has it.
  @Test(arguments: [
    ("alice", "VerifyCustomer", 403), ("alice", "PostJournal", 403), ("auditor", "PostTransfer", 403),
    ("auditor", "RegisterCustomer", 403), ("service", "SetLimit", 403), ("service", "Approve", 403),
    ("service", "RecordFraudScore", 422), ("operator", "SetLimit", 422), ("operator", "ReverseTransfer", 422),
  ])
  func commandsByRole(who: String, command: String, status: Int) async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let answer = try await caller.give(command, try #require(CommandExamples.bodies[command]), as: who)
      #expect(answer.status.code == status, "\(answer.text)")
      if status == 403 {
        #expect(try answer.code == "forbidden")
        #expect(try answer.json["position"] == "\(bank.book.log.count)")
        guard case .accessRefused? = bank.book.log.last?.event else {
          Issue.record("the refusal isn't in the log")
          return
        }
      }
    }
  }
}
