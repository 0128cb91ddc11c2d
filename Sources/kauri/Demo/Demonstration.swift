import Ledger
import LocalStack

/// Fills the local stack's empty book with a small bank, through the command endpoint like anybody else, and says
/// what to try on it.
struct Demonstration {
  private let record: StackRecord
  private let tokenFile: String
  private let endpoint: HTTPCommandEndpoint

  /// - Throws: ``LocalStackError`` when the stack has no token for an operator.
  init(_ record: StackRecord) throws {
    guard let tokenFile = record.tokens["operator"] else {
      throw LocalStackError.failed("the local stack has no token for operator", detail: "")
    }
    self.record = record
    self.tokenFile = tokenFile
    endpoint = try HTTPCommandEndpoint(ServerAddress(url: record.http, tokenFile: tokenFile), connections: 2)
  }

  /// Fills the book if it is empty, goes on if that was broken off earlier, and leaves any other book alone.
  func run() async throws {
    do {
      try await fill()
    } catch {
      await endpoint.close()
      throw error
    }
    await endpoint.close()
  }

  private func fill() async throws {
    guard let opening = try await readOpening() else { return }
    let bank = DemoBank(opened: opening.moment, today: opening.date)
    guard let first = bank.commands.first, let last = bank.commands.last else { return }
    let isBegun = try await endpoint.hasOutcome(of: first.id)
    guard opening.isAlone || isBegun else {
      Terminal.say("kauri: the book isn't empty, so there is nothing to demonstrate")
      return
    }
    let isComplete = isBegun ? try await endpoint.hasOutcome(of: last.id) : false
    if !isComplete { try await send(bank) }
    for line in instructions(bank) { Terminal.answer(line) }
  }

  // MARK: What is there

  private struct Opening {
    let moment: Moment
    let date: CalendarDate
    /// Whether nothing has happened since.
    let isAlone: Bool
  }

  /// When the book was opened, by its first event.
  private func readOpening() async throws -> Opening? {
    let response = try await endpoint.get("/v1/events?limit=2")
    guard response.status == 200 else {
      throw HTTPCommandEndpoint.UnexpectedStatus(status: response.status)
    }
    var fields = try JSONDocument(response.body).root.object()
    let events = Array(try fields.required("events").array())
    guard var first = try events.first?.object() else { return nil }
    return Opening(
      moment: try first.required("recorded_at").moment(), date: try first.required("book_date").date(),
      isAlone: events.count == 1)
  }

  // MARK: Filling

  private func send(_ bank: DemoBank) async throws {
    let bar = ProgressBar(unit: "commands")
    defer { bar.finish() }
    let sender = BatchSender(endpoint, patience: .init(total: .seconds(60)), notice: { bar.note($0) })
    var tally = SubmissionTally()
    let lines = bank.commands.enumerated().map { index, command in
      InputLine(index: index, number: index + 1, bytes: command.line)
    }
    // One batch after the other: who pays has to have been paid before.
    for start in stride(from: 0, to: lines.count, by: 1_000) {
      let batch = Array(lines[start..<min(start + 1_000, lines.count)])
      for outcome in try await sender.send(batch) { tally.add(outcome) }
      bar.update(fraction: Double(tally.count) / Double(lines.count), count: tally.count)
    }
    bar.finish()
    Terminal.say(
      "kauri: a demonstration bank of \(DemoBank.peopleCount) people: \(tally.accepted.grouped) commands accepted, "
        + "\(tally.declinedCount.grouped) declined")
    if tally.refusedCount > 0 {
      throw LocalStackError.failed("the demonstration's own commands were refused", detail: "\(tally.refused)")
    }
  }

  // MARK: What to try

  private func instructions(_ bank: DemoBank) -> [String] {
    let (payer, payee) = (bank.people[0].party, bank.people[1].party)
    let authorisation = "-H \"Authorization: Bearer $(cat '\(tokenFile)')\""
    let body =
      "{\"debit_account_id\":\"\(payer.number)\",\"credit_account_id\":\"\(payee.number)\",\"amount\":\"1250\","
      + "\"currency\":\"NZD\",\"reference\":\"Lunch\"}"
    return [
      "",
      "# move NZD 12.50 from \(payer.name) to \(payee.name)",
      "curl -sS \(authorisation) -H \"Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)\" "
        + "-H 'Content-Type: application/json' -d '\(body)' \(record.http)/v1/commands/PostTransfer",
      "",
      "# what \(payer.name) has now",
      "curl -sS \(authorisation) \(record.http)/v1/accounts/\(payer.number)/balance",
      "",
      "# the last lines of the statement",
      "curl -sS \(authorisation) '\(record.http)/v1/accounts/\(payer.number)/entries?limit=5'",
    ]
  }
}

extension DemoBank.Command {
  /// As a line of a batch.
  fileprivate var line: [UInt8] {
    var writer = RecordWriter()
    writer.json.beginObject()
    writer.json.field("command", instruction.name)
    writer.json.field("id", id)
    writer.json.key("data")
    writer.json.beginObject()
    instruction.write(to: &writer)
    writer.json.endObject()
    writer.json.endObject()
    return writer.json.bytes
  }
}
