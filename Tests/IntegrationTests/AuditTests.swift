import AsyncHTTPClient
import Crypto
import Foundation
import Ledger
import LocalStack
import NIOCore
import NIOHTTP1
import Postgres
import Testing

/// The audit's endpoints and receipts end to end, checked by code that shares nothing with the server's: the leaf is
/// Postgres' own SHA-256 over the row, and proofs are walked as RFC 9162 says.
@Suite(.serialized) struct AuditTests {
  @Test func proofsLeadFromTheRowsToWhatWasSigned() async throws {
    try await AuditBank.run { bank in
      try await bank.giveTransfers(330)
      let early = try await bank.checkpoint(as: "auditor")
      try await bank.giveTransfers(40)
      let late = try await bank.checkpoint(as: "service")
      let leaves = try await bank.leaves()
      #expect(early.size >= 330 && late.size == leaves.count, "asked for, it holds all there is")
      #expect(early.origin == late.origin && early.origin.hasSuffix("/1"))

      for position in [1, 2, 255, 256, 257, early.size, late.size]
        + (0..<20).map({ _ in Int.random(in: 1...late.size) })
      {
        for checkpoint in [early, late] where position <= checkpoint.size {
          let answer = try await bank.inclusion(position, checkpoint.size)
          #expect(answer.position == position && answer.tree_size == checkpoint.size)
          #expect(answer.root == checkpoint.root && answer.leaf_hash == leaves[position - 1])
          #expect(
            WalkedProof.root(of: answer.leaf_hash, at: position - 1, size: checkpoint.size, answer.proof) == answer.root
          )
        }
      }
      // Without a size, the whole log.
      #expect(try await bank.inclusion(3, nil).tree_size == late.size)

      let consistency = try await bank.consistency(early.size, late.size)
      #expect(consistency.root1 == early.root && consistency.root2 == late.root)
      let roots = WalkedProof.roots(size1: early.size, size2: late.size, root1: early.root, consistency.proof)
      #expect(roots?.0 == early.root && roots?.1 == late.root)
      let none = try await bank.consistency(0, late.size)
      #expect(none.proof.isEmpty && none.root2 == late.root && none.root1 == Data(SHA256.hash(data: Data())))
      #expect(try await bank.consistency(late.size, late.size).proof.isEmpty)
    }
  }

  @Test func whatCannotBeProvedIsAProblem() async throws {
    try await AuditBank.run { bank in
      let size = try await bank.checkpoint(as: "operator").size
      let cases: [(path: String, status: Int, code: String)] = [
        ("inclusion?position=\(size + 1)", 409, "position_not_reached"),
        ("inclusion?position=1&size=\(size + 1)", 409, "position_not_reached"),
        ("inclusion?position=2&size=1", 400, "invalid_parameter"), ("inclusion?position=0", 400, "invalid_parameter"),
        ("inclusion?position=9223372036854775807", 409, "position_not_reached"),
        ("inclusion?position=9223372036854775808", 400, "invalid_parameter"), ("inclusion", 400, "invalid_parameter"),
        ("inclusion?position=1&size=0", 400, "invalid_parameter"),
        ("consistency?from=1", 400, "invalid_parameter"), ("consistency?from=2&to=1", 400, "invalid_parameter"),
        ("consistency?from=-1&to=1", 400, "invalid_parameter"),
        ("consistency?from=1&to=\(size + 1)", 409, "position_not_reached"),
        ("checkpoint?size=1", 400, "invalid_parameter"),
      ]
      for (path, status, code) in cases {
        let answer = try await bank.get(path, as: "auditor")
        #expect(
          answer.status == status && String(decoding: answer.body, as: UTF8.self).contains("\"\(code)\""), "\(path)")
      }
      for path in ["checkpoint", "inclusion?position=1", "consistency?from=1&to=1"] {
        #expect(try await bank.get(path, as: "customer").status == 403)
      }
    }
  }

  /// At least every second while there is news, unasked.
  @Test func newsAreSignedUnasked() async throws {
    try await AuditBank.run { bank in
      let position = try await bank.giveTransfers(1)
      try await eventually("the newest event is signed", within: .seconds(5)) {
        try await bank.recorded.read { session in
          try session.execute("select from checkpoints where size >= $1", [.int8(Int64(position))]).count > 0
        }
      }
      // Nothing new, nothing signed: what was signed stays as it is while nobody writes.
      let before = try await bank.recorded.read { try $0.execute("select count(*) from checkpoints").int8(0, 0) }
      _ = try await bank.checkpoint(as: "auditor")
      let after = try await bank.recorded.read { try $0.execute("select count(*) from checkpoints").int8(0, 0) }
      #expect(before == after)
      try await bank.recorded.expectSound()
    }
  }
}

/// A running stack with an account to transfer from, asked as an auditor would.
struct AuditBank: Sendable {
  struct Note {
    let origin: String
    let size: Int
    let root: Data
  }

  struct Inclusion: Decodable {
    let position: Int
    let tree_size: Int
    let leaf_hash: Data
    let root: Data
    let proof: [Data]
  }

  struct Consistency: Decodable {
    let size1: Int
    let size2: Int
    let root1: Data
    let root2: Data
    let proof: [Data]
  }

  let stack: RunningStack
  let address: String
  let recorded: RecordedBook
  private let tokens: [String: String]

  static let accounts = ["01900000-0000-7000-8000-00000000aa01", "01900000-0000-7000-8000-00000000aa02"]

  static func run(_ body: (AuditBank) async throws -> Void) async throws {
    let stack = try await KauriProcess.dev()
    do {
      let record = try stack.record()
      var tokens = ["customer": try await stack.customerToken("01900000-0000-7000-8000-00000000cc01")]
      for name in ["operator", "auditor", "service"] { tokens[name] = try stack.token(name) }
      let bank = AuditBank(
        stack: stack, address: record.http, recorded: RecordedBook(conninfo: record.postgres), tokens: tokens)
      for account in accounts {
        let answer = try await bank.give(
          "OpenAccount", #"{"account_id":"\#(account)","kind":"internal","currency":"NZD","allow_negative":true}"#)
        try #require(answer.status == 201, "\(String(decoding: answer.body, as: UTF8.self))")
      }
      try await body(bank)
    } catch {
      try await stack.destroy()
      throw error
    }
    try await stack.destroy()
  }

  func transfer(_ amount: Int = 1) -> String {
    let (debit, credit) = (Self.accounts[0], Self.accounts[1])
    return #"{"debit_account_id":"\#(debit)","credit_account_id":"\#(credit)","amount":"\#(amount)","currency":"NZD"}"#
  }

  func give(
    _ command: String, _ body: String, headers: [(String, String)] = []
  ) async throws -> Exchange.Answer {
    try await send(
      .POST, "/v1/commands/\(command)", as: "operator",
      headers: [("Idempotency-Key", UUID().uuidString), ("Content-Type", "application/json")] + headers, body)
  }

  /// - Returns: the position of the last.
  @discardableResult
  func giveTransfers(_ count: Int) async throws -> Int {
    let lines = (0..<count).map { number in
      #"{"command":"PostTransfer","id":"\#(UUID().uuidString)","data":\#(transfer(number + 1))}"#
    }
    let answer = try await send(
      .POST, "/v1/commands", as: "operator", headers: [("Content-Type", "application/x-ndjson")],
      lines.joined(separator: "\n"))
    try #require(answer.status == 200)
    let outcomes = answer.body.split(separator: UInt8(ascii: "\n")).compactMap { CommandAnswer.read($0)?.given }
    #expect(outcomes.count == count && outcomes.allSatisfy { $0.outcome == "accepted" })
    return Int(outcomes.last?.position ?? 0)
  }

  func get(_ path: String, as who: String) async throws -> Exchange.Answer {
    try await send(.GET, "/v1/audit/\(path)", as: who)
  }

  private func send(
    _ method: HTTPMethod, _ path: String, as who: String, headers: [(String, String)] = [], _ body: String? = nil
  ) async throws -> Exchange.Answer {
    let client = HTTPClient.forTests()
    let exchange = await client.exchange(
      method, address + path, headers: [("Authorization", "Bearer \(tokens[who] ?? "")")] + headers,
      body: body.map { Array($0.utf8) }, patience: .seconds(30))
    try await client.shutdown()
    guard case .answered(let answer) = exchange else { throw NotInTime(what: "\(method) \(path): \(exchange)") }
    return answer
  }

  /// The newest checkpoint, its signature verified by the key beside `dev.json`.
  func checkpoint(as who: String) async throws -> Note {
    let answer = try await get("checkpoint", as: who)
    try #require(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
    return try Self.open(
      String(decoding: answer.body, as: UTF8.self), Files.read("\(stack.directory)/checkpoint.pub") ?? "")
  }

  static func open(_ note: String, _ key: String) throws -> Note {
    let lines = note.components(separatedBy: "\n")
    try #require(lines.count == 6 && lines[3].isEmpty && lines[5].isEmpty, "\(note)")
    let encoded = try #require(key.split(whereSeparator: \.isWhitespace).last)
    let publicKey = try #require(Data(base64Encoded: String(encoded)))
    let signature = lines[4].components(separatedBy: " ")
    try #require(signature.count == 3 && signature[0] == "\u{2014}" && signature[1] == lines[0])
    let bytes = try #require(Data(base64Encoded: signature[2]))
    #expect(bytes.prefix(4) == Data(SHA256.hash(data: Data(lines[0].utf8) + [10, 1] + publicKey).prefix(4)))
    let text = Data((lines[0...2].joined(separator: "\n") + "\n").utf8)
    #expect(
      try Curve25519.Signing.PublicKey(rawRepresentation: publicKey).isValidSignature(bytes.dropFirst(4), for: text))
    return Note(
      origin: lines[0], size: try #require(Int(lines[1])), root: try #require(Data(base64Encoded: lines[2])))
  }

  func inclusion(_ position: Int, _ size: Int?) async throws -> Inclusion {
    let answer = try await get("inclusion?position=\(position)" + (size.map { "&size=\($0)" } ?? ""), as: "auditor")
    return try JSONDecoder().decode(Inclusion.self, from: Data(answer.body))
  }

  func consistency(_ from: Int, _ to: Int) async throws -> Consistency {
    let answer = try await get("consistency?from=\(from)&to=\(to)", as: "auditor")
    return try JSONDecoder().decode(Consistency.self, from: Data(answer.body))
  }

  /// Every row's leaf, by Postgres.
  func leaves() async throws -> [Data] {
    try await recorded.read { session in
      let rows = try session.execute("select \(SealAudit.leafSQL) from events e order by position")
      return try (0..<rows.count).map { Data(try rows.bytes($0, 0)) }
    }
  }
}

/// RFC 9162's two algorithms, written from its text.
enum WalkedProof {
  private static func node(_ left: Data, _ right: Data) -> Data { Data(SHA256.hash(data: Data([1]) + left + right)) }

  /// Section 2.1.3.2: the root that an inclusion proof leads to; nil where it has another length than it must.
  static func root(of leaf: Data, at index: Int, size: Int, _ proof: [Data]) -> Data? {
    var (fn, sn, r) = (index, size - 1, leaf)
    for p in proof {
      if sn == 0 { return nil }
      if fn % 2 == 1 || fn == sn {
        r = node(p, r)
        while fn % 2 == 0, fn != 0 { (fn, sn) = (fn / 2, sn / 2) }
      } else {
        r = node(r, p)
      }
      (fn, sn) = (fn / 2, sn / 2)
    }
    return sn == 0 ? r : nil
  }

  /// Section 2.1.4.2: the two roots that a consistency proof leads to.
  static func roots(size1: Int, size2: Int, root1: Data, _ proof: [Data]) -> (Data, Data)? {
    var path = proof[...]
    if size1.nonzeroBitCount == 1 { path = [root1] + path }
    guard let first = path.popFirst() else { return nil }
    var (fn, sn, fr, sr) = (size1 - 1, size2 - 1, first, first)
    while fn % 2 == 1 { (fn, sn) = (fn / 2, sn / 2) }
    for c in path {
      if sn == 0 { return nil }
      if fn % 2 == 1 || fn == sn {
        (fr, sr) = (node(c, fr), node(c, sr))
        while fn % 2 == 0, fn != 0 { (fn, sn) = (fn / 2, sn / 2) }
      } else {
        sr = node(sr, c)
      }
      (fn, sn) = (fn / 2, sn / 2)
    }
    return sn == 0 ? (fr, sr) : nil
  }
}
