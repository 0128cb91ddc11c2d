import Foundation
import Ledger
import LocalStack
import Testing

/// A true receipt below a forged answer: `kauri verify-receipt` compares whatever the answer says with the rows that
/// the receipt proves, names what differs, and says what it can't compare.
@Suite(.serialized) struct ReceiptAnswerTests {
  private static let customer = "01900000-0000-7000-8000-00000000cc51"

  @Test func aForgedAnswerAboveATrueReceiptIsFound() async throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    var answers: [String: GivenAnswer] = [:]
    try await AuditBank.run { bank in
      try Files.write(
        Files.read("\(bank.stack.directory)/checkpoint.pub") ?? "", to: "\(directory)/bank.pub", mode: 0o644)
      func give(_ name: String, _ command: String, _ body: String) async throws {
        let answer = try await bank.give(command, body, headers: [("Prefer", "receipt")])
        try #require(answer.preferenceApplied == "receipt", "\(String(decoding: answer.body, as: UTF8.self))")
        answers[name] = try GivenAnswer(answer.body, in: directory)
      }
      try await give("accepted", "PostTransfer", bank.transfer(7_500))
      try await give("declined", "PostTransfer", bank.transfer().replacing("NZD", with: "AUD"))
      let person =
        #"{"customer_id":"\#(Self.customer)","name":"Hine Parata","date_of_birth":"1984-02-29","country":"NZ"}"#
      try await give("personal", "RegisterCustomer", person)
      let entries = #"[{"id":"A1","name":"One"},{"id":"A2","name":"Two"}]"#
      try await give("several", "ImportSanctionsList", #"{"list":"UN","version":"1","entries":\#(entries)}"#)
    }
    // From here on there is no bank.
    try await expectHonestOnesHold(answers)
    try await expectForgedOnesFound(answers)
    try await expectPersonalTextNamed(try #require(answers["personal"]))
    try await expectPartsOfTheReceiptLeftOutFound(try #require(answers["several"]))
  }

  private func expectHonestOnesHold(_ answers: [String: GivenAnswer]) async throws {
    for (name, answer) in answers where name != "personal" {
      let result = try await answer.verify()
      #expect(result == Result(valid: true), "\(name): \(result)")
    }
    // What an answer may say of an event besides is compared as well.
    let accepted = try #require(answers["accepted"])
    let row = try #require(try await accepted.verify(keepingRows: true).events?.first)
    let more: [String: Any] = [
      "recorded_at": row.recorded_at, "actor": row.actor, "stream_version": 1, "note": "thanks",
    ]
    let honest = try await accepted.with(event: more).verify()
    #expect(honest.valid && honest.not_compared.map(\.pointer) == ["/events/0/note"])
    let moved = try await accepted.with(event: ["recorded_at": "2020-01-01T00:00:00.000000Z"]).verify()
    #expect(!moved.valid && moved.differences?.map(\.pointer) == ["/events/0/recorded_at"])
    #expect(moved.differences?.first?.expected == "\"\(row.recorded_at)\"")
    // In words.
    let words = try await accepted.verifyInWords()
    #expect(words.status == 0 && words.output.contains("event \(accepted.position): TransferPosted, recorded "))
    #expect(!words.output.contains("not compared"))
    let alone = try await accepted.receiptAlone().verifyInWords()
    #expect(alone.status == 0 && alone.output.contains("not compared: the file holds no answer beside the receipt"))
  }

  private func expectForgedOnesFound(_ answers: [String: GivenAnswer]) async throws {
    let accepted = try #require(answers["accepted"])
    let declined = try #require(answers["declined"])
    let several = try #require(answers["several"])
    var data = try #require(accepted.event["data"] as? [String: Any])
    data["amount"] = "750000"
    let id = "01900000-0000-7000-8000-0000000000aa"
    var checks = try #require(declined.answer["checks"] as? [[String: Any]])
    let failed = try #require(checks.firstIndex { $0["passed"] as? Bool == false })
    checks[failed]["passed"] = true
    let events = try #require(several.answer["events"] as? [[String: Any]])
    let (last, position) = (several.position, accepted.position)
    let cases: [(String, GivenAnswer, [Difference])] = [
      (
        "amount", try accepted.with(event: ["data": data]),
        [Difference("/events/0/data/amount", #""7500""#, #""750000""#)]
      ),
      (
        "a field more", try accepted.with(event: ["data": data.merging(["amount": "7500", "fee": "1"]) { $1 }]),
        [Difference("/events/0/data/fee", "nothing", #""1""#)]
      ),
      (
        "a field less", try accepted.with(event: ["data": data.filter { $0.key != "amount" }]),
        [Difference("/events/0/data/amount", #""7500""#, "nothing")]
      ),
      (
        "event's position", try accepted.with(event: ["position": position + 1]),
        [Difference("/events/0/position", "\(position)", "\(position + 1)")]
      ),
      (
        "answer's position", try accepted.with(answer: ["position": position - 1]),
        [Difference("/position", "\(position)", "\(position - 1)")]
      ),
      (
        "type", try accepted.with(event: ["type": "TransferReversed"]),
        [Difference("/events/0/type", #""TransferPosted""#, #""TransferReversed""#)]
      ),
      (
        "command", try accepted.with(answer: ["command": "PostJournal"]),
        [Difference("/command", #""PostTransfer""#, #""PostJournal""#)]
      ),
      (
        "command's id", try accepted.with(answer: ["command_id": id]),
        [Difference("/command_id", "\"\(accepted.commandID)\"", "\"\(id)\"")]
      ),
      (
        "outcome", try declined.with(answer: ["outcome": "accepted"]),
        [Difference("/outcome", #""declined""#, #""accepted""#)]
      ),
      (
        "outcome of the other kind", try accepted.with(answer: ["outcome": "declined", "code": "insufficient_funds"]),
        [
          Difference("/outcome", #""accepted""#, #""declined""#),
          Difference("/code", "nothing", #""insufficient_funds""#),
        ]
      ),
      (
        "code", try declined.with(answer: ["code": "insufficient_funds"]),
        [Difference("/code", #""currency_mismatch""#, #""insufficient_funds""#)]
      ),
      (
        "a check", try declined.with(answer: ["checks": checks]),
        [Difference("/checks/\(failed)/passed", "false", "true")]
      ),
      (
        "an event left out", try several.with(answer: ["events": Array(events.dropLast())]),
        [
          Difference(
            "/events",
            "3 events: \(last - 2) SanctionsListImported, \(last - 1) SanctionsEntryAdded, \(last) SanctionsEntryAdded",
            "2 events: \(last - 2) SanctionsListImported, \(last - 1) SanctionsEntryAdded")
        ]
      ),
      (
        "events in another order", try several.with(answer: ["events": [events[0], events[2], events[1]]]),
        [
          Difference("/events/1/position", "\(last - 1)", "\(last)"),
          Difference("/events/1/data/id", #""A1""#, #""A2""#),
          Difference("/events/1/data/name", #""One""#, #""Two""#),
          Difference("/events/2/position", "\(last)", "\(last - 1)"),
          Difference("/events/2/data/id", #""A2""#, #""A1""#),
          Difference("/events/2/data/name", #""Two""#, #""One""#),
        ]
      ),
    ]
    for (what, forged, expected) in cases {
      let result = try await forged.verify()
      #expect(!result.valid, "\(what)")
      #expect(Set(result.differences ?? []) == Set(expected), "\(what): \(result)")
      let words = try await forged.verifyInWords()
      #expect(words.status == 1, "\(what)")
      for difference in expected {
        #expect(
          words.output.contains("\(difference.pointer): expected \(difference.expected), found \(difference.found)"),
          "\(what): \(words.output)")
      }
    }
  }

  /// In the row it is encrypted: what nobody can compare is said, and what can be is compared all the same.
  private func expectPersonalTextNamed(_ personal: GivenAnswer) async throws {
    let pointers = ["/events/0/data/date_of_birth", "/events/0/data/name"]
    let honest = try await personal.verify()
    #expect(honest.valid && honest.not_compared.map(\.pointer).sorted() == pointers, "\(honest)")
    let words = try await personal.verifyInWords()
    #expect(words.status == 0)
    #expect(
      words.output.contains(
        "not compared: /events/0/data/name (personal text, encrypted in the log; its length, 11 bytes, is right)"))
    var data = try #require(personal.event["data"] as? [String: Any])
    #expect(data["name"] as? String == "Hine Parata")
    // Another name of the same length nobody can tell, so it is said that it wasn't compared; of another length, it is
    // found.
    data["name"] = "Hone Parata"
    let other = try await personal.with(event: ["data": data]).verify()
    #expect(other.valid && other.not_compared.map(\.pointer).sorted() == pointers)
    data["name"] = "Hinemoa Parata"
    let longer = try await personal.with(event: ["data": data]).verify()
    #expect(
      longer.differences == [
        Difference(pointers[1], "personal text of 11 bytes, encrypted in the log", #""Hinemoa Parata""#)
      ])
    data["name"] = ["withheld": true]
    let withheld = try await personal.with(event: ["data": data]).verify()
    #expect(withheld.valid && withheld.not_compared.map(\.reason).contains("personal text, withheld in the answer"))
    data["country"] = "AU"
    let moved = try await personal.with(event: ["data": data]).verify()
    #expect(moved.differences == [Difference("/events/0/data/country", #""NZ""#, #""AU""#)])
    data.removeValue(forKey: "name")
    #expect(try await personal.with(event: ["data": data]).verify().differences?.count == 2)
  }

  /// Left out of the answer and of the receipt alike: the rows themselves say how many there are.
  private func expectPartsOfTheReceiptLeftOutFound(_ several: GivenAnswer) async throws {
    let events = try #require(several.answer["events"] as? [[String: Any]])
    let receipt = try #require(several.answer["receipt"] as? [String: Any])
    let rows = try #require(receipt["events"] as? [[String: Any]])
    func without(_ events: [[String: Any]], _ rows: [[String: Any]], from position: Int, to last: Int) throws
      -> GivenAnswer
    {
      let receipt = receipt.merging(["events": rows, "position": position]) { $1 }
      return try several.with(answer: ["events": events, "receipt": receipt, "position": last])
    }
    let last = several.position
    let end = try await without(
      Array(events.dropLast()), Array(rows.dropLast()), from: last - 2, to: last - 1
    ).verify()
    #expect(!end.valid && end.fault?.contains("led to 3 events, and 2 are proved") == true, "\(end)")
    let start = try await without(Array(events.dropFirst()), Array(rows.dropFirst()), from: last - 1, to: last).verify()
    #expect(!start.valid && start.fault?.contains("it is number 1 of its command") == true, "\(start)")
  }
}

/// What `kauri verify-receipt --json` says.
private struct Result: Decodable, Equatable {
  struct Omission: Decodable, Equatable {
    let pointer: String
    let reason: String
  }

  struct Row: Decodable, Equatable {
    let position: Int
    let recorded_at: String
    let actor: String
  }

  let valid: Bool
  var fault: String?
  var differences: [Difference]?
  var not_compared: [Omission] = []
  var events: [Row]?
}

private struct Difference: Decodable, Hashable {
  let pointer: String
  let expected: String
  let found: String

  init(_ pointer: String, _ expected: String, _ found: String) {
    (self.pointer, self.expected, self.found) = (pointer, expected, found)
  }
}

/// An answer with a receipt, to be forged and verified.
private struct GivenAnswer {
  private let bytes: [UInt8]
  private let directory: String

  init(_ bytes: [UInt8], in directory: String) throws {
    (self.bytes, self.directory) = (bytes, directory)
    _ = try JSONSerialization.jsonObject(with: Data(bytes))
  }

  var answer: [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]) ?? [:]
  }

  var event: [String: Any] { (answer["events"] as? [[String: Any]])?.first ?? [:] }
  var position: Int { answer["position"] as? Int ?? 0 }
  var commandID: String { answer["command_id"] as? String ?? "" }

  /// The same with some of its members, and of its first event's, replaced.
  func with(answer changed: [String: Any] = [:], event changedEvent: [String: Any] = [:]) throws -> GivenAnswer {
    var object = answer
    if !changedEvent.isEmpty {
      let events = try #require(object["events"] as? [[String: Any]])
      object["events"] = [events[0].merging(changedEvent) { $1 }] + events.dropFirst()
    }
    return try GivenAnswer(
      Array(JSONSerialization.data(withJSONObject: object.merging(changed) { $1 })), in: directory)
  }

  func receiptAlone() throws -> GivenAnswer {
    try GivenAnswer(
      Array(JSONSerialization.data(withJSONObject: try #require(answer["receipt"]))), in: directory)
  }

  /// - Parameter keepingRows: else what the result says of the rows is left out of it.
  func verify(keepingRows: Bool = false) async throws -> Result {
    let outcome = try await run(["--json"])
    var result = try JSONDecoder().decode(Result.self, from: Data(outcome.output.utf8))
    #expect(outcome.status == (result.valid ? 0 : 1), "\(outcome.output)")
    if !keepingRows { result.events = nil }
    return result
  }

  func verifyInWords() async throws -> KauriProcess.Outcome { try await run([]) }

  private func run(_ options: [String]) async throws -> KauriProcess.Outcome {
    try Files.write(bytes, to: "\(directory)/answer.json", mode: 0o644)
    return try await KauriProcess.run(
      ["verify-receipt", "\(directory)/answer.json", "--key", "\(directory)/bank.pub"] + options)
  }
}
