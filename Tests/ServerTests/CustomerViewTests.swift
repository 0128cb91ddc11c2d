import Commands
import EventStore
import HTTPTypes
import Ledger
import Server
import Testing

/// What a customer learns of others, and of itself, by paying: no more than whether it can.
@Suite struct CustomerViewTests {
  static let savings = "01900000-0000-7000-8000-0000000000a1"
  static let dollars = "01900000-0000-7000-8000-0000000000a2"
  static let shop = "01900000-0000-7000-8000-0000000000b1"
  private static let list = #"{"list":"dfat","version":"1","entries":[{"id":"7","name":"Somebody Else"}]}"#

  private static let wantsReceipt: HTTPFields = [HTTPField.Name("Prefer") ?? .via: "receipt"]

  /// What may be wrong with a creditor, and what the log calls it.
  enum Trouble: String, CaseIterable, Sendable {
    case frozen = "account_not_open"
    case closed = "closed"
    case currency = "currency_mismatch"
    case suspended = "customer_not_verified"
    case listed = "sanctions_match"

    var code: String { self == .closed ? "account_not_open" : rawValue }
  }

  private static func open(_ caller: TestCaller) async throws {
    try await caller.open(TestBank.alice, account: savings, funds: 1_000)
    try await caller.open(TestBank.bob, account: shop, funds: 0)
  }

  private static func bring(_ trouble: Trouble, to caller: TestCaller) async throws {
    switch trouble {
    case .frozen: try await caller.accepted("FreezeAccount", #"{"account_id":"\#(shop)"}"#)
    case .closed: try await caller.accepted("CloseAccount", #"{"account_id":"\#(shop)"}"#)
    case .currency:
      try await caller.accepted(
        "OpenAccount", #"{"account_id":"\#(dollars)","customer_id":"\#(TestBank.bob)","currency":"AUD"}"#)
    case .suspended: try await caller.accepted("SuspendCustomer", #"{"customer_id":"\#(TestBank.bob)"}"#)
    case .listed:
      try await caller.accepted("ImportSanctionsList", list, as: "service")
      let key = TestCaller.newID()
      let finding = #"{"customer_id":"\#(TestBank.bob)","list":"dfat","entry_id":"7"}"#
      try #require(try await caller.give("ConfirmMatch", finding, key: key).status == .created)
      try await caller.accepted("Approve", #"{"command_id":"\#(key)"}"#, as: "operator2")
    }
  }

  /// Every way in which the customer gets the answer, one text each, in which only ids and positions may differ.
  private static func answers(_ caller: TestCaller, to creditor: String) async throws -> [String] {
    let key = TestCaller.newID()
    let body = TestCaller.transfer(savings, creditor, 5)
    let line = #"{"id":"\#(key)","command":"PostTransfer","data":\#(body)}"#
    let first = try await caller.give("PostTransfer", body, as: "alice", key: key, headers: wantsReceipt)
    #expect(first.status == .unprocessableContent)
    let again = try await caller.give("PostTransfer", body, as: "alice", key: key, headers: wantsReceipt)
    #expect(again.headers[.idempotencyReplayed] == "true")
    let batch = try await caller.batch([line], as: "alice")
    let later = try await caller.get("/v1/commands/\(key)", as: "alice")
    #expect(later.status == .ok)
    let position = try #require(try first.json["position"])
    return [first, again, batch, later].map {
      $0.text.replacing("\n", with: "").replacing(key, with: "KEY")
        .replacing(#""position":\#(position)"#, with: "POSITION").replacing(#","replayed":true"#, with: "").replacing(
          creditor, with: "CREDITOR")
    }
  }

  /// Whatever it is about the creditor, the answer is the same to the letter, and says nothing of whom it is about.
  @Test func whyACreditorCantBePaidIsntToldToACustomer() async throws {
    var seen: Set<String> = []
    for trouble in Trouble.allCases {
      let bank = try await TestBank()
      let answers = Tally()
      try await bank.test { caller in
        try await Self.open(caller)
        try await Self.bring(trouble, to: caller)
        let creditor = trouble == .currency ? Self.dollars : Self.shop
        for text in try await Self.answers(caller, to: creditor) { answers.add(text) }
        // The log has it all, and the bank's people see it.
        let whole = try #require(
          bank.book.log.last { if case .transferDeclined = $0.event { true } else { false } })
        guard case .transferDeclined(let declined) = whole.event else { throw CancellationError() }
        #expect(declined.code.rawValue == trouble.code)
        let theirs = try await caller.get("/v1/commands/\(whole.origin.commandID)")
        #expect(try theirs.code == trouble.code)
        #expect(theirs.text.contains(TestBank.bob))
      }
      #expect(answers[""].count == 4)
      for text in answers[""] {
        #expect(text.contains(#""code":"creditor_not_payable","passed":false,"party":"creditor""#))
        #expect(text.contains(#""type":"urn:kauri:problem:creditor_not_payable""#))
        for secret in [TestBank.bob, "frozen", "closed", "suspended", "AUD", "receipt"] {
          #expect(!text.contains(secret), "\(trouble): \(secret)")
        }
        seen.insert(text)
      }
    }
    #expect(seen.count == 1, "the causes can be told apart: \(seen)")
  }

  /// A customer with a reason of its own can't use its precedence to find out which the creditor's is.
  @Test func anOwnReasonDoesntTellTheCreditorsApart() async throws {
    var codes: Set<String> = []
    for trouble in [Trouble.frozen, .suspended, .listed] {
      let bank = try await TestBank()
      let found = Tally()
      try await bank.test { caller in
        try await Self.open(caller)
        try await caller.accepted("SuspendCustomer", #"{"customer_id":"\#(TestBank.alice)"}"#)
        try await Self.bring(trouble, to: caller)
        let answer = try await caller.give("PostTransfer", TestCaller.transfer(Self.savings, Self.shop, 5), as: "alice")
        found.add(try #require(try answer.code))
        #expect(answer.text.contains(#""status":"suspended""#), "the customer's own figures")
        #expect(!answer.text.contains(TestBank.bob))
      }
      codes.formUnion(found[""])
    }
    #expect(codes == ["customer_not_verified"])
  }

  @Test func aDeclineOfItsOwnSaysNothingOfACreditorThatIsFine() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await Self.open(caller)
      let answer = try await caller.give(
        "PostTransfer", TestCaller.transfer(Self.savings, Self.shop, 1_001), as: "alice")
      #expect(try answer.code == "insufficient_funds")
      #expect(answer.text.contains(#""available":"1000","amount":"1001""#))
      #expect(answer.text.contains(#"{"code":"creditor_not_payable","passed":true,"party":"creditor"}"#))
      #expect(!answer.text.contains(TestBank.bob))
      // To an account of its own, all is its own.
      let second = "01900000-0000-7000-8000-0000000000a3"
      try await caller.open(TestBank.alice, account: second, funds: 0)
      try await caller.accepted("FreezeAccount", #"{"account_id":"\#(second)"}"#)
      let own = try await caller.give("PostTransfer", TestCaller.transfer(Self.savings, second, 1), as: "alice")
      #expect(try own.code == "account_not_open")
      #expect(own.text.contains(#""account_id":"\#(second)","status":"frozen""#))
      // Of an account that isn't there, that it isn't.
      let nowhere = try await caller.give(
        "PostTransfer", TestCaller.transfer(Self.savings, TestCaller.newID(), 1), as: "alice")
      #expect(try nowhere.code == "unknown_account")
    }
  }

  /// An account that was named by its number isn't told by its id.
  @Test func aNumberDoesntTellAnId() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 10)
      try await caller.open(TestBank.bob, account: Self.shop, funds: 0, number: "01-0902-0068389-00")
      let answer = try await caller.give(
        "PostTransfer", TestCaller.transfer(Self.savings, "01-0902-0068389-00", 11), as: "alice")
      #expect(try answer.code == "insufficient_funds")
      #expect(!answer.text.contains(Self.shop) && !answer.text.contains(TestBank.bob))
    }
  }

  @Test func aFraudScoreIsShownToNoCustomer() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await Self.open(caller)
      let scored = Moment.now
      for (score, status) in [(3, 201), (999, 422)] {
        try await caller.accepted(
          "RecordFraudScore",
          #"{"subject_id":"\#(TestBank.alice)","score":\#(score),"model":"oracle-9","scored_at":"\#(Moment(microseconds: scored.microseconds + Int64(score)))"}"#,
          as: "service")
        let key = TestCaller.newID()
        let body = TestCaller.transfer(Self.savings, Self.shop, 1)
        let given = try await caller.give("PostTransfer", body, as: "alice", key: key, headers: Self.wantsReceipt)
        #expect(given.status.code == status)
        let later = try await caller.get("/v1/commands/\(key)", as: "alice")
        let line = try await caller.batch(
          [#"{"id":"\#(key)","command":"PostTransfer","data":\#(body)}"#], as: "alice")
        for answer in [given, later, line] {
          for secret in ["oracle-9", #""score""#, "maximum", "scored_at", "age_seconds", "receipt"] {
            #expect(!answer.text.contains(secret), "\(secret)")
          }
        }
        #expect(later.text.contains(#""code":"fraud_score_too_high","passed":\#(status == 201)"#))
        #expect(try await caller.get("/v1/commands/\(key)").text.contains("oracle-9"))
        for path in ["/v1/customers/\(TestBank.alice)", "/v1/customers/\(TestBank.alice)/accounts"] {
          #expect(!(try await caller.get(path, as: "alice").text.contains("oracle-9")))
        }
      }
    }
  }
}
