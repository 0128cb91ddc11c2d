/// What the contract says of a route.
struct Operation: Sendable {
  struct Parameter: Sendable {
    let name: String
    let about: String
    let schema: Schema
  }

  struct Content: Sendable {
    let type: String
    let schema: Schema
    /// Such a content, as JSON.
    var example: String?
  }

  struct Success: Sendable {
    let status: Int
    let about: String
    let contents: [Content]
    /// Whether the answer says which log position it reflects.
    let hasPosition: Bool
    /// Further fields of its head.
    var headers: [AnswerHeader] = []
  }

  /// Unique, for code generators.
  let id: String
  let tag: Tag
  let summary: String
  /// What stands in the path's braces.
  let parameter: Parameter?
  let headers: [Parameter]
  /// Those of `headers` that must be there.
  let requiredHeaders: Set<String>
  let body: Content?
  let success: Success
  /// Answers that are neither what was asked for nor a problem.
  let otherAnswers: [Success]
  /// Beyond those that every route may answer with.
  let problems: [ProblemCode]
  /// A problem document that isn't a server's but a decline, with its status.
  let decline: Schema?

  enum Tag: String, CaseIterable, Sendable {
    case commands = "Commands"
    case accounts = "Accounts"
    case customers = "Customers"
    case transfers = "Transfers"
    case sanctions = "Sanctions"
    case approvals = "Approvals"
    case log = "Log"
    case audit = "Audit"
    case probes = "Probes"

    var about: String {
      switch self {
      case .commands: "The one way in: every change is a command, and every command leaves an event."
      case .accounts: "Balances, statements, limits and holds."
      case .customers: "Customers and what is known of them."
      case .transfers: "Transfers with their history."
      case .sanctions: "Sanctions lists in force."
      case .approvals: "What waits for a second person."
      case .log: "The log of events itself."
      case .audit: "What proves that the log is what it was."
      case .probes: "For whoever runs the server."
      }
    }
  }

  init(
    _ id: String, _ tag: Tag, _ summary: String, parameter: Parameter? = nil, headers: [Parameter] = [],
    requiredHeaders: Set<String> = [], body: Content? = nil, success: Success,
    otherAnswers: [Success] = [], problems: [ProblemCode] = [], decline: Schema? = nil
  ) {
    self.id = id
    self.tag = tag
    self.summary = summary
    self.parameter = parameter
    self.headers = headers
    self.requiredHeaders = requiredHeaders
    self.body = body
    self.success = success
    self.otherAnswers = otherAnswers
    self.problems = problems
    self.decline = decline
  }

  /// A read that is answered with one JSON document.
  static func read(
    _ id: String, _ tag: Tag, _ summary: String, parameter: Parameter? = nil, headers: [Parameter] = [],
    answer: Schema, others: [Content] = [], problems: [ProblemCode] = [], hasVersion: Bool = false
  ) -> Operation {
    Operation(
      id, tag, summary, parameter: parameter, headers: headers,
      success: Success(
        status: 200, about: "The answer.", contents: [Content(type: Reply.json, schema: answer)] + others,
        hasPosition: true, headers: hasVersion ? [.eTag] : []),
      problems: [.invalidParameter, .positionNotReached, .databaseUnavailable, .readModelOutdated]
        + (parameter == nil ? [] : [.notFound]) + problems)
  }

  /// One command.
  static func command(_ name: String) -> Operation {
    let fields = CommandSchemas.fields[name] ?? []
    return Operation(
      "give\(name)", .commands, CommandSchemas.summaries[name] ?? name,
      headers: [
        Parameter(
          name: "Idempotency-Key",
          about:
            "Becomes the command's id. The same key, caller and content are answered with the first outcome again.",
          schema: .uuid),
        Parameter(
          name: "If-Match", about: "The version, in quotation marks, that the stream must have.",
          schema: .string(pattern: #"^"[0-9]+"$"#)),
        Parameter(
          name: "Prefer",
          about:
            "`receipt` asks for a proof with the answer, which then says Preference-Applied: receipt.",
          schema: .string(maxLength: 200)),
      ], requiredHeaders: ["Idempotency-Key"],
      body: Content(type: Reply.json, schema: .object(fields), example: CommandSchemas.examples[name]),
      success: Success(
        status: 201, about: "Accepted: what it led to.",
        contents: [Content(type: Reply.json, schema: .reference("Outcome"))], hasPosition: true,
        headers: [.location, .idempotencyReplayed, .preferenceApplied]),
      problems: [
        .invalidRequest, .missingIdempotencyKey, .invalidHeader, .requestTimeout, .versionConflict, .notDue,
        .bodyTooLarge,
        .unsupportedMediaType, .idempotencyKeyReused, .queueFull, .databaseUnavailable, .unknownRuleSet,
        .logNotSealed, .clockAhead,
      ], decline: .reference("Decline"))
  }

  /// A batch of commands.
  static let batch = Operation(
    "giveCommands", .commands,
    "Give up to 8,192 commands, one a line, each for itself; outcomes come in the same order. Each line has its key in `id`: "
      + "neither Idempotency-Key nor If-Match is taken.",
    body: Content(
      type: Reply.lines, schema: .reference("BatchLine"),
      example: CommandSchemas.examples["PostTransfer"].map {
        #"{"id":"01990000-0000-7000-8000-00000000c001","command":"PostTransfer","data":\#($0)}"#
      }),
    success: Success(
      status: 200, about: "One outcome a line, in the order of the request's lines.",
      contents: [Content(type: Reply.lines, schema: .reference("BatchOutcome"))], hasPosition: false),
    problems: [
      .invalidRequest, .invalidHeader, .requestTimeout, .bodyTooLarge, .unsupportedMediaType, .queueFull,
      .databaseUnavailable, .unknownRuleSet, .logNotSealed, .clockAhead,
    ])
}
