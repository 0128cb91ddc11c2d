import BookByChance
import Commands
import EventStore
import Ledger
import LocalStack
import Postgres
import Projections
import Testing

/// Inline tables, a rebuild, a replay of every decision, statements and the past say what the slow calculator says, after
/// random commands of every kind, crashes, erasures and changes of the rules.
@Suite(.serialized) struct OneTruthTests {
  static let runs = 8

  @Test func whateverHappens() async throws {
    let cluster = try await PostgresCluster.temporary(settings: ["fsync": "off"])
    let outcome: Result<Void, any Error>
    do {
      if let seed = Chance.givenSeed {
        try await run(seed, on: cluster)
      } else {
        var hits: Set<CrashableBook.Crash> = []
        for _ in 0..<Self.runs { hits.formUnion(try await run(.random(in: .min ... .max), on: cluster)) }
        #expect(hits == Set(CrashableBook.Crash.allCases), "of some kind no crash came while anything was under way")
      }
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    try await cluster.destroy()
    try outcome.get()
  }

  /// - Returns: the crashes that came while a batch was under way.
  @discardableResult
  private func run(_ seed: UInt64, on cluster: PostgresCluster) async throws -> [CrashableBook.Crash] {
    let began = ContinuousClock.now
    print("one truth: KAURI_TEST_SEED=\(seed)")
    let book = try await CrashableBook.make("book_\(seed)", on: cluster)
    let truth = OneTruth(book: book, seed: "KAURI_TEST_SEED=\(seed)")
    var life = try BookLife(book, seed: seed)
    try await life.begin()
    try await life.live(batches: 26, CrashableBook.Crash.allCases + [.process, .session])
    try await truth.follow()
    try await truth.expectTables(try await truth.log())
    try await truth.rebuildAll()
    try await truth.expectTables(try await truth.log())
    // The writer and whoever follows go on with what was rebuilt.
    try await life.live(batches: 6, [.process, .session])
    try await truth.follow()
    let log = try await truth.log()
    try await truth.expectTables(log)
    truth.expectAcknowledged(life.acknowledged, log)
    try await truth.expectNoDifferences()
    let report = try await truth.expectDecidedAgain(log)
    try await expectPast(life, truth, log)
    expectMuchHappened(life, log, report, truth.seed)
    print(
      "one truth: \(log.rows.count) events; \(life.crashes.count) crashes, \(life.hits.count) of them while a batch was under",
      "way, and \(life.foundAgain) commands found again; \(ContinuousClock.now - began)")
    return life.hits
  }

  /// Otherwise the test would have said little.
  private func expectMuchHappened(_ life: BookLife, _ log: NaiveLog, _ report: VerificationReport, _ seed: String) {
    #expect(Set(life.crashes) == Set(CrashableBook.Crash.allCases), "\(seed)")
    #expect(log.rows.contains { $0.type == "CustomerErased" }, "\(seed)")
    #expect(Set(log.rows.map(\.ruleSet)).count > 1, "\(seed)")
    #expect(report.erased > 0 && report.texts > 0, "\(seed)")
  }

  private func expectPast(_ life: BookLife, _ truth: OneTruth, _ log: NaiveLog) async throws {
    var chance = life.chance
    let everybody = try log.ledger(through: .max)
    try await truth.book.withPool { pool in
      let queries = BookQueries(pool: pool, reader: LogReader(codec: CrashableBook.sealedCodec))
      for _ in 0..<3 {
        let row = chance.pick(log.rows)
        try await truth.expectPast(
          .position(row.position), at: row.position, on: row.bookDate, log, everybody: everybody, queries)
      }
      // Any instant between the first event and the last.
      let (first, last) = (try #require(log.rows.first).moment, try #require(log.rows.last).moment)
      for _ in 0..<2 {
        try await expect(Int64.random(in: first...last, using: &chance), truth, log, everybody, queries)
      }
      // Instants between two commands of one batch, where there are but microseconds from one to the other.
      for batch in life.batches.filter({ $0.count > 1 }).shuffled(using: &chance).prefix(3) {
        let place = chance.index(below: batch.count - 1)
        let (one, next) = (try #require(log.row(at: batch[place])), try #require(log.row(at: batch[place + 1])))
        #expect(next.moment > one.moment && next.moment - one.moment < 100, "\(truth.seed)")
        #expect(log.position(at: one.moment) == next.position - 1, "\(truth.seed)")
        try await expect(one.moment, truth, log, everybody, queries)
      }
    }
  }

  private func expect(
    _ moment: Int64, _ truth: OneTruth, _ log: NaiveLog, _ everybody: NaiveLedger, _ queries: BookQueries
  ) async throws {
    try await truth.expectPast(
      .moment(Moment(microseconds: moment)), at: log.position(at: moment),
      on: NaiveDays.day(of: moment, in: "Pacific/Auckland"), log, everybody: everybody, queries)
  }
}
