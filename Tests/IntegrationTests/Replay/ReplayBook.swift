import Commands
import EventStore
import Ledger
import LocalStack
import Postgres
import Testing

/// A book with some life in it, and what an audit and a tamperer do to it.
struct ReplayBook {
  let book: WriterBook
  let accounts: [AccountID]

  static let book = Identifier(high: 0, low: 1)

  /// Opens a book and gives it the commands of a teller and of the back office.
  static func run(
    commands: Int = 400, options: WriterOptions = WriterOptions(), _ body: (ReplayBook) async throws -> Void
  ) async throws {
    try await WriterBook.run { book in
      let writer = try book.writer(options)
      var teller = Teller(accounts: 6)
      var batch = teller.opening(funds: 20_000)
      for step in backOffice(teller.accounts) { batch.append(step) }
      for _ in 0..<commands { batch.append(teller.next()) }
      for start in stride(from: 0, to: batch.count, by: 50) {
        for result in await writer.commit(Array(batch[start..<min(start + 50, batch.count)])) {
          _ = try result.outcome()
        }
      }
      try await body(ReplayBook(book: book, accounts: teller.accounts))
    }
  }

  /// Scores, lists, policies, findings, refusals and reads: what a teller doesn't do.
  static func backOffice(_ accounts: [AccountID]) -> [CommandEnvelope] {
    let service = Actor(role: .service, subject: "scores")
    let auditor = Actor(role: .auditor, subject: "ava")
    let (maker, checker) = (Teller.staff[0], Teller.staff[1])
    let customer = Identifier(high: 0xC057, low: accounts[0].low)
    var number: UInt64 = 0
    func give(_ instruction: Instruction, _ actor: Actor? = nil) -> CommandEnvelope {
      number += 1
      return CommandEnvelope(
        id: Identifier(high: 0xBAC0, low: number), actor: actor ?? maker, instruction: instruction,
        correlation: number.isMultiple(of: 3) ? Identifier(high: 0xC0, low: number) : nil,
        causation: number.isMultiple(of: 4) ? Identifier(high: 0xCA, low: number) : nil)
    }
    func score(_ value: Int, _ second: Int64) -> ScoreReport {
      ScoreReport(
        subject: .id(customer), score: value, model: "fraud-7",
        scoredAt: Moment(microseconds: 1_780_000_000_000_000 + second * 1_000_000))
    }
    func list(_ version: String, _ names: [String]) -> Instruction {
      .importSanctionsList(
        ImportSanctionsList(
          list: "UN", version: ListVersion(version),
          entries: names.map { SanctionsEntry(id: $0, name: "Name \($0)", aliases: []) }))
    }
    let policy = give(.setPolicy(SetPolicy(change: .fraudScoreMaximum(800))))
    let finding = give(
      .confirmMatch(
        ConfirmMatch(finding: MatchFinding(customerID: customer, list: "UN", reason: PersonalText("same birthday")))))
    var steps = [
      give(list("1", ["a", "b", "c"])), give(list("2", ["b", "c", "d"])), give(list("2", ["x"])),
      give(.recordFraudScore(RecordFraudScore(report: score(700, 20))), service),
      give(.recordRiskScore(RecordRiskScore(report: score(300, 21))), service),
      give(.recordAmlScore(RecordAmlScore(report: score(10, 5))), service),
      policy, finding,
      give(.approve(Approve(commandID: policy.id, reason: PersonalText("agreed in the meeting"))), checker),
      give(.approve(Approve(commandID: finding.id)), maker),
      give(.approve(Approve(commandID: finding.id)), checker),
    ]
    let clearing = give(
      .clearMatch(ClearMatch(finding: MatchFinding(customerID: customer, reason: PersonalText("another person")))))
    steps += [
      clearing, give(.approve(Approve(commandID: clearing.id)), checker),
      give(.setPolicy(SetPolicy(change: .retentionDays(9))), auditor),
      give(.recordDataRead(RecordDataRead(customerID: customer, resource: "GET /v1/customers"))),
      give(.openAccount(OpenAccount(accountID: accounts[0], kind: .internal, currency: .nzd))),
    ]
    return steps
  }

  // MARK: Auditing

  /// Keys as `kauri replay` has them: what it has looked at once it needn't look at again.
  var auditorsKeyring: PersonalKeyring {
    PersonalKeyring(
      masterKey: book.masterKey, capacity: 65_536, absenceLifetime: .seconds(3_600), trust: .seconds(3_600))
  }

  /// Verifies the book as an auditor with the master key would.
  func verify(
    withKeys: Bool = true, _ change: (inout LogVerification.Options) -> Void = { _ in }
  ) async throws -> VerificationReport {
    let keyring = withKeys ? auditorsKeyring : nil
    let pool = Pool(
      ConnectionConfiguration(conninfo: book.cluster.conninfo(user: LocalStack.serverRole)), maximumSize: 3)
    var options = LogVerification.Options()
    options.pageSize = 64
    change(&options)
    do {
      let source = DatabaseLog(pool: pool, keyring: keyring)
      let report = try await LogVerification(source, keyring: keyring, options: options).run()
      await pool.shutdown()
      return report
    } catch {
      await pool.shutdown()
      throw error
    }
  }

  // MARK: Tampering

  /// Runs statements as a superuser who has disabled the triggers.
  func tamper(_ sql: String) async throws {
    let superuser = ConnectionConfiguration(conninfo: book.cluster.conninfo(user: "postgres"))
    let connection = try await Connection.connect(superuser)
    do {
      try await connection.run { session in
        try session.simple("set session_replication_role = replica")
        try session.simple(sql)
      }
    } catch {
      await connection.close()
      throw error
    }
    await connection.close()
  }

  /// Keeps a copy of what `restore` brings back.
  func keepCopy() async throws {
    try await tamper(
      """
      create schema kept; create table kept.events as select * from events;
      create table kept.commands as select * from commands; create table kept.log_head as select * from log_head;
      """)
  }

  func restore() async throws {
    try await tamper(
      """
      begin; delete from events; insert into events select * from kept.events; delete from commands;
      insert into commands select * from kept.commands; delete from log_head;
      insert into log_head select * from kept.log_head; commit;
      """)
  }
}

/// A command that should stand in the log and doesn't.
struct NotRecorded: Error {
  let result: CommandResult
}

extension CommandResult {
  /// What was recorded.
  func outcome() throws -> CommandOutcome {
    guard case .recorded(let outcome, _) = self else { throw NotRecorded(result: self) }
    return outcome
  }
}
