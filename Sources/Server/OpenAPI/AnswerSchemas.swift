import Commands
import Ledger
import Projections

/// What the server's answers look like.
enum AnswerSchemas {
  private typealias Field = Schema.Property

  private static func optional(_ name: String, _ schema: Schema, _ about: String? = nil) -> Field {
    Field(name, schema, required: false, about)
  }

  static let position = Schema.integer(0...Int64.max)
  private static let minorUnits = Schema.string(pattern: "^(0|-?[1-9][0-9]{0,18})$")
  private static let positionField = Field("position", position, "The log position that the answer reflects.")
  private static let nextCursor = optional("next_cursor", .string(), "Of the next page; missing on the last.")
  /// Clear text, or an object that says why it isn't shown.
  private static let personalText = Schema.oneOf([
    .string(),
    .object([
      optional("withheld", .boolean, "There is a text, and the caller may not see it."),
      optional("erased", .boolean, "There was a text, and nobody can read it any more."),
    ]),
  ])

  /// The components that routes refer to.
  static let components: [(name: String, schema: Schema)] = [
    ("Problem", .object(problem)),
    ("Check", check),
    ("Event", .object(event)),
    ("Outcome", .object(outcome)),
    ("Decline", .object(decline)),
    (
      "BatchLine",
      .object([
        Field("id", .uuid), Field("command", .string()), Field("data", .anyObject(about: "The command's fields.")),
      ])
    ),
    ("BatchOutcome", .oneOf([.object(outcomeInBatch), .reference("Decline"), .object(fault)])),
    ("Account", .object(account + [positionField])),
    ("Balance", balance), ("Entries", entries), ("Limits", limits), ("Holds", holds),
    ("Customer", customer),
    ("Accounts", .object([Field("accounts", .array(.object(account))), nextCursor, positionField])),
    ("Transfer", transfer), ("SanctionsLists", sanctionsLists), ("SanctionsEntries", sanctionsEntries),
    ("Approvals", approvals), ("Events", events),
    ("Receipt", receipt), ("Inclusion", inclusion), ("Consistency", consistency),
    (
      "Readiness",
      .object([
        Field("ready", .boolean),
        Field(
          "checks",
          .array(.object([Field("name", .string()), Field("passed", .boolean), optional("detail", .string())]))),
      ])
    ),
    ("Liveness", .object([Field("live", .boolean)])),
  ]

  private static let problem: [Schema.Property] = [
    Field("type", .string(format: "uri")), Field("title", .string()), Field("status", .integer(400...599)),
    optional("detail", .string()), Field("code", .choice(ProblemCode.allCases.map(\.rawValue))),
    optional("pointer", .string(), "The place in the request's content, as a JSON pointer."),
    optional("command_id", .uuid), optional("position", position), optional("current_version", position),
    optional("kept_position", position),
    Field(
      "retryable", .boolean,
      "Whether the same request, sent again as it is and under the same Idempotency-Key, may succeed later."),
  ]
  private static let fault = [Field("line", .integer(1...Int64.max))] + problem
  private static let check = Schema.anyObject(
    about:
      "`code`, `passed`, and the figures that were compared; amounts are strings of minor units. A customer gets its "
      + "own figures without those of scores, and of the other party one check, `creditor_not_payable`.")
  private static let event: [Schema.Property] = [
    Field("position", position), Field("stream", .string(), "`kind/uuid`."), Field("type", .string()),
    Field("data", .anyObject(about: "The event's own fields.")),
  ]
  private static let outcome: [Schema.Property] = [
    Field("command_id", .uuid), Field("command", .string()), Field("outcome", .choice(["accepted"])),
    Field("position", position), optional("checks", .array(.reference("Check"))),
    Field("events", .array(.reference("Event"))), receiptField,
  ]
  private static let outcomeInBatch =
    [Field("status", .integer(201...201))] + outcome + [optional("replayed", .boolean)]
  private static let decline: [Schema.Property] = [
    Field("type", .string(format: "uri")), Field("title", .string()), Field("status", .integer(403...422)),
    Field("code", .choice(RejectionCode.allCases.map(\.rawValue))),
    Field(
      "retryable", .boolean,
      "Always false: the decline is recorded, and its Idempotency-Key is answered with it for ever. Whoever asks again "
        + "asks under a new key."),
    Field("command_id", .uuid), Field("command", .string()), Field("outcome", .choice(["declined", "refused"])),
    Field("position", position), optional("replayed", .boolean), optional("checks", .array(.reference("Check"))),
    optional("events", .array(.reference("Event"))), receiptField,
  ]

  private static let account: [Schema.Property] = [
    Field("account_id", .uuid), Field("kind", CommandSchemas.choices(AccountKind.self)), optional("customer_id", .uuid),
    Field("currency", CommandSchemas.currency), optional("name", personalText), optional("number", .string()),
    optional("classification", CommandSchemas.choices(Classification.self)),
    Field("status", CommandSchemas.choices(AccountStatus.self)), Field("overdraft", minorUnits),
    Field("allow_negative", .boolean), Field("posted", minorUnits), Field("held", minorUnits),
    optional("available", minorUnits, "posted − held + overdraft; missing where the account has no floor."),
    Field("scores", scores), Field("version", position, "Of its stream, for If-Match."),
  ]
  private static let score = Schema.object([
    Field("score", .integer(0...1000)), Field("model", .string()), Field("scored_at", .moment),
    Field("age_seconds", .integer(Int64.min...Int64.max)),
  ])
  private static let scores = Schema.object([
    optional("fraud", score, "Scores are never shown to a customer."), optional("risk", score), optional("aml", score),
  ])
  private static let balance = Schema.object([
    Field("account_id", .uuid), Field("currency", CommandSchemas.currency), Field("posted", minorUnits),
    Field("held", minorUnits), optional("available", minorUnits), positionField,
  ])
  private static let entries = Schema.object([
    Field("account_id", .uuid),
    Field(
      "entries",
      .array(
        .object([
          Field("position", position), Field("leg", position), Field("kind", CommandSchemas.choices(EntryKind.self)),
          Field("movement_id", .uuid), Field("direction", CommandSchemas.choices(Direction.self)),
          Field("amount", minorUnits), Field("balance", minorUnits, "The posted balance after this entry."),
          optional("counterparty_account_id", .uuid), Field("book_date", .date), optional("value_date", .date),
          Field("recorded_at", .moment), optional("reference", personalText),
          optional("reason", personalText, "Of a reversal."),
        ]))), nextCursor, positionField,
  ])
  private static let limits = Schema.object([
    Field("account_id", .uuid), Field("book_date", .date),
    Field(
      "limits",
      .array(
        .object([
          Field("scope", CommandSchemas.choices(SubjectKind.self)), Field("subject_id", .uuid),
          Field("kind", CommandSchemas.choices(LimitKind.self)), Field("currency", CommandSchemas.currency),
          Field("limit", minorUnits), optional("used", minorUnits), optional("left", minorUnits),
          optional("window_start", .date),
        ]))), positionField,
  ])
  private static let holds = Schema.object([
    Field("account_id", .uuid),
    Field(
      "holds",
      .array(
        .object([
          Field("hold_id", .uuid), Field("account_id", .uuid), Field("amount", minorUnits),
          Field("currency", CommandSchemas.currency), optional("expires_at", .moment),
          Field("status", CommandSchemas.choices(HoldStatus.self)), Field("placed_on", .date),
          Field("version", position),
        ]))), nextCursor, positionField,
  ])
  private static let customer = Schema.object([
    Field("customer_id", .uuid), Field("status", CommandSchemas.choices(CustomerStatus.self)),
    Field("name", personalText), optional("date_of_birth", personalText), optional("country", .string()),
    Field("sanctions_match", .boolean), Field("scores", scores),
    Field(
      "limits",
      .array(
        .object([
          Field("currency", CommandSchemas.currency), Field("kind", CommandSchemas.choices(LimitKind.self)),
          Field("limit", minorUnits),
        ]))), Field("accounts", .array(.uuid)), Field("version", position), positionField,
  ])
  private static let transfer = Schema.object([
    Field("transfer_id", .uuid), Field("status", CommandSchemas.choices(TransferStatus.self)),
    Field("debit_account_id", .string()), Field("credit_account_id", .string()), Field("amount", minorUnits),
    Field("currency", CommandSchemas.currency), optional("reference", personalText),
    optional("channel", CommandSchemas.choices(Channel.self)), optional("value_date", .date),
    optional("occurred_at", .moment),
    Field(
      "history",
      .array(
        .object([
          Field("status", CommandSchemas.choices(TransferStatus.self)), Field("position", position),
          Field("type", .string()), Field("command_id", .uuid), Field("recorded_at", .moment),
        ]))), positionField,
  ])
  private static let sanctionsLists = Schema.object([
    Field(
      "lists",
      .array(
        .object([
          Field("list", .string()), Field("version", .string()), Field("entries", position),
          Field("changed_at_position", position),
        ]))), nextCursor, positionField,
  ])
  private static let sanctionsEntries = Schema.object([
    Field(
      "entries",
      .array(
        .object([
          Field("list", .string()), Field("list_version", .string()), Field("removed", .boolean),
          Field("entry", .anyObject(about: "As its publisher has it.")),
        ]))), positionField,
  ])
  private static let approvals = Schema.object([
    Field(
      "approvals",
      .array(
        .object([
          Field("command_id", .uuid),
          Field("kind", .choice(["transfer", "journal", "policy", "rule_set", "sanctions_match"])),
          Field("command", .string()), Field("maker", .string()), Field("waiting_since", .moment),
          Field("stream", .string()),
          Field("data", .anyObject(about: "What the command asked for, personal text withheld.")),
        ]))), nextCursor, positionField,
  ])
  private static let hash = Schema.string(pattern: "^[A-Za-z0-9+/]{43}=$")
  private static let proof = Schema.array(hash)
  private static let receiptField = optional(
    "receipt", .reference("Receipt"), "Where it was asked for with Prefer: receipt. `kauri verify-receipt` checks it.")
  private static let receipt = Schema.object([
    Field("position", position, "Of the command's first event."),
    Field("tree_size", position), Field("checkpoint", .string(), "A signed note over the tree of that size."),
    Field(
      "events",
      .array(
        .object([
          Field("row", .string(), "The event's row in its canonical bytes, base64."), Field("leaf_hash", hash),
          Field("proof", proof),
        ]))),
  ])
  private static let inclusion = Schema.object([
    Field("position", position), Field("tree_size", position), Field("leaf_hash", hash), Field("root", hash),
    Field("proof", proof, "RFC 6962's audit path, the leaf's sibling first."),
  ])
  private static let consistency = Schema.object([
    Field("size1", position), Field("size2", position), Field("root1", hash), Field("root2", hash),
    Field("proof", proof, "RFC 6962's consistency proof."),
  ])
  private static let events = Schema.object([
    Field(
      "events",
      .array(
        .object(
          event + [
            Field("stream_version", position), Field("command_id", .uuid), Field("actor", .string()),
            Field("recorded_at", .moment), Field("book_date", .date), Field("correlation_id", .uuid),
            optional("causation_id", .uuid),
          ]))), Field("next_after", position, "Pass as `after` for the next page."),
    Field("incarnation", .integer(1...Int64.max), "Pass as `incarnation` with it."), positionField,
  ])
}
