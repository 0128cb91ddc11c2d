import ArgumentParser
import EventStore
import Ledger
import Postgres

/// `kauri replay verify`: the whole log, row by row.
struct ReplayVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check that the log is in order, in balance and as it was signed, and decide every command again.",
    discussion: """
      Reads the log once, in short transactions, beside a bank that is open. The same content on the state before it, \
      with its recorded moment and rule set, must give the recorded events, byte for byte. Whatever differs is named by \
      position and field, with what was expected and what was found. Exit status 1 when anything differs.

      With --segments it reads a folder of the archive: alone, or, with a database besides, the rest from there.
      """)

  @OptionGroup var book: BookOption

  @Option(help: ArgumentHelp("A folder of segments, as kauri replay export writes them.", valueName: "dir"))
  var segments: String?

  @Option(
    help: ArgumentHelp(
      "The bank's public key, to check the signatures of checkpoints; with --data-dir, the local stack's own.",
      valueName: "file"))
  var key: String?

  @Option(
    help: ArgumentHelp(
      "A signed checkpoint that you kept: the log must go on from it. May be given several times.", valueName: "file"))
  var checkpoint: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      The answer of GET /v1/audit/consistency between the last segment's own checkpoint and one that you kept; for \
      segments without a database.
      """, valueName: "file"))
  var consistency: String?

  @Option(
    help: ArgumentHelp(
      """
      The list that kauri erasures export keeps: after a restore, keys may be gone that no event of the log erases.
      """, valueName: "file"))
  var erasures: String?

  @Option(help: "The first position whose command is decided again; what is before it is read and folded.")
  var from: Int64 = 1

  @Option(help: "Differences that are named, at most; all are counted.")
  var named = 100

  @Flag(help: "The report as JSON.")
  var json = false

  func validate() throws {
    if consistency != nil, segments == nil || book.isGiven {
      throw ValidationError("--consistency is for --segments without a database.")
    }
    guard from > 0 else { throw ValidationError("--from takes a position, from 1.") }
    guard (1...1_000_000).contains(named) else { throw ValidationError("--named takes 1 to 1000000.") }
  }

  func run() async throws {
    let report: VerificationReport
    if let segments, !book.isGiven {
      report = try await verify(ArchivedLog(folder: segments, rest: nil), nil)
    } else {
      report = try await verifyBook()
    }
    try answer(report)
  }

  /// What stands in a database, with the segments before it where there are any.
  private func verifyBook() async throws -> VerificationReport {
    let keyring = try book.keyring()
    let pool = Pool(try book.connection("kauri replay"), maximumSize: 4)
    let report: Result<VerificationReport, any Error>
    do {
      report = .success(try await verify(try source(over: DatabaseLog(pool: pool, keyring: keyring)), keyring))
    } catch {
      report = .failure(error)
    }
    await pool.shutdown()
    return try report.get()
  }

  private func source(over rest: DatabaseLog) throws -> any LogSource {
    if let segments { try ArchivedLog(folder: segments, rest: rest) } else { rest }
  }

  private func verify(_ source: any LogSource, _ keyring: PersonalKeyring?) async throws -> VerificationReport {
    var options = LogVerification.Options()
    options.from = from
    options.differencesKept = named
    options.checkpointKey = try book.checkpointKey(key, segments: segments)
    options.consistency = try consistency.map(ReplayFile.consistency)
    options.erasedOutside = try erasures.map { Set(try ErasureList(path: $0).subjects.map(\.customerID)) }
    for file in checkpoint {
      options.checkpoints.append(
        try GivenCheckpoint(note: ReplayFile.text(file), name: file, key: options.checkpointKey))
    }
    let progress = ProgressBar(unit: "events")
    defer { progress.finish() }
    return try await LogVerification(source, keyring: keyring, options: options).run { done, total in
      progress.update(fraction: Double(done) / Double(max(1, total)), count: Int(done))
    }
  }

  private func answer(_ report: VerificationReport) throws {
    if json {
      var writer = JSONWriter()
      report.write(to: &writer)
      Terminal.answer(String(decoding: writer.bytes, as: UTF8.self))
    } else {
      for line in report.lines { Terminal.answer(line) }
    }
    if !report.isSound { throw ExitCode(1) }
  }
}

extension VerificationReport {
  /// What a person is told.
  var lines: [String] {
    var lines = differences.map(\.description)
    if total > differences.count { lines.append("… and \((total - differences.count).grouped) more differences") }
    let range = last < first ? "an empty log" : "events \(first.grouped) to \(last.grouped)"
    lines.append("\(range): \(commands.grouped) commands decided again")
    if checkpoints > 0 {
      lines.append("\(checkpoints.grouped) signed checkpoints agree, \(signatures.grouped) signatures are the key's")
    }
    if contentsCompared > 0 { lines.append("\(contentsCompared.grouped) commands' content hashed and compared") }
    if texts > 0 { lines.append("\(texts.grouped) personal texts opened and sealed again") }
    if erased > 0 { lines.append("\(erased.grouped) personal texts erased: compared as sealed bytes") }
    for omission in omissions { lines.append("not checked: \(omission)") }
    lines.append(isSound ? "the log is sound" : "\(total.grouped) differences")
    return lines
  }
}
