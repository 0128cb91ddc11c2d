import Glibc
import LocalStack
import Testing

/// A server that is told to stop under load finishes what it has taken, answers everyone, and ends with status 0.
@Suite struct ShutdownTests {
  @Test func everyoneIsAnswered() async throws {
    var chance = SeededGenerator()
    try await ServedBook.run(servers: [[]], accounts: 6) { book in
      for _ in 0..<4 {
        let delay = chance.moment(withinMilliseconds: 200)
        try await book.clients.underLoad(48) {
          let before = book.clients.acknowledged
          try await eventually("the load runs", within: .seconds(60)) { book.clients.acknowledged > before + 200 }
          try await Task.sleep(for: delay)
          let end = await book.servers[0].process?.stop(SIGTERM, grace: .seconds(30))
          #expect(end?.isSuccess == true, "\(end?.description ?? "")")
          try await book.servers[0].start()
        }
        try await book.expectSettled()
      }
      let tally = book.clients.tally
      print("four stops under load: \(book.clients.acknowledged) commands, \(tally)")
      #expect(tally.cutOff == 0, "an answer broke off")
      #expect(tally.foundAgain == 0, "commands were committed and not answered")
    }
  }
}
