import BookByChance
import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Testing

/// Everything that says what is in a book, held against the calculator that shares nothing with it.
struct OneTruth {
  let book: CrashableBook
  /// Which run a failure belongs to.
  let seed: String

  func log() async throws -> NaiveLog {
    try await book.recorded.read { session in try NaiveLog(session) }
  }

  // MARK: The present

  /// The tables that decisions read, and the statements, account by account.
  func expectTables(_ log: NaiveLog, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let last = try #require(log.rows.last)
    let naive = try log.ledger(through: last.position)
    let tables = try await book.recorded.read { session in try TablesInDatabase(session) }
    let expected = TablesInDatabase(naive, on: last.bookDate)
    for (table, rows) in expected.tables {
      #expect(tables.tables[table] == rows, "\(table), \(seed)", sourceLocation: sourceLocation)
    }
  }

  /// Every acknowledged command stands in the log, once, where it was said to.
  func expectAcknowledged(_ acknowledged: [CommandID: Int64], _ log: NaiveLog) {
    var found: [String: Int64] = [:]
    var previous: String?
    for row in log.rows {
      #expect(previous == row.command || found[row.command] == nil, "\(row.command) happened twice, \(seed)")
      found[row.command] = row.position
      previous = row.command
    }
    let said = Dictionary(uniqueKeysWithValues: acknowledged.map { ($0.description, $1) })
    // The book's opening is nobody's command.
    found[Identifier(high: 0, low: 1).description] = nil
    #expect(said == found, "\(seed)")
  }

  /// Brings the models that follow the log to its end.
  func follow() async throws {
    try await book.withPool { pool in
      let options = ProjectionOptions(batchMaximum: 100, pace: .milliseconds(1), poll: .milliseconds(5))
      let runners = Projections.runners(
        pool: pool, reader: LogReader(codec: CrashableBook.sealedCodec), signal: HeadSignal(), options: options)
      let following = Task { await Projections.run(runners) }
      defer { following.cancel() }
      try await eventually("the read models reach the log's end", within: .seconds(60)) {
        try await Projections.lag(pool).allSatisfy { $0.positions == 0 }
      }
      following.cancel()
      await following.value
    }
  }

  // MARK: Rebuilt, and decided again

  /// Every model is made anew from the log, agrees with the live one, and is switched to.
  func rebuildAll() async throws {
    let options = RebuildOptions(runLength: 61)
    for model in ReadModel.all {
      let report = try await Rebuild(model, database: book.owner, codec: CrashableBook.sealedCodec, options: options)
        .run()
      #expect(report.differences.isEmpty, "\(model.name): \(report.differences.shown), \(seed)")
      #expect(report.switched, "\(model.name), \(seed)")
    }
  }

  /// `kauri replay diff`.
  func expectNoDifferences() async throws {
    for model in ReadModel.all {
      let report = try await Rebuild(model, database: book.owner, codec: CrashableBook.sealedCodec).compare()
      #expect(report.differences.isEmpty, "\(model.name): \(report.differences.shown), \(seed)")
    }
  }

  /// `kauri replay verify`: every command is decided again, each by the rules of its time.
  func expectDecidedAgain(_ log: NaiveLog) async throws -> VerificationReport {
    try await book.withPool { pool in
      let keyring = PersonalKeyring(
        masterKey: book.masterKey, capacity: 65_536, absenceLifetime: .seconds(3_600), trust: .seconds(3_600))
      var options = LogVerification.Options()
      options.pageSize = 64
      options.ruleSets = LaterRules.newest
      let report = try await LogVerification(
        DatabaseLog(pool: pool, keyring: keyring), keyring: keyring, options: options
      ).run()
      #expect(report.differences == [], "\(seed)")
      #expect(report.isSound, "\(seed)")
      #expect(report.events == Int64(log.rows.count), "\(seed)")
      #expect(report.commands == Set(log.rows.map(\.command)).count, "\(seed)")
      return report
    }
  }

  // MARK: The past

  /// Every account and customer at a point of the past.
  ///
  /// - Parameter everybody: all accounts and customers there ever were.
  func expectPast(
    _ point: PointInTime, at position: Int64, on day: String, _ log: NaiveLog, everybody: NaiveLedger,
    _ queries: BookQueries
  ) async throws {
    let naive = try log.ledger(through: position)
    for text in everybody.accounts.keys.sorted() {
      let place = Comment(rawValue: "\(text) at \(point), \(seed)")
      let id = try #require(Identifier(text))
      guard let account = naive.accounts[text] else {
        await expectNotYet(place) { _ = try await queries.past(of: .id(id), in: point) }
        continue
      }
      let past = try await queries.past(of: .id(id), in: point)
      #expect(past.position == position, place)
      let value = past.value
      #expect(Int128(value.account.balance.posted) == account.posted, place)
      #expect(Int128(value.account.balance.held) == account.held, place)
      #expect(value.account.status.rawValue == account.status, place)
      #expect(value.account.customerID?.description == account.customer, place)
      #expect(value.customer?.status.rawValue == account.customer.flatMap { naive.customers[$0] }, place)
      let holds = value.holds.map { ($0.id.description, Int128($0.amount)) }
      #expect(Dictionary(uniqueKeysWithValues: holds) == naive.activeHolds(on: text), place)
      for limit in value.limits.limits {
        #expect(
          limit.used.map { Int128($0) } == naive.used(account, text, limit, on: day), "\(limit) on \(day), \(place)")
      }
    }
    for text in everybody.customers.keys.sorted() {
      let place = Comment(rawValue: "\(text) at \(point), \(seed)")
      let id = try #require(Identifier(text))
      guard let status = naive.customers[text] else {
        await expectNotYet(place) { _ = try await queries.customer(id, in: point) }
        continue
      }
      #expect(try await queries.customer(id, in: point).value.status.rawValue == status, place)
    }
  }

  private func expectNotYet(_ place: Comment, _ ask: () async throws -> Void) async {
    let fault = await #expect(throws: QueryFault.self, place) { try await ask() }
    guard case .notYet? = fault else {
      Issue.record("\(String(describing: fault)): \(place)")
      return
    }
  }
}

extension NaiveLedger {
  /// What was used of a limit's window that ends on a day; nil for limits that count no past.
  fileprivate func used(_ account: Account, _ id: String, _ limit: LimitReading, on day: String) -> Int128? {
    guard let start = NaiveDays.windowStart(limit.kind.rawValue, on: day) else { return nil }
    let counted =
      limit.scope == .account
      ? [account] : accounts.values.filter { $0.customer == account.customer && $0.currency == account.currency }
    let used = counted.flatMap(\.used).filter { start <= $0.key && $0.key <= day }.reduce(Int128(0)) { $0 + $1.value }
    return min(used, Int128(Int64.max))
  }
}
