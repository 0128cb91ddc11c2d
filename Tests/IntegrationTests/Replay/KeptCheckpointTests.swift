import Commands
import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// What a log that isn't the old one any more is told against checkpoints of the old one.
@Suite(.serialized) struct KeptCheckpointTests {
  private let key = CheckpointKey()

  @Test func whatALaterIncarnationLostIsNamedByItsPositions() async throws {
    try await ReplayBook.run(commands: 60) { book in
      let signed = try await book.sign(key)
      let head = signed.size
      let kept = try GivenCheckpoint(note: signed.note, name: "kept.txt", key: key.publicKey)
      // Ten events more were signed on a primary that is gone; this book lacks them, and went on.
      let lost = try await given("lost.txt", 1, head + 10, in: book)
      let declared = try await asOwner(book) { try Incarnations.begin(reason: "failover", known: 4, $0) }
      #expect(declared == Incarnations.Beginning(incarnation: 5, beginsAfter: head))
      try await grow(book, by: 20)
      let report = try await verify(book, [lost, kept])
      #expect(report.total == 1 && report.checkpoints > 0)
      let difference = try #require(report.differences.first)
      #expect(difference.position == head + 1 && difference.field == "lost.txt of \(head + 10) events")
      #expect(
        difference.expected == "positions \(head + 1) to \(head + 10), which this checkpoint of incarnation 1 covers")
      #expect(
        difference.found == "they are not in this book any more: lost when incarnation 5 began after event \(head)")

      // One that should have been kept and wasn't: the incarnation was declared too late.
      let late = try await given("late.txt", 1, head - 3, in: book)
      let untold = try #require(try await verify(book, [late, lost]).differences.first)
      #expect(
        untold.found.hasSuffix(
          "which of positions 1 to \(head - 3) differ can't be told, for incarnation 5 is said to have kept them all"),
        "\(untold)")

      // Cut once more, further on: of the first history the same is lost, and of the fifth what came then.
      let second = try await asOwner(book) { try Incarnations.begin(reason: "and again", $0) }
      try await grow(book, by: 20)
      let fifth = try await given("fifth.txt", 5, second.beginsAfter + 1, in: book)
      let again = try await verify(book, [fifth, lost])
      #expect(
        again.differences.map(\.found) == [
          "they are not in this book any more: lost when incarnation 5 began after event \(head)",
          "they are not in this book any more: lost when incarnation 6 began after event \(second.beginsAfter)",
        ])
    }
  }

  @Test func whereNothingWasDeclaredNothingIsMadeUp() async throws {
    try await ReplayBook.run(commands: 60) { book in
      let signed = try await book.sign(key)
      let kept = try GivenCheckpoint(note: signed.note, name: "kept.txt", key: key.publicKey)
      try await grow(book, by: 20)
      let other = try await given("other.txt", 1, signed.size + 10, in: book)
      let bracketed = try #require(try await verify(book, [other, kept]).differences.first)
      #expect(bracketed.position == signed.size + 10)
      #expect(
        bracketed.found.hasSuffix(
          "events: which of positions \(signed.size + 1) to \(signed.size + 10) differ can't be told, "
            + "for no later incarnation was declared (kauri recover)"), "\(bracketed)")

      // A history that began in another restore of the same backup.
      for (size, end) in [
        (Int64(5), "nothing here says where incarnation 3 began, so which of positions 1 to 5 differ can't be told"),
        (1_000_000, "and nothing here says where incarnation 3 began"),
      ] {
        let foreign = try #require(
          try await verify(book, [try await given("foreign.txt", 3, size, in: book)]).differences.first)
        #expect(foreign.found.hasSuffix(end), "\(foreign)")
      }
    }
  }

  /// A checkpoint that was signed of events that this book doesn't have.
  private func given(_ name: String, _ incarnation: Int, _ size: Int64, in book: ReplayBook) async throws
    -> GivenCheckpoint
  {
    let id = try #require(try await book.recorded { try SealedHead.read($0) }.book)
    let root = try #require(TreeHash([UInt8](repeating: 7, count: 32)))
    let origin = Checkpoint.origin(book: id, incarnation: incarnation)
    let note = try key.sign(Checkpoint(origin: origin, size: size, root: root)).note
    return try GivenCheckpoint(note: note, name: name, key: key.publicKey)
  }

  private func verify(_ book: ReplayBook, _ given: [GivenCheckpoint]) async throws -> VerificationReport {
    let report = try await book.verify {
      $0.checkpointKey = key.publicKey
      $0.checkpoints = given
    }
    #expect(!report.isSound)
    return report
  }

  private func grow(_ book: ReplayBook, by count: Int) async throws {
    let commands = (0..<count).map { _ in
      CommandEnvelope(
        id: Identifier(high: .random(in: .min ... .max), low: .random(in: .min ... .max)), actor: Teller.staff[0],
        instruction: .openAccount(
          OpenAccount(
            accountID: Identifier(high: .random(in: .min ... .max), low: .random(in: .min ... .max)), kind: .internal,
            currency: .nzd)))
    }
    for result in await (try book.book.writer(WriterOptions())).commit(commands) { _ = try result.outcome() }
  }

  private func asOwner<Value: Sendable>(
    _ book: ReplayBook, _ body: @Sendable (Session) throws -> Value
  ) async throws -> Value {
    let owner = book.book.cluster.conninfo(user: LocalStack.ownerRole)
    return try await RecordedBook(conninfo: owner).read(body)
  }
}
