import AsyncHTTPClient
import Commands
import EventStore
import Foundation
import Ledger
import LocalStack
import NIOCore
import NIOHTTP1
import Postgres
import Testing

/// The exchange of rules as it goes in production: three servers on one database, one of them too old. The old one is
/// `kauri serve`; the two of a later build are the same server with a rule set more.
@Suite(.serialized) struct RuleSetServersTests {
  @Test func ofThreeServersOneIsTooOld() async throws {
    try await ServedBook.run(servers: [[]], accounts: 2) { book in
      let old = try #require(book.servers[0].address)
      let newer = [
        try await NewerServer.start(on: book, RuleSetTests.both),
        try await NewerServer.start(on: book, RuleSetTests.both),
      ]
      let outcome: Result<Void, any Error>
      do {
        let bank = try await RuleSetBank(book)
        try await exchangeRules(bank, old: old, newer.map(\.address))
        outcome = .success(())
      } catch {
        outcome = .failure(error)
      }
      for server in newer { await server.stop() }
      try outcome.get()
      try await book.expectSettled()
    }
  }

  private func exchangeRules(_ bank: RuleSetBank, old: String, _ newer: [String]) async throws {
    // Before the activation all three decide by the first rule set.
    for address in [old] + newer {
      let posted = try await bank.transfer(301, at: address)
      #expect(posted.status == 201 && posted.types == ["TransferPosted"], "\(posted)")
    }
    try await expectDeclines(bank, old: old, newer)

    // Proposed by one person and approved by another, who may ask any server that knows the rules.
    let proposed = try await bank.give("ActivateRuleSet", #"{"rule_set":2}"#, at: newer[0])
    #expect(proposed.status == 201 && proposed.types == ["RuleSetProposed"], "\(proposed)")
    let waiting = try await bank.get("/v1/approvals", at: old).answer["approvals"] as? [[String: Any]]
    #expect(waiting?.map { $0["kind"] as? String } == ["rule_set"])
    let approval = #"{"command_id":"\#(proposed.id)"}"#
    let alone = try await bank.give("Approve", approval, at: newer[0])
    #expect(alone.status == 422 && alone.code == "same_person")
    let id = UUID().uuidString
    let before = try await bank.logged()
    let sentOn = try await bank.give("Approve", approval, by: 1, id: id, at: old)
    #expect(sentOn.status == 503 && sentOn.code == "unknown_rule_set", "\(sentOn)")
    #expect(try await bank.logged() == before)
    #expect(try await bank.get("/readyz", at: old).status == 200)
    let activated = try await bank.give("Approve", approval, by: 1, id: id, at: newer[1])
    #expect(activated.status == 201 && activated.types == ["RuleSetActivated"], "\(activated)")

    try await expectTooOld(bank, at: old)
    for address in newer {
      let large = try await bank.transfer(301, at: address)
      #expect(large.status == 201 && large.types == ["TransferHeldForApproval"], "\(large)")
      let small = try await bank.transfer(300, at: address)
      #expect(small.status == 201 && small.types == ["TransferPosted"], "\(small)")
      #expect(try await bank.get("/readyz", at: address).status == 200)
    }
    try await expectTooOld(bank, at: old)
    try await bank.expectRuleSets(from: activated.position)
  }

  /// What isn't to be activated, and by whom.
  private func expectDeclines(_ bank: RuleSetBank, old: String, _ newer: [String]) async throws {
    let unknown = try await bank.give("ActivateRuleSet", #"{"rule_set":2}"#, at: old)
    #expect(unknown.status == 422 && unknown.code == "rule_set_not_known", "\(unknown)")
    let check = (unknown.answer["checks"] as? [[String: Any]])?.first
    #expect(check?["rule_set"] as? Int == 2 && check?["newest_known"] as? Int == 1)
    let further = try await bank.give("ActivateRuleSet", #"{"rule_set":3}"#, at: newer[0])
    #expect(further.status == 422 && further.code == "rule_set_not_known")
    let active = try await bank.give("ActivateRuleSet", #"{"rule_set":1}"#, at: newer[0])
    #expect(active.status == 422 && active.code == "rule_set_not_newer")
    #expect(((active.answer["checks"] as? [[String: Any]])?.first)?["active"] as? Int == 1)
    for body in [#"{"rule_set":0}"#, #"{"rule_set":"2"}"#, "{}", #"{"rule_set":2,"newest_known":9}"#] {
      #expect(try await bank.give("ActivateRuleSet", body, at: newer[0]).status == 400, "\(body)")
    }
    for role in ["service", "auditor"] {
      let refused = try await bank.give("ActivateRuleSet", #"{"rule_set":2}"#, as: role, at: newer[0])
      #expect(refused.status == 403, "\(role): \(refused)")
    }
  }

  /// It refuses to write and says why, in the answer and to whoever probes it; what needs no event it still answers.
  private func expectTooOld(_ bank: RuleSetBank, at old: String) async throws {
    let before = try await bank.logged()
    let refused = try await bank.transfer(5, at: old)
    #expect(refused.status == 503 && refused.code == "unknown_rule_set", "\(refused)")
    #expect(refused.answer["retryable"] as? Bool == true && refused.retryAfter != nil)
    #expect((refused.answer["detail"] as? String)?.contains("rule set 2") == true, "\(refused)")
    let line = #"{"command":"SetLimit","id":"\#(UUID().uuidString)","data":\#(bank.limit)}"#
    let batch = try await bank.send(.POST, "/v1/commands", body: line, type: "application/x-ndjson", at: old)
    #expect(batch.status == 503 && batch.code == "unknown_rule_set", "\(batch)")
    let ready = try await bank.get("/readyz", at: old)
    #expect(ready.status == 503)
    let checks = ready.answer["checks"] as? [[String: Any]] ?? []
    let failed = checks.filter { $0["passed"] as? Bool == false }
    #expect(failed.map { $0["name"] as? String } == ["rule_set"], "\(ready)")
    #expect(failed.first?["detail"] as? String == "the book follows rule set 2, which this build doesn't know")

    for path in [
      "/livez", "/v1/accounts/\(Teller.settlement)/balance", "/v1/events?after=0&limit=5", "/v1/sanctions/lists",
    ] {
      let answer = try await bank.get(path, at: old)
      #expect(answer.status == 200, "\(path): \(answer)")
    }
    // A read that would have to be recorded before it is answered isn't answered.
    let person = try await bank.get("/v1/customers/\(Identifier(high: 0xC057, low: 1))", at: old)
    #expect(person.status == 503 && person.code == "unknown_rule_set", "\(person)")
    #expect(try await bank.logged() == before)
  }
}

/// People of the bank, at one server or another.
private struct RuleSetBank {
  struct Answer: CustomStringConvertible {
    let id: String
    let status: Int
    let retryAfter: Int?
    let bytes: [UInt8]

    var answer: [String: Any] {
      (try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]) ?? [:]
    }

    var code: String? { answer["code"] as? String }
    var position: Int { answer["position"] as? Int ?? 0 }
    var types: [String] { (answer["events"] as? [[String: Any]] ?? []).compactMap { $0["type"] as? String } }
    var description: String { "\(status) \(String(decoding: bytes, as: UTF8.self))" }
  }

  private let book: ServedBook
  private let staff: [String]
  private let others: [String: String]

  init(_ book: ServedBook) async throws {
    self.book = book
    var staff: [String] = []
    for person in Teller.staff {
      staff.append(try await book.identity.mint(.operator, subject: person.subject, lifetime: .seconds(3_600)))
    }
    self.staff = staff
    others = [
      "service": try await book.identity.mint(.service, subject: "scoring", lifetime: .seconds(3_600)),
      "auditor": try await book.identity.mint(.auditor, subject: "auditor", lifetime: .seconds(3_600)),
    ]
  }

  private var account: AccountID { Identifier(high: 0xACC0, low: 1) }
  var limit: String { #"{"subject_id":"\#(account)","kind":"daily","amount":null,"currency":"NZD"}"# }

  func transfer(_ amount: Int, at address: String) async throws -> Answer {
    try await give(
      "PostTransfer",
      """
      {"debit_account_id":"\(Teller.settlement)","credit_account_id":"\(account)","amount":"\(amount)","currency":"NZD"}
      """, at: address)
  }

  func give(
    _ command: String, _ body: String, by person: Int = 0, as role: String? = nil, id: String = UUID().uuidString,
    at address: String
  ) async throws -> Answer {
    let token = role.flatMap { others[$0] } ?? staff[person]
    return try await send(.POST, "/v1/commands/\(command)", body: body, id: id, token: token, at: address)
  }

  func get(_ path: String, at address: String) async throws -> Answer { try await send(.GET, path, at: address) }

  func send(
    _ method: HTTPMethod, _ path: String, body: String? = nil, type: String = "application/json",
    id: String = UUID().uuidString, token: String? = nil, at address: String
  ) async throws -> Answer {
    let client = HTTPClient.forTests()
    var headers = [("Authorization", "Bearer \(token ?? staff[0])")]
    if body != nil { headers.append(("Content-Type", type)) }
    // A batch's commands have their ids in their lines.
    if body != nil, type == "application/json" { headers.append(("Idempotency-Key", id)) }
    let exchange = await client.exchange(
      method, address + path, headers: headers, body: body.map { Array($0.utf8) }, patience: .seconds(30))
    try await client.shutdown()
    guard case .answered(let answer) = exchange else { throw NotInTime(what: "\(method) \(path): \(exchange)") }
    return Answer(id: id.lowercased(), status: answer.status, retryAfter: answer.retryAfter, bytes: answer.body)
  }

  /// Events in the log.
  func logged() async throws -> Int64 {
    try await book.recorded.read { try $0.execute("select position from log_head").int8(0, 0) }
  }

  /// Whatever stands behind the activation was decided by the new rules and nothing before it; verified by a build that
  /// knows both, the log is sound, and the old build names where it can't go on.
  func expectRuleSets(from activation: Int) async throws {
    let wrong = try await book.recorded.read { session in
      let wrong = "count(*) filter (where rule_set <> case when position > $1 then 2 else 1 end)"
      return try session.execute("select \(wrong) from events", [.int8(Int64(activation))]).int8(0, 0)
    }
    #expect(wrong == 0)
    let pool = Pool(
      ConnectionConfiguration(conninfo: book.cluster.conninfo(user: LocalStack.serverRole)), maximumSize: 3)
    var options = LogVerification.Options()
    options.ruleSets = RuleSetTests.both
    let report = try? await LogVerification(DatabaseLog(pool: pool, keyring: nil), keyring: nil, options: options).run()
    await pool.shutdown()
    #expect(report?.differences == [])
    let tooOld = try await KauriProcess.run([
      "replay", "verify", "--database", book.cluster.conninfo(user: LocalStack.serverRole),
    ])
    #expect(tooOld.status == 1 && tooOld.output.contains("rule_set"), "\(tooOld.output)\(tooOld.errors)")
  }
}
