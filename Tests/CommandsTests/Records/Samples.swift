import Commands
import Ledger
import Testing

/// A command as a client writes it, every field used, in canonical form.
struct Sample: Sendable, CustomTestStringConvertible {
  let name: String
  /// Fields that can't be left out.
  let required: Set<String>
  let json: String
  /// Whether a client may send it.
  var isPublic = true

  var testDescription: String { name }

  var source: ReadingContext.Source { isPublic ? .client : .log }

  func read() throws -> Instruction { try Sample.read(name, json, source) }

  static func read(_ name: String, _ json: String, _ source: ReadingContext.Source) throws -> Instruction {
    let context = ReadingContext(command: Given.command, source: source)
    return try #require(try Instruction(name: name, from: try JSONDocument(Array(json.utf8)).root, in: context))
  }
}

extension Sample {
  private static let a = "00000000-0000-0000-0000-00000000000a"
  private static let b = "00000000-0000-0000-0000-00000000000b"
  private static let c = "00000000-0000-0000-0000-00000000000c"
  private static let score = """
    {"subject_id":"\(a)","score":1000,"model":"m-1","scored_at":"2026-11-18T01:02:03.000004Z"}
    """
  private static let match = """
    {"customer_id":"\(a)","list":"UN","entry_id":"QDi.001","reason":"same name"}
    """
  private static let scoreFields: Set = ["subject_id", "score", "model", "scored_at"]

  static let instructions: [Sample] = [
    Sample(
      name: "RegisterCustomer", required: ["customer_id", "name"],
      json: #"{"customer_id":"\#(a)","name":"Åse \"O\" Ölund","date_of_birth":"1990-02-28","country":"NZ"}"#),
    Sample(name: "VerifyCustomer", required: ["customer_id"], json: #"{"customer_id":"\#(a)"}"#),
    Sample(name: "RejectCustomer", required: ["customer_id"], json: #"{"customer_id":"\#(a)","reason":"no papers"}"#),
    Sample(name: "SuspendCustomer", required: ["customer_id"], json: #"{"customer_id":"\#(a)","reason":"court"}"#),
    Sample(
      name: "EraseCustomer", required: ["customer_id", "reason"],
      json: #"{"customer_id":"\#(a)","reason":"request 17 of 3 May"}"#),
    Sample(
      name: "OpenAccount", required: ["account_id", "customer_id", "currency"],
      json: """
        {"account_id":"\(a)","kind":"customer","customer_id":"\(b)","currency":"NZD","name":"Rainy days",\
        "number":"01-0902-0068389-00","overdraft":"5000"}
        """),
    Sample(name: "FreezeAccount", required: ["account_id"], json: #"{"account_id":"\#(a)","reason":"lost card"}"#),
    Sample(
      name: "UnfreezeAccount", required: ["account_id"], json: #"{"account_id":"01-0902-0068389-00","reason":"back"}"#),
    Sample(name: "CloseAccount", required: ["account_id"], json: #"{"account_id":"\#(a)","reason":"moved away"}"#),
    Sample(
      name: "PostTransfer", required: ["debit_account_id", "credit_account_id", "amount", "currency"],
      json: """
        {"transfer_id":"\(a)","debit_account_id":"01-0902-0068389-00","credit_account_id":"\(b)",\
        "amount":"9223372036854775807","currency":"NZD","reference":"rent","channel":"international",\
        "value_date":"2026-11-19","occurred_at":"2026-11-18T01:02:03Z"}
        """),
    Sample(
      name: "PostJournal", required: ["postings"],
      json: """
        {"journal_id":"\(a)","postings":[\
        {"account_id":"\(b)","direction":"debit","amount":"1","currency":"NZD"},\
        {"account_id":"\(c)","direction":"credit","amount":"1","currency":"NZD"}],\
        "reference":"month's end","value_date":"2026-11-30"}
        """),
    Sample(
      name: "ReverseTransfer", required: ["transfer_id", "reason"], json: #"{"transfer_id":"\#(a)","reason":"twice"}"#),
    Sample(
      name: "PlaceHold", required: ["account_id", "amount", "currency"],
      json: """
        {"hold_id":"\(a)","account_id":"\(b)","amount":"100","currency":"NZD","expires_at":"2026-11-25T00:00:00Z"}
        """),
    Sample(
      name: "CaptureHold", required: ["hold_id", "credit_account_id"],
      json: #"{"hold_id":"\#(a)","credit_account_id":"\#(b)","amount":"99"}"#),
    Sample(name: "ReleaseHold", required: ["hold_id"], json: #"{"hold_id":"\#(a)","reason":"no sale"}"#),
    Sample(name: "ExpireHold", required: ["hold_id"], json: #"{"hold_id":"\#(a)"}"#),
    Sample(name: "Approve", required: ["command_id"], json: #"{"command_id":"\#(a)","reason":"fine"}"#),
    Sample(name: "Reject", required: ["command_id"], json: #"{"command_id":"\#(a)","reason":"no"}"#),
    Sample(
      name: "SetLimit", required: ["subject_id", "kind", "amount", "currency"],
      json: #"{"subject_id":"\#(a)","kind":"rolling_30_days","amount":"0","currency":"NZD"}"#),
    Sample(
      name: "SetPolicy", required: ["policy", "value", "currency"],
      json: #"{"policy":"fraud_score_reduced_limit","value":"5000","currency":"NZD"}"#),
    Sample(name: "RecordFraudScore", required: scoreFields, json: score),
    Sample(name: "RecordRiskScore", required: scoreFields, json: score),
    Sample(name: "RecordAmlScore", required: scoreFields, json: score),
    Sample(
      name: "ImportSanctionsList", required: ["list", "version", "entries"],
      json: """
        {"list":"UN","version":"2026-11-01","entries":[{"id":"1","name":"Somebody","aliases":["Someone","S."],\
        "countries":["XX"],"dates_of_birth":["1960"],"program":"P","remarks":"R"},{"id":"2","name":"Other"}]}
        """),
    Sample(name: "ConfirmMatch", required: ["customer_id"], json: match),
    Sample(name: "ClearMatch", required: ["customer_id"], json: match),
    Sample(
      name: "OpenBook", required: ["book_id", "time_zone", "currency", "rule_set", "policies"],
      json: """
        {"book_id":"\(a)","time_zone":"Pacific/Auckland","currency":"NZD","rule_set":1,"policies":[\
        {"policy":"fraud_score_maximum","value":600},{"policy":"fraud_score_maximum_age_seconds","value":60},\
        {"policy":"fraud_score_stale","value":"block"},{"policy":"fraud_score_missing","value":"reduced_limit"},\
        {"policy":"fraud_score_reduced_limit","value":"5","currency":"AUD"},\
        {"policy":"fraud_score_reduced_limit","value":"7","currency":"NZD"},\
        {"policy":"sanctions_match_threshold","value":900},{"policy":"retention_days","value":1}]}
        """, isPublic: false),
    Sample(name: "ActivateRuleSet", required: ["rule_set"], json: #"{"rule_set":2}"#),
    Sample(
      name: "RecordDataRead", required: ["customer_id", "resource"],
      json: #"{"customer_id":"\#(a)","resource":"GET /v1/customers/{id}","object_id":"\#(b)"}"#, isPublic: false),
    Sample(
      name: "RecordRefusal", required: ["resource"],
      json: #"{"resource":"GET /v1/accounts/{id}","object_id":"\#(b)"}"#, isPublic: false),
  ]

  static var ofClients: [Sample] { instructions.filter(\.isPublic) }

  /// More ways of saying some of them, also in canonical form.
  static let variants: [Sample] = [
    Sample(
      name: "RegisterCustomer", required: [], json: #"{"customer_id":"\#(a)","name":"X"}"#),
    Sample(
      name: "OpenAccount", required: [],
      json: """
        {"account_id":"\(a)","kind":"internal","currency":"AUD","number":"062-000 12345678","allow_negative":true,\
        "classification":"settlement"}
        """),
    Sample(
      name: "SetLimit", required: [],
      json: #"{"subject_id":"01-0902-0068389-00","kind":"daily","amount":null,"currency":"NZD"}"#),
    Sample(name: "SetPolicy", required: [], json: #"{"policy":"fraud_score_missing","value":"allow"}"#),
    Sample(name: "SetPolicy", required: [], json: #"{"policy":"retention_days","value":36525}"#),
    Sample(name: "CaptureHold", required: [], json: #"{"hold_id":"\#(a)","credit_account_id":"\#(b)"}"#),
    Sample(name: "ImportSanctionsList", required: [], json: #"{"list":"UN","version":"1","entries":[]}"#),
    Sample(name: "ConfirmMatch", required: [], json: #"{"customer_id":"\#(a)"}"#),
  ]
}
