import Commands
import HTTPTypes
import Ledger
import Server
import Testing

/// What a server does to connections: bounds, slow clients, followers, and its own end.
@Suite(.timeLimit(.minutes(1))) struct ConnectionTests {
  private static func head(_ method: String, _ path: String, _ bank: TestBank, as who: String, _ fields: String = "")
    throws -> String
  {
    let token = try #require(bank.tokens[who])
    return "\(method) \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n\(fields)\r\n"
  }

  private static func command(_ bank: TestBank, _ name: String, _ body: String, as who: String = "operator") throws
    -> String
  {
    try head(
      "POST", "/v1/commands/\(name)", bank, as: who,
      "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\nIdempotency-Key: \(TestCaller.newID())\r\n"
    ) + body
  }

  private static func eventually(_ isSo: @Sendable () async -> Bool) async throws {
    while await !isSo() { try await Task.sleep(for: .milliseconds(2)) }
  }

  // MARK: Followers

  @Test func theLogIsFollowedLiveAndTakenUpAgain() async throws {
    let bank = try await TestBank()
    try await LiveServer.run(bank) { server in
      try await server.talk { talk in
        try await talk.say(Self.head("GET", "/v1/events", bank, as: "auditor", "Accept: text/event-stream\r\n"))
        try await talk.listen { $0.contains("id: 1\nevent: BookOpened\ndata: {\"position\":1,") }
        #expect(talk.heard.contains("text/event-stream"))
        #expect(talk.heard.lowercased().contains("log-position: 1\r\n"))
        #expect(bank.parts.feed.followers == 1)
        try await server.talk { other in
          let body = #"{"customer_id":"\#(TestBank.alice)","name":"Secret Name"}"#
          try await other.say(Self.command(bank, "RegisterCustomer", body))
          try await other.listen { $0.contains("CustomerRegistered") }
        }
        try await talk.listen { $0.contains("id: 2\nevent: CustomerRegistered\n") }
        #expect(!talk.heard.contains("Secret Name"))
        // While nothing happens, the connection is kept alive.
        try await talk.listen { $0.contains(": still here\n\n") }
      }
      try await Self.eventually { bank.parts.feed.followers == 0 }
      try await server.talk { talk in
        try await talk.say(
          Self.head("GET", "/v1/events", bank, as: "auditor", "Accept: text/event-stream\r\nLast-Event-ID: 1\r\n"))
        try await talk.listen { $0.contains("id: 2\n") }
        #expect(!talk.heard.contains("id: 1\n"))
      }
    }
  }

  @Test func followersAreBoundedAndEndWithTheServer() async throws {
    var limits = ServerLimits()
    limits.followers = 1
    let bank = try await TestBank(limits: limits)
    let ended = Tally()
    try await LiveServer.run(bank) { server in
      try await server.talk { talk in
        try await talk.say(Self.head("GET", "/v1/events", bank, as: "auditor", "Accept: text/event-stream\r\n"))
        try await talk.listen { $0.contains("id: 1\n") }
        try await server.talk { other in
          try await other.say(Self.head("GET", "/v1/events", bank, as: "auditor", "Accept: text/event-stream\r\n"))
          let answer = try await other.listen { $0.contains("overloaded") }
          #expect(answer.hasPrefix("HTTP/1.1 503"))
          #expect(answer.lowercased().contains("retry-after: 1"))
        }
        await server.stop()
        _ = try await talk.listenToTheEnd()
        #expect(talk.heard.hasSuffix("0\r\n\r\n"))
        ended.add("yes")
      }
    }
    #expect(ended[""] == ["yes"])
  }

  /// However many one client opens, others get theirs; what has ended counts no more.
  @Test func streamsOfOneCallerAreBounded() async throws {
    var limits = ServerLimits()
    limits.followers = 4
    limits.followersPerCaller = 2
    let bank = try await TestBank(limits: limits)
    try await LiveServer.run(bank) { server in
      let stream = "Accept: text/event-stream\r\n"
      try await server.talk { first in
        try await first.say(Self.head("GET", "/v1/events", bank, as: "auditor", stream))
        try await first.listen { $0.contains("id: 1\n") }
        try await server.talk { second in
          try await second.say(Self.head("GET", "/v1/events", bank, as: "auditor", stream))
          try await second.listen { $0.contains("id: 1\n") }
          try await server.talk { third in
            try await third.say(Self.head("GET", "/v1/events", bank, as: "auditor", stream))
            let answer = try await third.listen { $0.contains("}") || $0.contains("id: 1\n") }
            #expect(answer.hasPrefix("HTTP/1.1 429"))
            #expect(answer.contains("application/problem+json") && answer.contains("too_many_requests"))
            #expect(answer.lowercased().contains("retry-after: 1"))
          }
          try await server.talk { other in
            try await other.say(Self.head("GET", "/v1/events", bank, as: "service", stream))
            let answer = try await other.listen { $0.contains("}") || $0.contains("id: 1\n") }
            #expect(answer.hasPrefix("HTTP/1.1 200"))
          }
        }
        try await Self.eventually { bank.parts.feed.followers == 1 }
        try await server.talk { again in
          try await again.say(Self.head("GET", "/v1/events", bank, as: "auditor", stream))
          let answer = try await again.listen { $0.contains("}") || $0.contains("id: 1\n") }
          #expect(answer.hasPrefix("HTTP/1.1 200"))
        }
      }
    }
  }

  /// Whoever is gone keeps no place, long before anything is written to him.
  @Test func aFollowerThatGoesAwayIsForgottenAtOnce() async throws {
    var limits = ServerLimits()
    limits.followersPerCaller = 2
    let bank = try await TestBank(limits: limits, heartbeat: .seconds(3_600))
    try await LiveServer.run(bank) { server in
      for _ in 0..<3 {
        for _ in 0..<2 {
          try await server.talk { talk in
            try await talk.say(Self.head("GET", "/v1/events", bank, as: "auditor", "Accept: text/event-stream\r\n"))
            let answer = try await talk.listen { $0.contains("id: 1\n") || $0.contains("}") }
            #expect(answer.hasPrefix("HTTP/1.1 200"))
          }
        }
        try await Self.eventually { bank.parts.feed.followers == 0 }
      }
    }
  }

  @Test func aStreamEndsWithItsToken() async throws {
    let bank = try await TestBank()
    try await LiveServer.run(bank) { server in
      let started = ContinuousClock.now
      let token = try await bank.keys.token(TestClaims("auditor", "audit-9", expires: 3))
      let head =
        "GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\nAccept: text/event-stream\r\n\r\n"
      try await server.talk { talk in
        try await talk.say(head)
        let all = try await talk.listen { $0.contains("event: end\n") && $0.hasSuffix("0\r\n\r\n") }
        #expect(all.hasPrefix("HTTP/1.1 200") && all.contains("id: 1\n"))
        let end = try #require(all.firstRange(of: "event: end\ndata: {"))
        #expect(all[end.lowerBound...].contains(#""code":"unauthenticated""#))
        #expect(!all[end.lowerBound...].contains("id: "), "whoever comes back goes on where it was")
        #expect(ContinuousClock.now - started >= .seconds(2))
      }
      try await Self.eventually { bank.parts.feed.followers == 0 }
      try await server.talk { talk in
        try await talk.say(head)
        let answer = try await talk.listen { $0.contains("}") }
        #expect(answer.hasPrefix("HTTP/1.1 401"))
      }
    }
  }

  // MARK: Bounds

  @Test func requestsInFlightAreBoundedOverallAndPerCaller() async throws {
    var limits = ServerLimits()
    limits.requests = 3
    limits.requestsPerCaller = 2
    let bank = try await TestBank(limits: limits)
    try await LiveServer.run(bank) { server in
      bank.book.hold()
      let statuses = Tally()
      @Sendable func give(_ who: String, _ id: String) async throws {
        try await server.talk { talk in
          let body = #"{"customer_id":"\#(id)","name":"A"}"#
          try await talk.say(Self.command(bank, "RegisterCustomer", body, as: who))
          let answer = try await talk.listen { $0.contains("}") }
          statuses.add(answer.prefix(12).suffix(3), for: who)
        }
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        // The first command's batch is held, the second waits for it.
        group.addTask { try await give("operator", TestCaller.newID()) }
        try await Self.eventually { bank.book.heldBatches == 1 }
        group.addTask { try await give("operator", TestCaller.newID()) }
        try await Self.eventually { bank.parts.handler.queueDepth == 1 }
        try await give("operator", TestCaller.newID())
        #expect(statuses["operator"] == ["429"])
        group.addTask { try await give("service", TestCaller.newID()) }
        try await Self.eventually { bank.parts.handler.queueDepth == 2 }
        try await give("auditor", TestCaller.newID())
        #expect(statuses["auditor"] == ["503"])
        // Probes are answered all the same.
        try await server.talk { talk in
          try await talk.say("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
          let answer = try await talk.listen { $0.contains("live") }
          #expect(answer.hasPrefix("HTTP/1.1 200"))
        }
        bank.book.release()
        try await group.waitForAll()
      }
      #expect(statuses["operator"] == ["201", "201", "429"])
      #expect(statuses["service"] == ["201"])
    }
  }

  @Test func aQueueThatIsFullSaysSoAtOnce() async throws {
    let bank = try await TestBank(handling: CommandHandler.Options(batchMaximum: 1, queueMaximum: 1))
    try await bank.test { caller in
      bank.book.hold()
      async let first = caller.give("VerifyCustomer", #"{"customer_id":"\#(TestBank.alice)"}"#)
      try await Self.eventually { bank.book.heldBatches == 1 }
      async let second = caller.give("VerifyCustomer", #"{"customer_id":"\#(TestBank.alice)"}"#)
      try await Self.eventually { bank.parts.handler.queueDepth == 1 }
      let third = try await caller.give("VerifyCustomer", #"{"customer_id":"\#(TestBank.alice)"}"#)
      #expect(try third.code == "queue_full")
      bank.book.release()
      let answered = try await [first.status.code, second.status.code]
      #expect(answered == [422, 422])
    }
  }

  @Test func aSilentClientIsCutOff() async throws {
    var limits = ServerLimits()
    limits.silence = .milliseconds(200)
    let bank = try await TestBank(limits: limits)
    try await LiveServer.run(bank) { server in
      for start in ["", "GET /livez HTTP/1.1\r\n", "POST /v1/commands HTTP/1.1\r\nContent-Length: 10\r\n\r\n{"] {
        try await server.talk { talk in
          // On a busy machine the end may come before the start.
          if !start.isEmpty { _ = try? await talk.say(start) }
          _ = try? await talk.listenToTheEnd()
        }
      }
    }
  }

  @Test func aClientThatSendsDropByDropIsCutOff() async throws {
    var limits = ServerLimits()
    limits.arrival = .seconds(2)
    let bank = try await TestBank(limits: limits)
    try await LiveServer.run(bank) { server in
      try await server.talk { talk in
        try await talk.say(
          Self.head(
            "POST", "/v1/commands/VerifyCustomer", bank, as: "operator",
            "Content-Type: application/json\r\nContent-Length: 1000\r\nIdempotency-Key: \(TestCaller.newID())\r\n"))
        let started = ContinuousClock.now
        while ContinuousClock.now - started < .milliseconds(3_500) {
          // Once the connection is closed, nothing can be said any more.
          guard (try? await talk.say(" ")) != nil else { break }
          try await Task.sleep(for: .milliseconds(10))
        }
        _ = try? await talk.listenToTheEnd()
        #expect(talk.heard.hasPrefix("HTTP/1.1 408"))
      }
    }
  }

  /// However busily its bytes come: a head that isn't whole in time holds no connection, a connection's first and later
  /// ones.
  @Test func aHeadThatArrivesDropByDropIsCutOff() async throws {
    var limits = ServerLimits()
    limits.arrival = .seconds(2)
    let bank = try await TestBank(limits: limits)
    try await LiveServer.run(bank) { server in
      for before in ["", "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"] {
        try await server.talk { talk in
          if !before.isEmpty {
            try await talk.say(before)
            try await talk.listen { $0.contains("live") }
          }
          await #expect(throws: (any Error).self) {
            try await talk.say("GET /livez HTTP/1.1\r\nX-Slow: ")
            let started = ContinuousClock.now
            while ContinuousClock.now - started < .seconds(20) {
              try await talk.say("x")
              try await Task.sleep(for: .milliseconds(5))
            }
          }
        }
      }
    }
  }

  @Test func aBodyThatIsTooLargeEndsTheConnection() async throws {
    var limits = ServerLimits()
    limits.commandBytes = 1_000
    let bank = try await TestBank(limits: limits)
    try await LiveServer.run(bank) { server in
      try await server.talk { talk in
        try await talk.say(
          Self.head(
            "POST", "/v1/commands/VerifyCustomer", bank, as: "operator",
            "Content-Type: application/json\r\nContent-Length: 100000000\r\nIdempotency-Key: \(TestCaller.newID())\r\n")
        )
        let answer = try await talk.listenToTheEnd()
        #expect(answer.hasPrefix("HTTP/1.1 413"))
        #expect(answer.contains("body_too_large"))
      }
      // Without a length, too.
      try await server.talk { talk in
        try await talk.say(
          Self.head(
            "POST", "/v1/commands/VerifyCustomer", bank, as: "operator",
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nIdempotency-Key: \(TestCaller.newID())\r\n"
          ))
        let chunk = "200\r\n" + String(repeating: " ", count: 0x200) + "\r\n"
        try await talk.say(chunk + chunk + chunk)
        #expect(try await talk.listenToTheEnd().hasPrefix("HTTP/1.1 413"))
      }
    }
  }

  @Test func whatIsntHTTPIsRefused() async throws {
    let bank = try await TestBank()
    try await LiveServer.run(bank) { server in
      for noise in [
        "hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /livez HTTP/1.1\r\nBad Header: x\r\n\r\n",
        "FOO /livez HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /v1/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ] {
        try await server.talk { talk in
          try await talk.say(noise)
          let answer = try await talk.listenToTheEnd()
          #expect(answer.hasPrefix("HTTP/1.1 400"), "\(noise)")
          #expect(answer.lowercased().contains("content-type: application/problem+json\r\n"), "\(noise)")
          let content = try JSONText(String(answer[try #require(answer.firstRange(of: "\r\n\r\n")).upperBound...]))
          #expect(try content["code"] == "invalid_request")
        }
      }
    }
  }

  // MARK: Stopping

  @Test func whoIsThereIsAnsweredBeforeTheServerEnds() async throws {
    let bank = try await TestBank()
    let answers = Tally()
    try await LiveServer.run(bank) { server in
      @Sendable func give() async throws {
        try await server.talk { talk in
          let body = #"{"customer_id":"\#(TestCaller.newID())","name":"A"}"#
          try await talk.say(Self.command(bank, "RegisterCustomer", body))
          let answer = try await talk.listenToTheEnd()
          answers.add(answer.prefix(12))
        }
      }
      bank.book.hold()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await give() }
        try await Self.eventually { bank.book.heldBatches == 1 }
        for _ in 0..<4 { group.addTask { try await give() } }
        try await Self.eventually { bank.parts.handler.queueDepth == 4 }
        await server.stop()
        bank.book.release()
        try await group.waitForAll()
      }
    }
    #expect(answers[""] == Array(repeating: "HTTP/1.1 201", count: 5))
    #expect(bank.book.state.customers.count == 5)
  }
}
