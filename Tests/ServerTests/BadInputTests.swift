import HTTPTypes
import HummingbirdTesting
import Ledger
import NIOCore
import Server
import Testing

/// Nothing that a client sends is written unless it is what the contract says, and nothing yields a 500.
@Suite struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let about: String
    let body: String
    var pointer = ""
    var command = "PostTransfer"

    var testDescription: String { about }
  }

  private static let a = "01900000-0000-7000-8000-0000000000a1"
  private static let b = "01900000-0000-7000-8000-0000000000b1"

  private static func transfer(amount: String) -> String {
    #"{"debit_account_id":"\#(a)","credit_account_id":"\#(b)","amount":\#(amount),"currency":"NZD"}"#
  }

  private static func with(_ field: String) -> String {
    #"{"debit_account_id":"\#(a)","credit_account_id":"\#(b)","amount":"1","currency":"NZD",\#(field)}"#
  }

  static let cases: [Case] =
    [
      Case(about: "nothing", body: ""), Case(about: "a space", body: " "), Case(about: "half an object", body: "{"),
      Case(about: "no JSON", body: "hello"), Case(about: "a list", body: "[]"), Case(about: "a string", body: "\"x\""),
      Case(about: "null", body: "null"), Case(about: "two documents", body: "{}{}"),
      Case(about: "a comma too many", body: #"{"amount":"1",}"#),
      Case(about: "single quotes", body: "{'amount':'1'}"),
      Case(about: "a missing field", body: "{}", pointer: "/debit_account_id"),
      Case(about: "an unknown field", body: with(#""fee":"1""#), pointer: "/fee"),
      Case(about: "a field twice", body: with(#""amount":"2""#), pointer: "/amount"),
      Case(about: "a field twice, spelled apart", body: with(#""\u0061mount":"2""#), pointer: "/amount"),
      Case(about: "U+0000", body: with(#""reference":"a\u0000b""#), pointer: "/reference"),
      Case(about: "half a surrogate pair", body: with(#""reference":"\ud800""#), pointer: "/reference"),
      Case(
        about: "an over-long text", body: with("\"reference\":\"\(String(repeating: "ä", count: 501))\""),
        pointer: "/reference"),
      Case(about: "a text that isn't one", body: with(#""reference":{"sealed":"QUJD"}"#), pointer: "/reference"),
      Case(about: "sealed text", body: with(#""reference":{"erased":true}"#), pointer: "/reference"),
      Case(about: "a channel there isn't", body: with(#""channel":"pigeon""#), pointer: "/channel"),
      Case(about: "a day there isn't", body: with(#""value_date":"2026-02-30""#), pointer: "/value_date"),
      Case(
        about: "a time without an offset", body: with(#""occurred_at":"2026-02-03T10:00:00""#), pointer: "/occurred_at"),
      Case(
        about: "deep nesting", body: with("\"reference\":\(String(repeating: "[", count: 10_000))"),
        pointer: "/reference" + String(repeating: "/0", count: 31)),
      Case(
        about: "an account that is neither id nor number",
        body: #"{"debit_account_id":"me","credit_account_id":"\#(b)","amount":"1","currency":"NZD"}"#,
        pointer: "/debit_account_id"),
      Case(
        about: "a number whose check digit is wrong",
        body: #"{"debit_account_id":"01-0902-0068388-00","credit_account_id":"\#(b)","amount":"1","currency":"NZD"}"#,
        pointer: "/debit_account_id"),
      Case(
        about: "a currency there isn't",
        body: #"{"debit_account_id":"\#(a)","credit_account_id":"\#(b)","amount":"1","currency":"XXX"}"#,
        pointer: "/currency"),
      Case(about: "one posting", body: #"{"postings":[]}"#, pointer: "/postings", command: "PostJournal"),
      Case(
        about: "a fault deep inside",
        body:
          #"{"postings":[{"account_id":"\#(a)","direction":"debit","amount":"1","currency":"NZD"},{"account_id":"\#(b)","direction":"up","amount":"1","currency":"NZD"}]}"#,
        pointer: "/postings/1/direction", command: "PostJournal"),
      Case(
        about: "a score that is too high",
        body: #"{"subject_id":"\#(a)","score":1001,"model":"m","scored_at":"2026-01-01T00:00:00Z"}"#,
        pointer: "/score", command: "RecordFraudScore"),
      Case(
        about: "a date of birth that isn't one", body: #"{"customer_id":"\#(a)","name":"A","date_of_birth":"soon"}"#,
        pointer: "/date_of_birth", command: "RegisterCustomer"),
      Case(
        about: "an empty name", body: #"{"customer_id":"\#(a)","name":""}"#, pointer: "/name",
        command: "RegisterCustomer"),
      Case(
        about: "a reversal for no reason", body: #"{"transfer_id":"\#(a)","reason":""}"#, pointer: "/reason",
        command: "ReverseTransfer"),
      Case(
        about: "an erasure for no reason", body: #"{"customer_id":"\#(a)","reason":""}"#, pointer: "/reason",
        command: "EraseCustomer"),
      Case(
        about: "a policy there isn't", body: #"{"policy":"everything","value":1}"#, pointer: "/policy",
        command: "SetPolicy"),
    ]
    + [
      "0", "-1", "1.0", "1e2", "-0", "0.1", "1E0", "\"1.0\"", "\"1e2\"", "\"+1\"", "\" 1\"", "\"01\"", "\"\"", "\"-5\"",
      "\"0x10\"", "\"١\"", "9223372036854775808", "\"9223372036854775808\"", "-9223372036854775808",
      "1000000000000000000000000000000", "true", "{}", "[]", "\"NaN\"",
    ].map { Case(about: "amount \($0)", body: transfer(amount: $0), pointer: "/amount") }

  @Test(arguments: cases)
  func isRefusedWithItsPlace(_ bad: Case) async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let length = bank.book.log.count
      let answer = try await caller.give(bad.command, bad.body)
      #expect(answer.status == .badRequest)
      #expect(answer.headers[.contentType] == "application/problem+json")
      #expect(try answer.code == "invalid_request")
      #expect(try answer.json["pointer"] == bad.pointer)
      #expect(try answer.json["command_id"] != nil)
      #expect(try answer.json["retryable"] == "false")
      #expect(bank.book.log.count == length)

      // The same in a batch, on a line of its own between two good ones.
      let good =
        #"{"id":"\#(TestCaller.newID())","command":"RegisterCustomer","data":{"customer_id":"\#(TestCaller.newID())","name":"A"}}"#
      let line = #"{"id":"\#(TestCaller.newID())","command":"\#(bad.command)","data":\#(bad.body)}"#
      guard !bad.body.trimmed.isEmpty else { return }
      let batch = try await caller.batch([good, line, good.replacing("\"A\"", with: "\"B\"")])
      let lines = try batch.lines
      #expect(batch.status == .ok)
      #expect(try lines.count == 3 && lines[0]["status"] == "201")
      #expect(try lines[1]["status"] == "400")
      #expect(try lines[1]["line"] == "2")
      // The key of the third line belongs to the first line's command.
      #expect(try lines[2]["code"] == "idempotency_key_reused")
      #expect(bank.book.log.count == length + 1)
    }
  }

  @Test func theLargestAmountIsTaken() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      for amount in ["9223372036854775807", "\"9223372036854775807\""] {
        let answer = try await caller.give("PostTransfer", Self.transfer(amount: amount))
        #expect(answer.status == .unprocessableContent)
        #expect(try answer.code == "unknown_account")
      }
    }
  }

  @Test func invalidUTF8IsRefused() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]] {
        var body = ByteBuffer(string: #"{"customer_id":"\#(TestBank.alice)","name":""#)
        body.writeBytes(bytes)
        body.writeString("\"}")
        let response = try await caller.client.execute(
          uri: "/v1/commands/RegisterCustomer", method: .post,
          headers: [
            .authorization: "Bearer \(try #require(bank.tokens["operator"]))", .contentType: "application/json",
            .idempotencyKey: TestCaller.newID(),
          ], body: body)
        #expect(response.status == .badRequest)
        #expect(String(buffer: response.body).contains("\"pointer\":\"/name\""))
      }
    }
  }

  @Test func contentThatIsTooLargeIsRefused() async throws {
    var limits = ServerLimits()
    limits.commandBytes = 2_000
    limits.batchBytes = 5_000
    limits.batchLines = 3
    let bank = try await TestBank(limits: limits)
    try await bank.test { caller in
      let padding = String(repeating: " ", count: 2_000)
      let large = try await caller.give("VerifyCustomer", #"{"customer_id":"\#(TestBank.alice)"}"# + padding)
      #expect(large.status == .contentTooLarge)
      #expect(try large.code == "body_too_large")
      #expect(large.headers[.connection] == "close")
      let batch = try await caller.batch([padding, padding, padding])
      #expect(batch.status == .contentTooLarge)

      let lines = (0..<4).map { _ in
        #"{"id":"\#(TestCaller.newID())","command":"VerifyCustomer","data":{"customer_id":"\#(TestBank.alice)"}}"#
      }
      let many = try await caller.batch(lines)
      #expect(many.status == .badRequest)
      #expect(try many.code == "invalid_request")
      #expect(try await caller.batch(Array(lines.prefix(3))).status == .ok)
      #expect(try await caller.batch([""]).status == .badRequest)
    }
  }

  @Test func aHeadThatIsTooLargeIsRefused() async throws {
    try await TestBank().test { caller in
      let long = String(repeating: "x", count: 9_000)
      let uri = try await caller.get("/v1/events?type=\(long)")
      #expect(uri.status == .uriTooLong)
      let headers = try await caller.get("/livez", as: nil, headers: [.userAgent: long + long])
      #expect(headers.status == .requestHeaderFieldsTooLarge)
    }
  }

  @Test(arguments: [
    "/v1/accounts/\(a)?verbose=1", "/v1/accounts/\(a)?at_least=", "/v1/accounts/\(a)?at_least=-1",
    "/v1/accounts/\(a)?at_least=9223372036854775808", "/v1/accounts/\(a)?at_least=+1",
    "/v1/accounts/\(a)?at_least=1&at_least=2",
    "/v1/accounts/\(a)?at=yesterday", "/v1/accounts/\(a)/balance?at=yesterday",
    "/v1/accounts/\(a)/balance?at=99999999999999999999",
    "/v1/accounts/\(a)/entries?limit=0", "/v1/accounts/\(a)/entries?limit=1001", "/v1/accounts/\(a)/entries?limit=ten",
    "/v1/accounts/\(a)/entries?from=2026-13-01", "/v1/accounts/\(a)/entries?order=sideways",
    "/v1/events?after=-1", "/v1/events?type=Nothing", "/v1/events?type=,", "/v1/events?stream=account",
    "/v1/events?stream=account/1", "/v1/events?incarnation=0", "/v1/events?incarnation=1:2",
    "/v1/events?%zz=1", "/v1/events?type=%ff", "/v1/events?type=%00", "/livez?x=1", "/v1/approvals?cursor",
    "/v1/sanctions/lists?limit=0", "/v1/sanctions/lists?cursor=x", "/v1/customers/\(a)/accounts?limit=1001",
  ])
  func parametersThatArentWhatTheyMustBe(path: String) async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let answer = try await caller.get(path)
      #expect(answer.status == .badRequest, "\(path): \(answer.text)")
      #expect(try answer.code == "invalid_parameter")
    }
  }

  @Test(arguments: [
    "/v1/accounts/%ff", "/v1/accounts/me", "/v1/accounts/%00", "/v1/customers/7", "/v1/transfers/x", "/v1/commands/x",
    "/v1/sanctions/entries/%zz",
  ])
  func pathsThatNameNothing(path: String) async throws {
    try await TestBank().test { caller in
      let answer = try await caller.get(path)
      #expect(answer.status == .notFound)
      #expect(try answer.code == "not_found")
    }
  }

  /// Random bytes in every place where bytes may come: whatever they are, the answer is the client's fault and nothing
  /// is written.
  @Test func noiseIsTheClientsFault() async throws {
    var chance = Chance()
    let bank = try await TestBank()
    let noise = (0..<200).map { _ in chance.noise() }
    try await bank.test { caller in
      let length = bank.book.log.count
      for (name, body) in noise {
        let answer = try await caller.give(name, body)
        #expect(answer.status == .badRequest, "\(name) \(body)")
      }
      #expect(bank.book.log.count == length)
    }
  }
}

extension String {
  fileprivate var trimmed: Substring { drop { $0.isWhitespace } }
}

/// Repeatable randomness: the seed is printed, and taken back from KAURI_TEST_SEED.
struct Chance: RandomNumberGenerator {
  private var state: UInt64

  init() {
    let given = seedFromEnvironment()
    state = given ?? .random(in: 1...UInt64.max)
    print("KAURI_TEST_SEED=\(state)")
  }

  mutating func next() -> UInt64 {
    // SplitMix64 (Steele, Lea, Flood 2014).
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// A command's name, and something that is never its content: a good document with one of its bytes replaced by a
  /// control character or cut off.
  mutating func noise() -> (String, String) {
    let names = ["PostTransfer", "RegisterCustomer", "SetLimit"]
    let name = names[Int.random(in: 0..<names.count, using: &self)]
    var text = Array(
      #"{"customer_id":"\#(TestBank.alice)","name":"A","amount":"1","subject_id":[1,2,{"x":null}]}"#.utf8)
    let place = Int.random(in: 0..<text.count, using: &self)
    if Bool.random(using: &self) {
      text[place] = UInt8.random(in: 1...8, using: &self)
    } else {
      text.removeSubrange(place...)
    }
    return (name, String(decoding: text, as: UTF8.self))
  }
}
