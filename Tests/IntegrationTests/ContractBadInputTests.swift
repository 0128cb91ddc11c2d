import LocalStack
import Testing

/// What a hostile or broken client can send, byte for byte, to a server as it is run. The answer is an error that names
/// the fault; nothing is written; and the server goes on as if nothing had been.
@Suite struct ContractBadInputTests {
  @Test(.timeLimit(.minutes(3))) func nothingBadIsWritten() async throws {
    try await ContractServer.run { server in
      let inputs = try await server.badContents + server.badRequests + server.badTokens()
      for input in inputs {
        let answer = try await server.answer(to: input.request)
        let status = try #require(answer, "\(input.about): no answer, and no end").dropFirst(9).prefix(3)
        #expect(status == "\(input.status)", "\(input.about)")
        if let code = input.code {
          #expect(answer?.contains(#""code":"\#(code)""#) == true, "\(input.about): \(answer ?? "")")
        }
        if let pointer = input.pointer {
          #expect(answer?.contains(#""pointer":"\#(pointer)""#) == true, "\(input.about): \(answer ?? "")")
        }
      }
    }
  }

  /// A hundred megabytes, announced or not, are refused, and the server never holds them.
  @Test(
    .timeLimit(.minutes(3)),
    arguments: [ContractServer.transferPath, "/v1/commands", "/v1/commands/ImportSanctionsList"])
  func aHugeBodyTakesNoMemory(_ path: String) async throws {
    try await ContractServer.run { server in
      let type = path == "/v1/commands" ? "application/x-ndjson" : "application/json"
      let fields = "Content-Type: \(type)\r\n" + (path == "/v1/commands" ? "" : ContractServer.key)
      // One request of an ordinary size, so that what every request needs is there.
      _ = try await server.answer(to: server.post("{}", to: path, fields))
      let before = try server.peakMemory()
      let part = [UInt8](repeating: UInt8(ascii: " "), count: 1 << 20)
      for announced in [true, false] {
        let socket = try ContractSocket(port: server.port)
        let length = announced ? "Content-Length: 100000000" : "Transfer-Encoding: chunked"
        await socket.send(Array(server.head("POST", path, fields + length + "\r\n").utf8))
        let chunk = announced ? part : Array("100000\r\n".utf8) + part + Array("\r\n".utf8)
        var sent = 0
        while sent < 100, await socket.send(chunk) { sent += 1 }
        #expect(sent < 100, "the server has taken all of it")
        let answer = try #require(await socket.listenToTheEnd(within: .seconds(10)))
        #expect(answer.hasPrefix("HTTP/1.1 413 "), "\(path), announced: \(announced): \(answer.prefix(200))")
        #expect(answer.contains(#""code":"body_too_large""#))
      }
      // What is taken at most (32 MiB, of a list), twice: as it is read, and as it is put together.
      #expect(try server.peakMemory() - before < 80 << 20)
    }
  }

  /// A byte a second, in a request's head or in its content, holds a connection for the server's bound and no longer.
  @Test(.timeLimit(.minutes(3))) func aSlowClientIsCutOff() async throws {
    try await ContractServer.run { server in
      let head = server.head(
        "POST", ContractServer.transferPath, ContractServer.json + ContractServer.key + "Content-Length: 1000\r\n")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (start, drop) in [("GET /livez HTTP/1.1\r\nHost: kauri\r\nX-Slow: ", "x"), (head, " ")] {
          group.addTask {
            let socket = try ContractSocket(port: server.port)
            await socket.send(Array(start.utf8))
            let started = ContinuousClock.now
            while !(await socket.hasEnded()), ContinuousClock.now - started < .seconds(60) {
              await socket.send(Array(drop.utf8))
              try await Task.sleep(for: .seconds(1))
            }
            #expect(ContinuousClock.now - started < .seconds(50))
            let answer = try #require(await socket.listenToTheEnd(within: .seconds(5)))
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 408 "))
          }
        }
        try await group.waitForAll()
      }
    }
  }
}
