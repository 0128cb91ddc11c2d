import FoundationEssentials
import LocalStack
import Testing

/// The README's commands, run as they stand there.
@Suite struct ReadmeTests {
  private static let readme = Repository.path + "/README.md"

  /// The commands that stand between backticks somewhere in the page and begin with these words.
  private static func inline(_ beginning: String, of page: String) -> String? {
    page.split(separator: "`", omittingEmptySubsequences: false).first { $0.hasPrefix(beginning) }.map(String.init)
  }

  /// What each answer in the output says, heads included.
  private static func answers(_ output: String) -> [String] {
    output.split(separator: "HTTP/1.1 ").map(String.init)
  }

  /// Types a script with the head of every answer shown.
  private static func type(_ script: String, in directory: String) async throws -> String {
    try await Walkthrough.type(script, in: directory, heads: true)
  }

  @Test func theFirstTransfer() async throws {
    let page = try #require(Files.read(Self.readme))
    let blocks = Walkthrough.blocks(of: page)
    try #require(blocks.count == 2)
    try await Walkthrough.withStack { directory, _ in
      // As the reader sees it, with nothing added.
      let first = Self.answers(try await Walkthrough.type(blocks[0], in: directory))
      try #require(first.count == 7)
      for answer in first[..<5] {
        #expect(answer.hasPrefix("201 "))
        #expect(answer.contains(#""outcome":"accepted""#))
        #expect(!answer.lowercased().contains("idempotency-replayed"))
      }
      #expect(first[4].contains(#""type":"TransferPosted""#))
      #expect(first[5].hasPrefix("200 "))
      #expect(first[5].contains(#""currency":"NZD","posted":"10000","held":"0","available":"10000""#))
      #expect(first[6].hasPrefix("200 "))
      #expect(first[6].contains(#""outcome":"accepted""#) && first[6].contains(#""amount":"10000""#))

      // The second time every answer is the first one again, and no money moves.
      let second = Self.answers(try await Walkthrough.type(blocks[0], in: directory))
      try #require(second.count == 7)
      for (answer, before) in zip(second[..<5], first[..<5]) {
        #expect(answer.hasPrefix("201 "))
        #expect(answer.lowercased().contains("idempotency-replayed: true"))
        #expect(Self.content(answer) == Self.content(before))
      }
      for read in second[5...] { #expect(!read.lowercased().contains("idempotency-replayed")) }
      #expect(second[5].contains(#""posted":"10000","held":"0","available":"10000""#))
      #expect(Self.content(second[6]) == Self.content(first[6]))

      // The second block goes on in the same shell.
      let whole = Self.answers(try await Walkthrough.type(blocks.joined(separator: "\n"), in: directory))
      let decline = try #require(whole.last)
      #expect(decline.hasPrefix("422 "))
      #expect(decline.contains(#""code":"insufficient_funds","#))
      #expect(decline.contains(#""available":"10000","amount":"10001""#))
      for check in ["unknown_account", "sanctions_match", "fraud_score_stale", "limit_daily", "insufficient_funds"] {
        #expect(decline.contains(#"{"code":"\#(check)","passed":\#(check != "insufficient_funds")"#), "\(check)")
      }
    }
  }

  @Test func whatIsRunning() async throws {
    let page = try #require(Files.read(Self.readme))
    let psql = try #require(Self.inline("psql -d", of: page))
    let select = try #require(Self.inline("select ", of: page))
    let mint = try #require(Self.inline(".build/release/kauri token ", of: page))
    try await Walkthrough.withStack { directory, stack in
      let blocks = Walkthrough.blocks(of: page)
      _ = try await Self.type(blocks.joined(separator: "\n"), in: directory)

      let log = try await Self.type("\(psql) -c '\(select)'", in: directory)
      #expect(log.contains("TransferPosted") && log.contains("TransferDeclined") && log.contains("rows)"))
      #expect(log.split(separator: "\n").allSatisfy { $0.count <= 120 }, "\(log)")

      let customer = "01990000-0000-7000-8000-0000000000c1"
      // What nobody could use isn't minted.
      let unusable = try await KauriProcess.run(["token", "--role", "customer", "--subject", "CUSTOMER-ID"])
      #expect(unusable.status == 2 && unusable.output.isEmpty && unusable.errors.contains("UUID"))
      let token = try await Self.type(mint.replacing("CUSTOMER-ID", with: customer), in: directory)
      func status(_ path: String) async throws -> String {
        let read = #"curl -sS -H "Authorization: Bearer \#(token.trimmed)" \#(try stack.record().http)\#(path)"#
        return String(try #require(Self.answers(try await Self.type(read, in: directory)).last).prefix(3))
      }
      #expect(try await status("/v1/accounts/01990000-0000-7000-8000-0000000000a1/balance") == "200")
      #expect(try await status("/v1/accounts/01990000-0000-7000-8000-0000000000a0/balance") == "403")
      for path in ["/openapi.json", "/metrics", "/livez", "/readyz"] { #expect(try await status(path) == "200") }
      for (name, file) in try stack.record().tokens { #expect(Files.exists(file), "\(name)") }
    }
  }

  @Test func manyCommandsAtOnce() async throws {
    let page = try #require(Files.read(Self.readme))
    let lines = page.split(separator: "\n").map(String.init)
    let submit = try #require(lines.first { $0.hasPrefix(".build/release/kauri submit") })
    try await Walkthrough.withStack { directory, _ in
      let line =
        #"{"command":"RegisterCustomer","id":"01990000-0000-7000-8000-000000000009","data":{"customer_id":"#
        + #""01990000-0000-7000-8000-0000000000c9","name":"Rewi Hall"}}"#
      try Files.write(line + "\n", to: "\(directory)/FILE.ndjson", mode: 0o600)
      let outcome = try await Program("bash").run(["-euc", "cd '\(directory)'; \(submit)"])
      #expect(outcome.exitStatus == 0, "\(outcome.errors)")
      #expect(outcome.output.split(whereSeparator: \.isWhitespace).suffix(2) == ["accepted", "1"], "\(outcome.output)")
    }
  }

  /// Every page that a page of the documentation points to is there.
  @Test func linksLeadSomewhere() throws {
    let folders = ["", "/docs", "/docs/decisions"].map { Repository.path + $0 }
    for folder in folders {
      for name in try Files.entries(of: folder) where name.hasSuffix(".md") {
        let page = try #require(Files.read("\(folder)/\(name)"))
        for part in page.split(separator: "](", omittingEmptySubsequences: false).dropFirst() {
          let target = part.prefix { $0 != ")" && $0 != "#" }
          if target.isEmpty || target.contains("://") { continue }
          #expect(Files.exists("\(folder)/\(target)"), "\(name) points to \(target)")
        }
      }
    }
  }

  private static func content(_ answer: String) -> Substring {
    answer.firstIndex(of: "{").map { answer[$0...] } ?? ""
  }
}
