import Commands
import EventStore
import HTTPTypes
import Ledger
import Server
import Testing

@Suite struct ReadTests {
  static let savings = "01900000-0000-7000-8000-0000000000a1"
  static let shop = "01900000-0000-7000-8000-0000000000b1"
  static let number = "01-0902-0068389-00"

  private func withBank(_ body: @escaping @Sendable (TestBank, TestCaller) async throws -> Void) async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      try await caller.open(TestBank.alice, account: Self.savings, funds: 1_000, number: Self.number)
      try await caller.open(TestBank.bob, account: Self.shop, funds: 0)
      try await body(bank, caller)
    }
  }

  @Test func anAccountIsFoundByItsIDAndByItsNumber() async throws {
    try await withBank { bank, caller in
      for name in [Self.savings, Self.savings.uppercased(), Self.number, "01-0902-0068389-000", "01%2D0902-0068389-00"]
      {
        let answer = try await caller.get("/v1/accounts/\(name)", as: "alice")
        let json = try answer.json
        #expect(answer.status == .ok, "\(name)")
        #expect(try json["account_id"] == Self.savings)
        #expect(try json["posted"] == "1000")
        #expect(try json["available"] == "1000")
        #expect(try json["status"] == "open")
        #expect(try json["position"] == answer.headers[.logPosition])
        #expect(answer.headers[.logPosition] == "\(bank.book.log.count)")
        #expect(answer.headers[.cacheControl] == "no-store")
      }
    }
  }

  @Test func aBalanceInThePast() async throws {
    try await withBank { bank, caller in
      let before = bank.book.log.count
      try await caller.accepted("PostTransfer", TestCaller.transfer(Self.savings, Self.shop, 400), as: "alice")
      let moment = try #require(bank.book.log.dropFirst(before - 1).first?.origin.moment)
      for (query, posted) in [
        ("", "600"), ("?at=\(before)", "1000"), ("?at=\(moment)", "1000"), ("?at=\(before + 1)", "600"),
      ] {
        let answer = try await caller.get("/v1/accounts/\(Self.savings)/balance\(query)", as: "alice")
        #expect(try answer.json["posted"] == posted, "\(query)")
      }
      for query in ["?at=\(before + 50)", "?at=1999-01-01T00:00:00Z", "?at=0"] {
        let answer = try await caller.get("/v1/accounts/\(Self.savings)/balance\(query)", as: "alice")
        #expect(answer.status == .badRequest, "\(query)")
        #expect(try answer.code == "invalid_parameter")
      }
    }
  }

  @Test func everythingOfAnAccountInThePast() async throws {
    try await withBank { bank, caller in
      let before = bank.book.log.count
      try await caller.accepted(
        "SetLimit", #"{"subject_id":"\#(Self.savings)","kind":"daily","amount":"700","currency":"NZD"}"#)
      try await caller.accepted("PlaceHold", #"{"account_id":"\#(Self.savings)","amount":250,"currency":"NZD"}"#)
      try await caller.accepted("FreezeAccount", #"{"account_id":"\#(Self.savings)"}"#)
      let after = bank.book.log.count
      let account = "/v1/accounts/\(Self.savings)"
      for (at, status, limits, holds) in [(before, "open", 0, 0), (after, "frozen", 1, 1)] {
        let then = try await caller.get("\(account)?at=\(at)", as: "alice")
        #expect(try then.json["status"] == status)
        // A command can't be conditional on a version of the past.
        #expect(then.headers[.eTag] == nil)
        #expect(try await caller.get("\(account)/limits?at=\(at)", as: "alice").json.count("limits") == limits)
        #expect(try await caller.get("\(account)/holds?at=\(at)", as: "alice").json.count("holds") == holds)
      }
      #expect(try await caller.get(account, as: "alice").headers[.eTag] != nil)
      let accounts = try await caller.get("/v1/customers/\(TestBank.alice)/accounts?at=\(before)", as: "alice").json
      #expect(try accounts["accounts/0/status"] == "open")
      #expect(try await caller.get("/v1/customers/\(TestBank.alice)?at=\(before)", as: "alice").status == .ok)
    }
  }

  static let pastPaths = [
    "/v1/accounts/\(savings)", "/v1/accounts/\(savings)/balance", "/v1/accounts/\(savings)/entries",
    "/v1/accounts/\(savings)/limits", "/v1/accounts/\(savings)/holds", "/v1/customers/\(TestBank.alice)",
    "/v1/customers/\(TestBank.alice)/accounts",
  ]

  @Test(arguments: pastPaths)
  func aPointOfTimeThatIsNone(path: String) async throws {
    try await withBank { bank, caller in
      for at in ["yesterday", "-1", "1.5", "2026-02-30T00:00:00Z", "2026-01-01", "99999999999999999999", ""] {
        let answer = try await caller.get("\(path)?at=\(at)", as: "alice")
        #expect(answer.status == .badRequest, "\(at)")
        #expect(try answer.code == "invalid_parameter")
        #expect(try answer.json["detail"]?.hasPrefix("at ") == true, "\(at)")
      }
      // Nobody else learns anything of the past either.
      #expect(try await caller.get("\(path)?at=\(bank.book.log.count)", as: "bob").status == .forbidden)
    }
  }

  @Test func anAccountBeforeItsOpening() async throws {
    try await withBank { _, caller in
      let account = "/v1/accounts/\(Self.savings)"
      for path in [account, "\(account)/balance", "\(account)/limits", "\(account)/holds"] {
        let answer = try await caller.get("\(path)?at=1", as: "alice")
        #expect(answer.status == .notFound)
        #expect(try answer.json["detail"]?.contains("wasn't there yet") == true)
        // Who may not see it doesn't learn when it came.
        #expect(try await caller.get("\(path)?at=1", as: "bob").status == .forbidden)
      }
    }
  }

  @Test func aStatementHasRunningBalances() async throws {
    try await withBank { _, caller in
      try await caller.accepted(
        "PostTransfer", TestCaller.transfer(Self.savings, Self.shop, 400, reference: "Rent"), as: "alice")
      let path = "/v1/accounts/\(Self.savings)/entries"
      let newest = try await caller.get(path + "?limit=1", as: "alice").json
      #expect(try newest.count("entries") == 1)
      #expect(try newest["next_cursor"] == "next")
      #expect(try newest["entries/0/direction"] == "debit")
      #expect(try newest["entries/0/amount"] == "400")
      #expect(try newest["entries/0/balance"] == "600")
      #expect(try newest["entries/0/reference"] == "Rent")
      #expect(try newest["entries/0/counterparty_account_id"] == Self.shop)
      let oldest = try await caller.get(path + "?order=oldest_first", as: "alice").json
      #expect(try oldest.count("entries") == 2)
      #expect(try oldest["entries/0/balance"] == "1000")
      #expect(try oldest["next_cursor"] == nil)
      let cursor = try await caller.get(path + "?cursor=abc", as: "alice")
      #expect(try cursor.code == "invalid_parameter")
    }
  }

  @Test func limitsAndHoldsOfAnAccount() async throws {
    try await withBank { _, caller in
      try await caller.accepted(
        "SetLimit", #"{"subject_id":"\#(Self.number)","kind":"daily","amount":"700","currency":"NZD"}"#)
      let limits = try await caller.get("/v1/accounts/\(Self.savings)/limits", as: "alice").json
      #expect(try limits["limits/0/kind"] == "daily")
      #expect(try limits["limits/0/limit"] == "700")
      let hold = TestCaller.newID()
      let placed = try await caller.give(
        "PlaceHold", #"{"account_id":"\#(Self.savings)","amount":250,"currency":"NZD"}"#, key: hold)
      #expect(placed.status == .created)
      let holds = try await caller.get("/v1/accounts/\(Self.savings)/holds", as: "alice").json
      #expect(try holds["holds/0/hold_id"] == hold)
      #expect(try holds["holds/0/amount"] == "250")
      #expect(try await caller.get("/v1/accounts/\(Self.savings)/balance", as: "alice").json["available"] == "750")
    }
  }

  @Test func aCustomerWithItsScores() async throws {
    try await withBank { _, caller in
      try await caller.accepted(
        "RecordFraudScore",
        #"{"subject_id":"\#(TestBank.alice)","score":120,"model":"m-1","scored_at":"2026-01-01T00:00:00Z"}"#,
        as: "service")
      let own = try await caller.get("/v1/customers/\(TestBank.alice)", as: "alice").json
      #expect(try own["scores"] == "{}")
      let json = try await caller.get("/v1/customers/\(TestBank.alice)").json
      #expect(try json["status"] == "verified")
      #expect(try json["scores/fraud/score"] == "120")
      #expect(try Int(json["scores/fraud/age_seconds"] ?? "") ?? 0 > 0)
      #expect(try json["accounts/0"] == Self.savings)
      let accounts = try await caller.get("/v1/customers/\(TestBank.alice)/accounts", as: "alice").json
      #expect(try accounts["accounts/0/number"] == Self.number)
    }
  }

  @Test func theAccountsOfACustomerByPages() async throws {
    try await withBank { bank, caller in
      var opened = [Self.savings]
      for _ in 0..<4 {
        opened.append(TestCaller.newID())
        try await caller.open(TestBank.alice, account: opened[opened.count - 1], funds: 0)
      }
      let path = "/v1/customers/\(TestBank.alice)/accounts"
      let before = bank.book.log.count - 1
      for (query, expected) in [("limit=2", opened), ("limit=2&at=\(before)", opened.dropLast()), ("limit=5", opened)] {
        let (pages, found) = try await Self.pages(of: "accounts", "account_id", "\(path)?\(query)", caller)
        #expect(found == expected, "\(query)")
        #expect(pages == (query == "limit=5" ? 1 : (expected.count + 1) / 2), "\(query)")
      }
      #expect(try await caller.get(path, as: "alice").json.count("accounts") == 5)
      let cursor = try await caller.get("\(path)?cursor=\(TestCaller.newID())")
      #expect(try cursor.code == "invalid_parameter")
    }
  }

  /// Every page of a list, one after the other.
  private static func pages(
    of list: String, _ name: String, _ path: String, _ caller: TestCaller
  ) async throws -> (pages: Int, found: [String]) {
    var (pages, found, cursor) = (0, [String](), "")
    while true {
      let page = try await caller.get(path + cursor).json
      pages += 1
      for index in 0..<(try page.count(list)) { found.append(try #require(try page["\(list)/\(index)/\(name)"])) }
      guard let next = try page["next_cursor"] else { return (pages, found) }
      cursor = "&cursor=\(next)"
    }
  }

  @Test func aTransferWithItsHistory() async throws {
    try await withBank { _, caller in
      let key = TestCaller.newID()
      _ = try await caller.give("PostTransfer", TestCaller.transfer(Self.savings, Self.shop, 10), as: "alice", key: key)
      try await caller.accepted("ReverseTransfer", #"{"transfer_id":"\#(key)","reason":"oops"}"#)
      let json = try await caller.get("/v1/transfers/\(key)", as: "bob").json
      #expect(try json["status"] == "reversed")
      #expect(try json.count("history") == 2)
      #expect(try json["history/1/type"] == "TransferReversed")
      #expect(try json["amount"] == "10")
    }
  }

  @Test func sanctionsListsAndTheirEntries() async throws {
    try await withBank { _, caller in
      try await caller.accepted("ImportSanctionsList", try #require(CommandExamples.bodies["ImportSanctionsList"]))
      let lists = try await caller.get("/v1/sanctions/lists").json
      #expect(try lists["lists/0/list"] == "dfat")
      #expect(try lists["lists/0/entries"] == "1")
      let entries = try await caller.get("/v1/sanctions/entries/1?list=dfat").json
      #expect(try entries["entries/0/entry/name"] == "N")
      for path in ["/v1/sanctions/entries/2", "/v1/sanctions/entries/1?list=ofac"] {
        let answer = try await caller.get(path)
        #expect(answer.status == .notFound)
      }
    }
  }

  @Test func sanctionsListsByPages() async throws {
    try await withBank { _, caller in
      for list in ["un", "dfat", "ofac"] {
        try await caller.accepted("ImportSanctionsList", #"{"list":"\#(list)","version":1,"entries":[]}"#)
      }
      let (pages, found) = try await Self.pages(of: "lists", "list", "/v1/sanctions/lists?limit=2", caller)
      #expect(found == ["dfat", "ofac", "un"])
      #expect(pages == 2)
      #expect(try await caller.get("/v1/sanctions/lists").json.count("lists") == 3)
    }
  }

  /// Not to be there is an answer too, and as of a position.
  @Test func whatIsntThereIsntThereAsOfAPosition() async throws {
    try await withBank { bank, caller in
      let head = "\(bank.book.log.count)"
      let id = TestCaller.newID()
      for path in [
        "/v1/accounts/\(id)", "/v1/accounts/\(id)/balance", "/v1/accounts/\(id)/entries", "/v1/accounts/\(id)/limits",
        "/v1/accounts/\(id)/holds", "/v1/customers/\(id)", "/v1/customers/\(id)/accounts", "/v1/transfers/\(id)",
        "/v1/commands/\(id)", "/v1/sanctions/entries/\(id)",
      ] {
        let answer = try await caller.get(path, as: "service")
        #expect(answer.status == .notFound, "\(path)")
        #expect(answer.headers[.logPosition] == head, "\(path)")
        #expect(try answer.json["position"] == head, "\(path)")
      }
      // Of what wasn't there yet: the position that it came with.
      let opening = bank.book.log.first { $0.origin.stream.id.description == Self.savings }
      let early = try await caller.get("/v1/accounts/\(Self.savings)?at=1", as: "service")
      #expect(early.status == .notFound)
      #expect(early.headers[.logPosition] == "\(try #require(opening).origin.position)")
    }
  }

  @Test func waitingForAPositionThatDoesntCome() async throws {
    try await withBank { bank, caller in
      let reached = bank.book.log.count
      let now = try await caller.get("/v1/accounts/\(Self.savings)?at_least=\(reached)", as: "alice")
      #expect(now.status == .ok)
      let later = try await caller.get("/v1/accounts/\(Self.savings)?at_least=\(reached + 1)", as: "alice")
      #expect(later.status == .conflict)
      #expect(try later.code == "position_not_reached")
      #expect(later.headers[.retryAfter] != nil)
      #expect(try later.json["position"] == "\(reached)")
    }
  }

  @Test func aDatabaseThatIsAway() async throws {
    try await withBank { bank, caller in
      bank.book.fail(with: .databaseUnavailable("gone"))
      for path in ["/v1/accounts/\(Self.savings)", "/v1/sanctions/lists", "/v1/events", "/v1/approvals"] {
        let answer = try await caller.get(path)
        #expect(answer.status == .serviceUnavailable, "\(path)")
        #expect(try answer.code == "database_unavailable")
        #expect(answer.headers[.retryAfter] == "1")
      }
    }
  }

  @Test func headIsGetWithoutContent() async throws {
    try await withBank { bank, caller in
      let get = try await caller.get("/v1/accounts/\(Self.savings)", as: "alice")
      let head = try await caller.send(.head, "/v1/accounts/\(Self.savings)", as: "alice")
      #expect(head.status == .ok)
      #expect(head.text.isEmpty)
      #expect(head.headers[.eTag] == get.headers[.eTag])
      #expect(head.headers[.contentLength] == get.headers[.contentLength])
    }
  }

  @Test func theLogByPages() async throws {
    try await withBank { bank, caller in
      var after = "0"
      var positions: [String] = []
      while true {
        let page = try await caller.get("/v1/events?after=\(after)&limit=3").json
        let count = try page.count("events")
        if count == 0 { break }
        for index in 0..<count { positions.append(try #require(try page["events/\(index)/position"])) }
        after = try #require(try page["next_after"])
      }
      #expect(positions == (1...bank.book.log.count).map(String.init))
      let opened = try await caller.get("/v1/events?type=AccountOpened,BookOpened").json
      #expect(try opened.count("events") == 4)
      #expect(try opened["next_after"] == "\(bank.book.log.count)")
      let stream = try await caller.get("/v1/events?stream=customer/\(TestBank.alice)").json
      #expect(try stream.count("events") == 2)
      #expect(try stream["events/1/type"] == "CustomerVerified")
      #expect(try stream["events/1/stream_version"] == "2")
      let neither = try await caller.get("/v1/events", headers: [.accept: "text/html"])
      #expect(neither.status == .notAcceptable)
    }
  }

  /// A stream takes no limit, which tells here what was chosen.
  @Test(arguments: [
    ("*/*", "page"), ("", "page"), (" , ", "page"), ("application/json", "page"), ("application/*;q=0.1", "page"),
    ("Application/JSON; charset=utf-8", "page"), ("text/event-stream;q=0, */*", "page"),
    ("text/event-stream;q=0.5, application/json", "page"), ("text/html, */*;q=0.001", "page"),
    ("text/event-stream;q=0.000,application/json;q=0.01", "page"), ("text/event-stream", "stream"),
    ("TEXT/Event-Stream", "stream"), ("text/*", "stream"), ("text/event-stream, application/json", "stream"),
    ("application/json, text/event-stream", "stream"), ("*/*, text/event-stream", "stream"),
    ("application/json;q=0.5, text/event-stream;q=0.51", "stream"), ("text/html", "neither"),
    ("text/event-stream;q=0", "neither"), ("*/*;q=0", "neither"), ("application/json-seq", "neither"),
    ("text/event-streams", "neither"), ("x", "neither"),
  ])
  func theLogComesAsTheClientTakesIt(accept: String, form: String) async throws {
    try await withBank { _, caller in
      let answer = try await caller.get("/v1/events?limit=1", headers: [.accept: accept])
      switch form {
      case "page":
        #expect(answer.status == .ok)
        #expect(answer.headers[.contentType] == "application/json")
      case "stream":
        #expect(answer.status == .badRequest)
        #expect(try answer.json["detail"]?.hasPrefix("limit ") == true)
      default: #expect(try answer.code == "not_acceptable")
      }
    }
  }

  @Test func theLogIsReadOnFromTheLastEventSeen() async throws {
    try await withBank { bank, caller in
      for (seen, after) in [("3", 3), ("1:4", 4), ("0", 0)] {
        let page = try await caller.get("/v1/events?after=1&limit=1", headers: [.lastEventID: seen]).json
        #expect(try page["events/0/position"] == "\(after + 1)")
      }
      for seen in ["", "x", "-1", "1:", "0:1", "1:2:3", "9223372036854775808"] {
        for accept in ["application/json", "text/event-stream"] {
          let answer = try await caller.get("/v1/events", headers: [.lastEventID: seen, .accept: accept])
          #expect(answer.status == .badRequest, "\(seen)")
          #expect(try answer.code == "invalid_header", "\(seen)")
        }
      }
      // A stream waits for a position as a page does.
      let late = try await caller.get(
        "/v1/events?at_least=\(bank.book.log.count + 1)", headers: [.accept: "text/event-stream"])
      #expect(late.status == .conflict)
      #expect(try late.code == "position_not_reached")
    }
  }
}
