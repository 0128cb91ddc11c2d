import EventStore
import HTTPTypes
import Ledger
import Server
import Testing

@Suite struct AuditTests {
  private static func bank(signs: Bool = true, _ body: @escaping @Sendable (TestCaller) async throws -> Void)
    async throws
  {
    let bank = try await TestBank(signs: signs)
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: account, funds: 1_000)
      try await caller.open(TestBank.bob, account: other, funds: 0)
      try await body(caller)
    }
  }

  private static let account = "01900000-0000-7000-8000-00000000aa01"
  private static let other = "01900000-0000-7000-8000-00000000aa02"
  private static let wanted: HTTPFields = [.prefer: "receipt"]

  @Test func theBanksRolesSeeCheckpointsAndProofs() async throws {
    try await Self.bank { caller in
      let size = caller.bank.book.log.count
      for who in ["operator", "auditor", "service"] {
        let answer = try await caller.get("/v1/audit/checkpoint", as: who)
        #expect(answer.status == .ok && answer.headers[.contentType] == "text/plain; charset=utf-8")
        #expect(answer.headers[.logPosition] == "\(size)")
        let checkpoint = try caller.bank.audit.key.publicKey.verify(note: answer.text)
        #expect(checkpoint.size == Int64(size))
        let inclusion = try await caller.get("/v1/audit/inclusion?position=2&size=5", as: who)
        #expect(inclusion.status == .ok && inclusion.headers[.logPosition] == "5")
        #expect(try inclusion.json["leaf_hash"] == LeafEncoding.hash(of: LogRow(caller.bank.book.log[1])).base64)
        #expect(try inclusion.json["tree_size"] == "5")
        #expect(try inclusion.json.count("proof") == 3)
        let consistency = try await caller.get("/v1/audit/consistency?from=3&to=\(size)", as: who)
        #expect(consistency.status == .ok)
        #expect(try consistency.json["root2"] == checkpoint.root.base64)
      }
      #expect(caller.bank.book.log.count == size, "nothing of it is recorded")
      let refused = try await caller.get("/v1/audit/checkpoint", as: "alice")
      #expect(refused.status == .forbidden)
      #expect(try refused.code == "forbidden")
    }
  }

  @Test func anAnswerCarriesAReceiptOnRequest() async throws {
    try await Self.bank { caller in
      let transfer = TestCaller.transfer(Self.account, Self.other, 10)
      let key = TestCaller.newID()
      let first = try await caller.give("PostTransfer", transfer, as: "alice", key: key, headers: Self.wanted)
      #expect(first.status == .created && first.headers[.preferenceApplied] == "receipt")
      let again = try await caller.give("PostTransfer", transfer, as: "alice", key: key, headers: Self.wanted)
      #expect(again.headers[.idempotencyReplayed] == "true")
      for answer in [first, again] {
        let proved = try Self.receipt(answer).verify(caller.bank.audit.key.publicKey)
        let position = try #require(try answer.json["position"])
        #expect(proved.rows.map { String($0.position) } == [position])
        #expect(proved.rows.first?.actor == "customer:\(TestBank.alice)")
      }
      // A decline is in the log too; a refusal says nothing.
      let declined = try await caller.give(
        "PostTransfer", TestCaller.transfer(Self.account, Self.other, 999_999), headers: Self.wanted)
      #expect(declined.status == .unprocessableContent)
      #expect(try Self.receipt(declined).verify(caller.bank.audit.key.publicKey).rows.first?.type == "TransferDeclined")
      let refused = try await caller.give(
        "PostTransfer", TestCaller.transfer(Self.other, Self.account, 1), as: "alice", headers: Self.wanted)
      #expect(refused.status == .forbidden && refused.headers[.preferenceApplied] == nil)
      #expect(!refused.text.contains("receipt"))
      let plain = try await caller.give("PostTransfer", transfer, as: "alice")
      #expect(plain.headers[.preferenceApplied] == nil && !plain.text.contains("receipt"))
    }
  }

  /// The command stands with or without a receipt.
  @Test func withoutASignerCommandsAreAnsweredAllTheSame() async throws {
    try await Self.bank(signs: false) { caller in
      let answer = try await caller.give(
        "PostTransfer", TestCaller.transfer(Self.account, Self.other, 10), headers: Self.wanted)
      #expect(answer.status == .created && answer.headers[.preferenceApplied] == nil)
      #expect(!answer.text.contains("receipt"))
      let checkpoint = try await caller.get("/v1/audit/checkpoint")
      #expect(checkpoint.status == .serviceUnavailable && checkpoint.headers[.retryAfter] == "1")
      #expect(try checkpoint.code == "checkpoint_unavailable")
      #expect(try await caller.get("/v1/audit/inclusion?position=1").status == .ok, "proofs need no signature")
    }
  }

  @Test(arguments: [
    ("receipt", true), ("Receipt", true), (" respond-async ,receipt; wait=1 ", true), ("receipt=1", true),
    ("receipts", false), ("a=receipt", false), ("a;receipt", false), ("", false), ("re ceipt", false),
  ])
  func preferencesAreReadAsRFC7240HasThem(value: String, applies: Bool) async throws {
    try await Self.bank { caller in
      let answer = try await caller.give(
        "PostTransfer", TestCaller.transfer(Self.account, Self.other, 10), headers: [.prefer: value])
      #expect((answer.headers[.preferenceApplied] == "receipt") == applies, "\(value)")
    }
  }

  private static func receipt(_ answer: TestAnswer) throws -> Receipt {
    let fields = try answer.json.root.object().first { $0.key == "receipt" }
    return try Receipt(try #require(fields?.value))
  }
}

extension HTTPField.Name {
  fileprivate static let preferenceApplied = HTTPField.Name("Preference-Applied") ?? .via
}
