import Commands
import Crypto
import EventStore
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Ledger
import Logging
import NIOCore
import Server
import Synchronization
import Testing

/// A server over a book in memory, with tokens for everybody.
struct TestBank: Sendable {
  let book = MemoryBook()
  /// Of the book's own commands, as all its servers make them.
  let ids = OwnCommandIDs(key: SymmetricKey(size: .bits256))
  let audit: MemoryAudit
  let keys = TestKeys()
  let metrics = PrometheusMetrics(help: ServerMetrics.help)
  let parts: ServerParts
  let authenticator: Authenticator
  let tokens: [String: String]

  static let alice = "01900000-0000-7000-8000-00000000a11c"
  static let bob = "01900000-0000-7000-8000-000000000b0b"

  init(
    limits: ServerLimits = ServerLimits(), handling: CommandHandler.Options = CommandHandler.Options(),
    health: any ServerHealth = Healthy(), signs: Bool = true, heartbeat: Duration = .milliseconds(60)
  ) async throws {
    audit = MemoryAudit(book: book, signs: signs)
    authenticator = Authenticator(
      keys: try await keys.keySet(), expectations: TokenExpectations(issuer: "test-issuer", audience: "kauri"))
    let metrics = ServerMetrics(metrics)
    parts = ServerParts(
      handler: CommandHandler(writer: book, options: handling) { metrics.committed($0) }, reader: book,
      texts: ClearTexts(), authenticator: authenticator, health: health, metrics: metrics, prometheus: self.metrics,
      feed: HeadFeed(
        signal: book.signal, maximum: limits.followers, maximumPerCaller: limits.followersPerCaller,
        interval: .milliseconds(20), heartbeat: heartbeat),
      audit: audit, limits: limits, version: "0.0.0", logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    tokens = [
      "operator": try await keys.token("operator", "ops-1"), "operator2": try await keys.token("operator", "ops-2"),
      "service": try await keys.token("service", "rails"), "auditor": try await keys.token("auditor", "audit-1"),
      "alice": try await keys.token("customer", TestBank.alice), "bob": try await keys.token("customer", TestBank.bob),
    ]
  }

  /// Runs a test on the server's router, its services running.
  func test(
    _ setup: TestingSetup = .router, _ body: @escaping @Sendable (TestCaller) async throws -> Void
  ) async throws {
    try await buildApplication(parts).test(setup) { client in
      try await body(TestCaller(bank: self, client: client))
    }
  }
}

/// What a healthy database says.
struct Healthy: ServerHealth {
  var checks: [ReadinessCheck] = [ReadinessCheck("database", passed: true)]

  func readiness() async -> [ReadinessCheck] { checks }
  func gauges() async -> [GaugeReading] { [GaugeReading("kauri_log_position", 42)] }
}

/// Sends requests, and keeps what was opened by it.
struct TestCaller: Sendable {
  let bank: TestBank
  let client: any TestClientProtocol

  func send(
    _ method: HTTPRequest.Method, _ path: String, as who: String? = "operator", _ body: String? = nil,
    headers: HTTPFields = [:]
  ) async throws -> TestAnswer {
    var fields = headers
    if let who, fields[.authorization] == nil {
      fields[.authorization] = "Bearer \(try #require(bank.tokens[who]))"
    }
    if body != nil, fields[.contentType] == nil { fields[.contentType] = "application/json" }
    let response = try await client.execute(
      uri: path, method: method, headers: fields, body: body.map { ByteBuffer(string: $0) })
    return TestAnswer(response: response)
  }

  func get(_ path: String, as who: String? = "operator", headers: HTTPFields = [:]) async throws -> TestAnswer {
    try await send(.get, path, as: who, headers: headers)
  }

  /// Gives a command, under a new key unless one is named.
  func give(
    _ command: String, _ body: String, as who: String? = "operator", key: String? = TestCaller.newID(),
    headers: HTTPFields = [:]
  ) async throws -> TestAnswer {
    var fields = headers
    if let key { fields[.idempotencyKey] = key }
    return try await send(.post, "/v1/commands/\(command)", as: who, body, headers: fields)
  }

  func batch(_ lines: [String], as who: String = "operator") async throws -> TestAnswer {
    try await send(
      .post, "/v1/commands", as: who, lines.joined(separator: "\n"), headers: [.contentType: "application/x-ndjson"])
  }

  static func newID() -> String {
    Identifier(high: .random(in: 0...UInt64.max), low: .random(in: 0...UInt64.max)).description
  }

  // MARK: A small bank

  /// A verified customer with one account, and money in it from the bank's own.
  func open(_ customer: String, account: String, funds: Int64, number: String? = nil) async throws {
    let cash = "01900000-0000-7000-8000-0000000ca5e0"
    if bank.book.state.accounts[try #require(Identifier(cash))] == nil {
      try await accepted(
        "OpenAccount", #"{"account_id":"\#(cash)","kind":"internal","currency":"NZD","allow_negative":true}"#)
    }
    if bank.book.state.customers[try #require(Identifier(customer))] == nil {
      try await accepted("RegisterCustomer", #"{"customer_id":"\#(customer)","name":"Wiremu Tāne","country":"NZ"}"#)
      try await accepted("VerifyCustomer", #"{"customer_id":"\#(customer)"}"#)
    }
    let numbered = number.map { #","number":"\#($0)""# } ?? ""
    try await accepted(
      "OpenAccount", #"{"account_id":"\#(account)","customer_id":"\#(customer)","currency":"NZD"\#(numbered)}"#)
    if funds > 0 { try await accepted("PostTransfer", TestCaller.transfer(cash, account, funds)) }
  }

  @discardableResult
  func accepted(_ command: String, _ body: String, as who: String = "operator") async throws -> TestAnswer {
    let answer = try await give(command, body, as: who)
    try #require(answer.status == .created, "\(command): \(answer.text)")
    return answer
  }

  static func transfer(_ debit: String, _ credit: String, _ amount: Int64, reference: String? = nil) -> String {
    let text = reference.map { #","reference":"\#($0)""# } ?? ""
    return
      #"{"debit_account_id":"\#(debit)","credit_account_id":"\#(credit)","amount":"\#(amount)","currency":"NZD"\#(text)}"#
  }
}

/// A response, and its content as JSON.
struct TestAnswer: Sendable {
  let response: TestResponse

  var status: HTTPResponse.Status { response.status }
  var headers: HTTPFields { response.headers }
  var text: String { String(buffer: response.body) }
  var lines: [JSONText] { get throws { try text.split(separator: "\n").map { try JSONText(String($0)) } } }
  var json: JSONText { get throws { try JSONText(text) } }
  var code: String? { get throws { try json["code"] } }
}

/// A JSON object, looked into by paths such as `events/0/type`.
struct JSONText: Sendable {
  let root: JSONValue

  init(_ text: String) throws { root = try JSONDocument(Array(text.utf8)).root }

  subscript(path: String) -> String? {
    get throws {
      var value = root
      for step in path.split(separator: "/", omittingEmptySubsequences: true) {
        if let index = Int(step), value.kind == .array {
          let elements = Array(try value.array())
          guard index < elements.count else { return nil }
          value = elements[index]
        } else {
          guard let next = try value.object().first(where: { $0.key == step })?.value else { return nil }
          value = next
        }
      }
      return value.kind == .string ? try value.string() : String(decoding: value.compactBytes, as: UTF8.self)
    }
  }

  func count(_ name: String) throws -> Int {
    guard let value = try root.object().first(where: { $0.key == name })?.value else { return 0 }
    return try value.array().count
  }
}

extension HTTPField.Name {
  private static func test(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .via }
  static let idempotencyKey = test("Idempotency-Key")
  static let idempotencyReplayed = test("Idempotency-Replayed")
  static let logPosition = test("Log-Position")
  static let requestID = test("X-Request-Id")
  static let traceParent = test("traceparent")
  static let lastEventID = test("Last-Event-ID")
  static let prefer = test("Prefer")
}
