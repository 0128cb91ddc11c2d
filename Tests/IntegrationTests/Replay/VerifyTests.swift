import Commands
import EventStore
import Ledger
import Postgres
import Testing

/// `kauri replay verify` on books that nobody has touched.
@Suite(.serialized) struct VerifyTests {
  @Test func aBookThatNobodyTouchedIsSound() async throws {
    try await ReplayBook.run { book in
      let key = CheckpointKey()
      _ = try await book.sign(key)
      let report = try await book.verify { $0.checkpointKey = key.publicKey }
      #expect(report.differences == [])
      #expect(report.isSound)
      #expect(report.checkpoints == 1 && report.signatures == 1)
      let log = try await book.book.log()
      #expect(report.events == Int64(log.count))
      #expect(report.commands == Set(log.map(\.origin.commandID)).count)
      // Everything that a command said is hashed again, list imports too; all but what a refusal made of it.
      #expect(report.contentsCompared == report.commands)
      #expect(report.texts > 10)
      #expect(report.erased == 0)
      #expect(report.omissions == [])
    }
  }

  /// Whatever a page's size, commands that go on in the next page are decided whole, and what the past is asked for is
  /// found.
  @Test(arguments: [1, 3, 7, 1_000]) func pagesOfAnySizeGiveTheSame(size: Int) async throws {
    try await ReplayBook.run(commands: 150) { book in
      let report = try await book.verify { $0.pageSize = size }
      #expect(report.differences == [])
      #expect(report.contentsCompared == report.commands)
    }
  }

  @Test func withoutKeysTextIsComparedAsBytes() async throws {
    try await ReplayBook.run(commands: 100) { book in
      let report = try await book.verify(withKeys: false)
      #expect(report.differences == [])
      #expect(report.texts == 0 && report.contentsCompared == 0)
      #expect(report.commands > 100)
      #expect(report.omissions.contains { $0.contains("master key") })
    }
  }

  /// What is before `from` is folded, so that what comes after can be decided on it.
  @Test func fromAPositionOn() async throws {
    try await ReplayBook.run(commands: 200) { book in
      let whole = try await book.verify()
      let part = try await book.verify { $0.from = 120 }
      #expect(part.differences == [])
      #expect(part.events == whole.events)
      #expect(part.commands < whole.commands && part.commands > 50)
      #expect(part.omissions.contains { $0.contains("event 120") })
    }
  }

  /// Without its key a person's text is compared as bytes; everything else stays as provable as it was.
  @Test func erasedTextIsSaidToBeErased() async throws {
    try await ReplayBook.run(commands: 200) { book in
      let before = try await book.verify()
      let customer = Identifier(high: 0xC057, low: book.accounts[0].low)
      // As an applied list of erasures leaves it.
      try await book.tamper("insert into erased_subjects (subject) values ('\(customer)')")
      try await book.tamper("delete from personal_keys where subject = '\(customer)'")
      let unexplained = try await book.verify()
      #expect(unexplained.differences.map(\.field) == ["erased_subjects row of \(customer)"])
      let after = try await book.verify { $0.erasedOutside = [customer] }
      #expect(after.differences == [])
      #expect(after.erased > 0)
      #expect(after.texts + after.erased == before.texts)
      #expect(after.contentsCompared < before.contentsCompared)
      #expect(after.commands == before.commands)
    }
  }

  @Test func aLogThatGrowsMeanwhileIsVerifiedToWhereItWas() async throws {
    try await ReplayBook.run(commands: 50) { book in
      let writer = try book.book.writer()
      var teller = Teller(accounts: 6, seed: 99)
      // Its opening is of accounts that are there already: declined, and recorded.
      let opening = teller.opening(funds: 5)
      async let written = writer.commit(opening)
      for _ in 0..<5 { #expect(try await book.verify().differences == []) }
      for result in await written { _ = try result.outcome() }
      #expect(try await book.verify().differences == [])
    }
  }
}
