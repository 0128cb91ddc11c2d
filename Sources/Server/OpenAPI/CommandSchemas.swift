import Ledger

/// The fields of every command, as the contract has them. A test gives each command exactly these and is taken at its
/// word.
enum CommandSchemas {
  private typealias Field = Schema.Property

  static let amount = Schema.oneOf([
    .string(pattern: "^[1-9][0-9]{0,18}$"), .integer(1...Int64.max),
  ])
  static let amountOrZero = Schema.oneOf([
    .string(pattern: "^(0|[1-9][0-9]{0,18})$"), .integer(0...Int64.max),
  ])
  /// ISO 4217.
  static let currency = Schema.string(pattern: "^[A-Z]{3}$")
  /// An account number of New Zealand (bank, branch, base, suffix) or of Australia (BSB, account), with a hyphen, a
  /// space or nothing between the parts. That it must be one that can exist, check digit and all, is more than a pattern
  /// can say.
  private static let numberPattern =
    "[0-9]{2}[- ]?[0-9]{4}[- ]?[0-9]{7}[- ]?[0-9]{2,3}|[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{2,9}"
  static let number = Schema.string(pattern: "^(\(numberPattern))$")
  /// A UUID, or an account number.
  static let account = Schema.string(
    pattern: "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|\(numberPattern))$")

  private static let text = Schema.string(maxLength: FieldLimit.text)
  private static let requiredText = Schema.string(minLength: 1, maxLength: FieldLimit.text)
  private static let name = Schema.string(minLength: 1, maxLength: FieldLimit.name)
  private static let code = Schema.string(minLength: 1, maxLength: FieldLimit.code)

  private static func optional(_ name: String, _ schema: Schema, _ about: String? = nil) -> Field {
    Field(name, schema, required: false, about)
  }

  private static let customer = Field("customer_id", .uuid)
  private static let reason = optional("reason", text)
  private static let accountState = [Field("account_id", account), reason]
  private static let decision = [Field("command_id", .uuid, "The command that waits."), reason]
  private static let score = [
    Field("subject_id", account, "A customer's id, an account's id, or an account number."),
    Field("score", .integer(0...1000)), Field("model", code), Field("scored_at", .moment),
  ]
  private static let finding = [customer, optional("list", code), optional("entry_id", code), reason]
  private static let posting = Schema.object([
    Field("account_id", account), Field("direction", choices(Direction.self)), Field("amount", amount),
    Field("currency", currency),
  ])
  private static let entry = Schema.object([
    Field("id", code), Field("name", requiredText),
    optional("aliases", names), optional("countries", names), optional("dates_of_birth", names),
    optional("program", text), optional("remarks", .string(maxLength: 4 * FieldLimit.text)),
  ])
  private static let names = Schema.array(text, 0...FieldLimit.namesPerEntry)

  static func choices<Choice: RawRepresentable<String> & CaseIterable>(_: Choice.Type) -> Schema {
    .choice(Choice.allCases.map(\.rawValue))
  }

  static let fields: [String: [Schema.Property]] = [
    "RegisterCustomer": [
      customer, Field("name", name), optional("date_of_birth", .date),
      optional("country", .string(pattern: "^[A-Z]{2}$"), "ISO 3166-1 alpha-2."),
    ],
    "VerifyCustomer": [customer],
    "RejectCustomer": [customer, reason],
    "SuspendCustomer": [customer, reason],
    "EraseCustomer": [
      customer,
      Field("reason", requiredText, "It outlives the person: not a word about who it was."),
    ],
    "OpenAccount": [
      Field("account_id", .uuid), optional("kind", choices(AccountKind.self), "customer when it isn't given."),
      optional("customer_id", .uuid, "Of a customer account, and of no other."), Field("currency", currency),
      optional("name", .string(maxLength: FieldLimit.name)),
      optional("number", number, "NZ 2-4-7-2 or 2-4-7-3, or AU BSB and account; unique, check digit verified."),
      optional("overdraft", amountOrZero), optional("allow_negative", .boolean, "Internal accounts only."),
      optional("classification", choices(Classification.self), "Internal accounts only."),
    ],
    "FreezeAccount": accountState,
    "UnfreezeAccount": accountState,
    "CloseAccount": accountState,
    "PostTransfer": [
      optional("transfer_id", .uuid, "The command's id when it isn't given."), Field("debit_account_id", account),
      Field("credit_account_id", account), Field("amount", amount, "Minor units, as a string or an integer."),
      Field("currency", currency), optional("reference", text), optional("channel", choices(Channel.self)),
      optional("value_date", .date), optional("occurred_at", .moment),
    ],
    "PostJournal": [
      optional("journal_id", .uuid, "The command's id when it isn't given."),
      Field("postings", .array(posting, 2...FieldLimit.postingsPerJournal)), optional("reference", text),
      optional("value_date", .date),
    ],
    "ReverseTransfer": [Field("transfer_id", .uuid), Field("reason", requiredText)],
    "PlaceHold": [
      optional("hold_id", .uuid, "The command's id when it isn't given."), Field("account_id", account),
      Field("amount", amount), Field("currency", currency), optional("expires_at", .moment),
    ],
    "CaptureHold": [
      Field("hold_id", .uuid), Field("credit_account_id", account),
      optional("amount", amount, "All that is held when it isn't given; what isn't captured is released."),
    ],
    "ReleaseHold": [Field("hold_id", .uuid), reason],
    "ExpireHold": [Field("hold_id", .uuid)],
    "Approve": decision,
    "Reject": decision,
    "SetLimit": [
      Field("subject_id", account, "A customer's id, an account's id, or an account number."),
      Field("kind", choices(LimitKind.self)),
      Field("amount", .oneOf([amountOrZero, .null]), "Null lifts the limit."), Field("currency", currency),
    ],
    "SetPolicy": [
      Field("policy", .choice(PolicyNames.all)), Field("value", .oneOf([.string(), .integer(0...Int64.max)])),
      optional("currency", currency, "Of fraud_score_reduced_limit, and of no other."),
    ],
    "RecordFraudScore": score,
    "RecordRiskScore": score,
    "RecordAmlScore": score,
    "ImportSanctionsList": [
      Field("list", code), Field("version", .oneOf([code, .integer(Int64.min...Int64.max)])),
      Field("entries", .array(entry, 0...FieldLimit.entriesPerList)),
    ],
    "ConfirmMatch": finding,
    "ClearMatch": finding,
    "ActivateRuleSet": [
      Field("rule_set", .integer(1...Int64(Int32.max)), "Newer than the active one, and known to the server's build.")
    ],
  ]

  static let summaries: [String: String] = [
    "RegisterCustomer": "Make a person or company known to the bank.",
    "VerifyCustomer": "The customer's identity has been checked, or its suspension ends.",
    "RejectCustomer": "The customer's identity could not be established.",
    "SuspendCustomer": "Stop all of a customer's money from moving.",
    "EraseCustomer": "Erase who a customer was, for ever.",
    "OpenAccount": "Open an account of a verified customer, or an internal one.",
    "FreezeAccount": "Stop money from moving in or out of an account.",
    "UnfreezeAccount": "Let it move again.",
    "CloseAccount": "Close an account for ever.",
    "PostTransfer": "Move money from one account to another.",
    "PostJournal": "Move money among any number of accounts at once.",
    "ReverseTransfer": "Give a posted transfer's money back.",
    "PlaceHold": "Reserve money on an account.",
    "CaptureHold": "Move held money, all of it or a part.",
    "ReleaseHold": "Give held money back.",
    "ExpireHold": "Give held money back because its time has come; before it, the answer is not_due.",
    "Approve": "Let what waits for a second person go ahead.",
    "Reject": "Stop what waits for a second person.",
    "SetLimit": "Set or lift a limit of a customer or an account.",
    "SetPolicy": "Propose another value of a policy; a second person decides.",
    "RecordFraudScore": "Take in a fraud score.",
    "RecordRiskScore": "Take in a customer risk score.",
    "RecordAmlScore": "Take in a money-laundering score.",
    "ImportSanctionsList": "Take in a newer version of a sanctions list, whole.",
    "ConfirmMatch": "Propose that a customer is the one on a list; a second person decides.",
    "ClearMatch": "Propose that a customer is somebody else than the one on a list; a second person decides.",
    "ActivateRuleSet": "Propose that decisions follow another set of rules; a second person decides.",
  ]
}

/// The policies that can be set, by the names that the contract has for them.
enum PolicyNames {
  static let all: [String] = {
    var policies = Policies()
    policies.reducedLimits[.nzd] = 0
    return policies.changes.compactMap { change in
      var writer = RecordWriter()
      writer.json.beginObject()
      SetPolicy(change: change).write(to: &writer)
      writer.json.endObject()
      guard var object = try? JSONDocument(writer.json.bytes).root.object() else { return nil }
      return try? object.required("policy").string()
    }
  }()
}
