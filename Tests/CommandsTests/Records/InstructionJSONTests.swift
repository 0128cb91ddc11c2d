import Commands
import Ledger
import Testing

/// What clients may and may not write.
@Suite struct InstructionJSONTests {
  private func written(_ instruction: Instruction) -> String {
    var writer = RecordWriter()
    writer.json.beginObject()
    instruction.write(to: &writer)
    writer.json.endObject()
    return String(decoding: writer.json.bytes, as: UTF8.self)
  }

  private func fields(_ json: String) throws -> [(key: String, value: JSONValue)] {
    Array(try JSONDocument(Array(json.utf8)).root.object())
  }

  /// The object with some of its fields replaced; nil takes one away.
  private func changed(_ json: String, _ key: String, to value: String?) throws -> String {
    var members: [String] = []
    for field in try fields(json) {
      if field.key != key {
        members.append("\"\(field.key)\":\(String(decoding: field.value.rawBytes, as: UTF8.self))")
      } else if let value {
        members.append("\"\(key)\":\(value)")
      }
    }
    return "{\(members.joined(separator: ","))}"
  }

  private func fault(_ sample: Sample, _ json: String) throws -> JSONFault? {
    do {
      _ = try Sample.read(sample.name, json, sample.source)
      return nil
    } catch let fault as JSONFault {
      return fault
    }
  }

  /// Expects a refusal that points to `pointer` or into it.
  private func expectFault(
    _ sample: Sample, _ json: String, at pointer: String, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let fault = try fault(sample, json)
    #expect(
      fault?.pointer == pointer || fault?.pointer.hasPrefix(pointer + "/") == true,
      "\(sample.name) \(json): \(fault.map { "\($0)" } ?? "accepted")", sourceLocation: location)
  }

  @Test(arguments: Sample.instructions + Sample.variants) func writesWhatItRead(_ sample: Sample) throws {
    let instruction = try sample.read()
    #expect(instruction.name == sample.name)
    #expect(written(instruction) == sample.json)
    #expect(try Sample.read(sample.name, written(instruction), sample.source) == instruction)
  }

  @Test(arguments: Sample.instructions) func orderOfFieldsDoesNotMatter(_ sample: Sample) throws {
    let members = try fields(sample.json).reversed().map {
      "\"\($0.key)\" : \(String(decoding: $0.value.rawBytes, as: UTF8.self))"
    }
    let shuffled = try Sample.read(sample.name, "{ \(members.joined(separator: " , ")) }", sample.source)
    #expect(written(shuffled) == sample.json)
  }

  @Test(arguments: Sample.instructions) func samplesUseEveryField(_ sample: Sample) throws {
    #expect(sample.required.isSubset(of: Set(try fields(sample.json).map(\.key))))
  }

  @Test(arguments: Sample.instructions) func requiredFieldsAreRequired(_ sample: Sample) throws {
    for (key, _) in try fields(sample.json) {
      let without = try changed(sample.json, key, to: nil)
      if sample.required.contains(key) {
        try expectFault(sample, without, at: "/\(key)")
        if key != "amount" || sample.name != "SetLimit" {
          try expectFault(sample, try changed(sample.json, key, to: "null"), at: "/\(key)")
        }
      } else {
        #expect(try fault(sample, without) == nil, "\(sample.name) without \(key)")
        // Null is the same as leaving it out.
        #expect(
          try Sample.read(sample.name, try changed(sample.json, key, to: "null"), sample.source)
            == (try Sample.read(sample.name, without, sample.source)))
      }
    }
  }

  @Test(arguments: Sample.instructions) func wrongTypesAreRefusedWhereTheyAre(_ sample: Sample) throws {
    for (key, value) in try fields(sample.json) {
      var wrong = ["{\"x\":1}", "1.5", "1e2", "-1", "18446744073709551616"]
      if value.kind != .boolean { wrong.append("true") }
      if value.kind != .array { wrong.append("[]") }
      if value.kind == .array { wrong += ["[1]", "[[]]", "[{}]", "\"x\""] }
      for replacement in wrong {
        try expectFault(sample, try changed(sample.json, key, to: replacement), at: "/\(key)")
      }
    }
  }

  @Test(arguments: Sample.instructions) func unknownFieldsAreRefused(_ sample: Sample) throws {
    let more = sample.json.dropLast() + ",\"surprise\":1}"
    try expectFault(sample, String(more), at: "/surprise")
    for (key, value) in try fields(sample.json) where value.kind == .array {
      for (index, element) in try value.array().enumerated() where element.kind == .object {
        let inner = String(decoding: element.rawBytes, as: UTF8.self)
        let array = String(decoding: value.rawBytes, as: UTF8.self)
          .replacing(inner, with: inner.dropLast() + ",\"surprise\":1}", maxReplacements: 1)
        try expectFault(sample, try changed(sample.json, key, to: array), at: "/\(key)/\(index)/surprise")
      }
    }
  }

  @Test(arguments: Sample.instructions) func notAnObject(_ sample: Sample) throws {
    for json in ["[]", "null", "1", "\"x\""] { try expectFault(sample, json, at: "") }
  }

  /// What the log keeps sealed or erased, a client can only write in clear.
  @Test(arguments: Sample.ofClients) func clientsCanNotInjectSealedText(_ sample: Sample) throws {
    let personal: Set = ["name", "date_of_birth", "reference", "reason"]
    for (key, _) in try fields(sample.json) where personal.contains(key) {
      for marker in [
        #"{"subject":"00000000-0000-0000-0000-00000000000a","sealed":"AAAA"}"#, #"{"erased":true}"#,
        #"{"withheld":true}"#,
      ] {
        let json = try changed(sample.json, key, to: marker)
        let fault = try fault(sample, json)
        #expect(fault?.pointer == "/\(key)")
        #expect(fault?.reason == "must be a string")
      }
    }
  }

  @Test func clientsCanNotGiveKaurisOwnCommands() throws {
    for sample in Sample.instructions {
      let context = ReadingContext(command: Given.command, source: .client)
      let read = try Instruction(name: sample.name, from: try JSONDocument(Array(sample.json.utf8)).root, in: context)
      #expect((read != nil) == sample.isPublic)
    }
    #expect(Set(Instruction.publicNames) == Set(Sample.ofClients.map(\.name)))
    let empty = try JSONDocument(Array("{}".utf8)).root
    for name in ["", "posttransfer", "erasecustomer", "InitiatePayment", "TransferPosted"] {
      #expect(try Instruction(name: name, from: empty, in: ReadingContext(command: .zero, source: .client)) == nil)
    }
  }

  @Test func idsDefaultToTheCommand() throws {
    let account = Bank.everyday
    let transfer = #"{"debit_account_id":"\#(account)","credit_account_id":"\#(account)","amount":1,"currency":"NZD"}"#
    guard case .postTransfer(let post) = try Sample.read("PostTransfer", transfer, .client) else { return }
    #expect(post.transferID == Given.command)
    let hold = #"{"account_id":"\#(account)","amount":"1","currency":"NZD"}"#
    guard case .placeHold(let place) = try Sample.read("PlaceHold", hold, .client) else { return }
    #expect(place.holdID == Given.command)
    let posting = #"{"account_id":"\#(account)","direction":"debit","amount":"1","currency":"NZD"}"#
    guard
      case .postJournal(let journal) = try Sample.read("PostJournal", "{\"postings\":[\(posting),\(posting)]}", .client)
    else { return }
    #expect(journal.journalID == Given.command)
  }

  // MARK: Bounds and rules across fields

  struct Refused: Sendable, CustomTestStringConvertible {
    let name: String
    let json: String
    let pointer: String
    let reason: String
    var testDescription: String { "\(name) \(pointer) \(reason)" }

    init(_ name: String, _ json: String, _ pointer: String, _ reason: String) {
      self.name = name
      self.json = json
      self.pointer = pointer
      self.reason = reason
    }
  }

  private static let id = "00000000-0000-0000-0000-00000000000a"
  private static let account = #""account_id":"\#(id)","currency":"NZD""#
  private static let transfer = #""debit_account_id":"\#(id)","credit_account_id":"\#(id)","currency":"NZD""#
  private static let posting = #"{"account_id":"\#(id)","direction":"debit","amount":"1","currency":"NZD"}"#

  static let refused = [
    Refused("OpenAccount", "{\(account)}", "/customer_id", "is required for a customer account"),
    Refused("OpenAccount", "{\(account),\"kind\":\"customer\"}", "/customer_id", "is required"),
    Refused(
      "OpenAccount", "{\(account),\"kind\":\"internal\",\"customer_id\":\"\(id)\"}", "/customer_id",
      "is for customer accounts"),
    Refused(
      "OpenAccount", "{\(account),\"customer_id\":\"\(id)\",\"allow_negative\":true}", "/allow_negative",
      "is for internal accounts"),
    Refused(
      "OpenAccount", "{\(account),\"customer_id\":\"\(id)\",\"classification\":\"cash\"}", "/classification",
      "is for internal accounts"),
    Refused(
      "OpenAccount", "{\(account),\"kind\":\"internal\",\"classification\":\"jar\"}", "/classification", "is none of"),
    Refused("OpenAccount", "{\(account),\"kind\":\"shared\"}", "/kind", "is none of"),
    Refused("OpenAccount", "{\(account),\"kind\":\"internal\",\"overdraft\":\"-1\"}", "/overdraft", "zero or more"),
    Refused("OpenAccount", "{\(account),\"kind\":\"internal\",\"number\":\"\(id)\"}", "/number", "not an id"),
    Refused(
      "OpenAccount", "{\(account),\"kind\":\"internal\",\"number\":\"01-0902-0068388-00\"}", "/number", "check digit"),
    Refused("PostTransfer", "{\(transfer),\"amount\":\"0\"}", "/amount", "greater than zero"),
    Refused("PostTransfer", "{\(transfer),\"amount\":-5}", "/amount", "greater than zero"),
    Refused("PostTransfer", "{\(transfer),\"amount\":1.0}", "/amount", "must"),
    Refused("PostTransfer", "{\(transfer),\"amount\":1e2}", "/amount", "must"),
    Refused("PostTransfer", "{\(transfer),\"amount\":\"9223372036854775808\"}", "/amount", "must fit 64 bits"),
    Refused(
      "PostTransfer", "{\(transfer),\"amount\":1,\"reference\":\"\(String(repeating: "é", count: 501))\"}",
      "/reference", "at most 500"),
    Refused("PostTransfer", "{\(transfer),\"amount\":1,\"channel\":\"fax\"}", "/channel", "is none of"),
    Refused("PostTransfer", "{\(transfer),\"amount\":1,\"value_date\":\"2026-02-29\"}", "/value_date", "date"),
    Refused("PostJournal", "{\"postings\":[\(posting)]}", "/postings", "2 to 1000"),
    Refused(
      "PostJournal", "{\"postings\":[\(Array(repeating: posting, count: 1_001).joined(separator: ","))]}", "/postings",
      "2 to 1000"),
    Refused("ReverseTransfer", "{\"transfer_id\":\"\(id)\"}", "/reason", "is required"),
    Refused("RegisterCustomer", "{\"customer_id\":\"\(id)\",\"name\":\"\"}", "/name", "must not be empty"),
    Refused(
      "RegisterCustomer", "{\"customer_id\":\"\(id)\",\"name\":\"\(String(repeating: "n", count: 201))\"}", "/name",
      "at most 200"),
    Refused(
      "RegisterCustomer", "{\"customer_id\":\"\(id)\",\"name\":\"n\",\"date_of_birth\":\"1990-02-30\"}",
      "/date_of_birth", "date"),
    Refused(
      "RegisterCustomer", "{\"customer_id\":\"\(id)\",\"name\":\"n\",\"country\":\"nz\"}", "/country", "alpha-2"),
    Refused(
      "SetLimit", "{\"subject_id\":\"\(id)\",\"kind\":\"yearly\",\"amount\":\"1\",\"currency\":\"NZD\"}", "/kind",
      "is none of"),
    Refused(
      "SetLimit", "{\"subject_id\":\"\(id)\",\"kind\":\"daily\",\"amount\":\"-1\",\"currency\":\"NZD\"}", "/amount",
      "zero or more"),
    Refused(
      "SetLimit", "{\"subject_id\":\"\(id)\",\"kind\":\"daily\",\"currency\":\"NZD\"}", "/amount", "null for none"),
    Refused("SetPolicy", "{\"policy\":\"generosity\",\"value\":1}", "/policy", "is none of"),
    Refused("SetPolicy", "{\"policy\":\"fraud_score_maximum\",\"value\":1001}", "/value", "0 to 1000"),
    Refused("SetPolicy", "{\"policy\":\"fraud_score_maximum\",\"value\":1,\"currency\":\"NZD\"}", "/currency", "known"),
    Refused("SetPolicy", "{\"policy\":\"fraud_score_reduced_limit\",\"value\":\"1\"}", "/currency", "is required"),
    Refused(
      "RecordRiskScore",
      "{\"subject_id\":\"\(id)\",\"score\":1001,\"model\":\"m\",\"scored_at\":\"2026-11-18T00:00:00Z\"}", "/score",
      "0 to 1000"),
    Refused(
      "ImportSanctionsList",
      "{\"list\":\"UN\",\"version\":1,\"entries\":[{\"id\":\"1\",\"name\":\"a\"},{\"id\":\"1\",\"name\":\"b\"}]}",
      "/entries/1", "repeats the id"),
    // One text to Unicode, two to a database: "e" with an accent, and with one that is combined.
    Refused(
      "ImportSanctionsList", "{\"list\":\"Lis\u{e9}\",\"version\":1,\"entries\":[]}", "/list", "printable ASCII"),
    Refused(
      "ImportSanctionsList",
      "{\"list\":\"UN\",\"version\":1,\"entries\":[{\"id\":\"Bate\u{301}\",\"name\":\"Bat\u{e9}\"}]}",
      "/entries/0/id", "printable ASCII"),
  ]

  @Test(arguments: refused) func refuses(_ refused: Refused) throws {
    let sample = Sample(name: refused.name, required: [], json: refused.json)
    let fault = try fault(sample, refused.json)
    #expect(fault?.pointer == refused.pointer)
    #expect(fault?.reason.contains(refused.reason) == true, "\(fault?.reason ?? "accepted")")
  }

  @Test func entriesAreKeptInTheOrderOfTheirIds() throws {
    let one = #"{"list":"UN","version":7,"entries":[{"id":"b","name":"B"},{"id":"a","name":"A"}]}"#
    let other = #"{"list":"UN","version":"7","entries":[{"id":"a","name":"A"},{"id":"b","name":"B"}]}"#
    #expect(
      try Sample.read("ImportSanctionsList", one, .client) == (try Sample.read("ImportSanctionsList", other, .client)))
  }

  // MARK: The bytes that tell commands apart

  @Test func contentDiffersByActorNameAndFields() throws {
    func content(_ actor: Actor, _ instruction: Instruction) -> [UInt8] {
      var writer = RecordWriter()
      CommandEnvelope(id: Given.command, actor: actor, instruction: instruction).writeContent(to: &writer)
      return writer.json.bytes
    }
    var seen: Set<[UInt8]> = []
    var count = 0
    for actor in [Actor.maker, .checker, .named(.service, "mia")] {
      for sample in Sample.instructions + Sample.variants {
        seen.insert(content(actor, try sample.read()))
        count += 1
      }
    }
    #expect(seen.count == count)
    let verify = Instruction.verifyCustomer(VerifyCustomer(customerID: Bank.alice))
    #expect(
      String(decoding: content(.maker, verify), as: UTF8.self)
        == #"{"actor":"operator:mia","command":"VerifyCustomer","customer_id":"\#(Bank.alice)"}"#)
  }
}
