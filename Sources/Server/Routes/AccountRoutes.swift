import EventStore
import Hummingbird
import Ledger
import Projections

struct AccountRoutes {
  let reads: Reads

  private static let account = Operation.Parameter(
    name: "id", about: "The account's id or its number.", schema: CommandSchemas.account)

  private static let from = QueryParameter("from", .date, "The first book date that is wanted.")
  private static let through = QueryParameter("through", .date, "The last book date that is wanted.")
  private static let order = QueryParameter(
    "order", CommandSchemas.choices(EntriesRequest.Order.self), "newest_first when it isn't given.")

  var routes: [Route] {
    [
      Route(
        .get, "/v1/accounts/{id}", access: .everyRole, query: [.at, .atLeast],
        .read(
          "getAccount", .accounts, "An account with its money, now or in the past.", parameter: Self.account,
          answer: .reference("Account"), hasVersion: true),
        respond: account),
      Route(
        .get, "/v1/accounts/{id}/balance", access: .everyRole, query: [.at, .atLeast],
        .read(
          "getBalance", .accounts, "An account's money, now or in the past.", parameter: Self.account,
          answer: .reference("Balance")), respond: balance),
      Route(
        .get, "/v1/accounts/{id}/entries", access: .everyRole,
        query: [.limit, .cursor, .at, .atLeast, Self.from, Self.through, Self.order],
        .read(
          "listEntries", .accounts, "An account's statement, with running balances.", parameter: Self.account,
          answer: .reference("Entries")), respond: entries),
      Route(
        .get, "/v1/accounts/{id}/limits", access: .everyRole, query: [.at, .atLeast],
        .read(
          "getLimits", .accounts, "The limits on an account, and what is used and left of each.",
          parameter: Self.account,
          answer: .reference("Limits")), respond: limits),
      Route(
        .get, "/v1/accounts/{id}/holds", access: .everyRole, query: [.limit, .cursor, .at, .atLeast],
        .read(
          "listHolds", .accounts, "What is held on an account, or was.", parameter: Self.account,
          answer: .reference("Holds")),
        respond: holds),
    ]
  }

  @Sendable private func account(_ call: Call) async throws -> Response {
    let (at, atLeast) = (try call.at(), try call.atLeast())
    let (found, view) = try await find(call)
    let answer = at == nil ? found : try await reads.reader.account(.id(found.value.id), at: at, atLeast: atLeast)
    // A version of the past is none that a command could be conditional on.
    let version = at == nil ? answer.value.version : nil
    return try await reads.reply(answer, view, version: version) { account, writer in
      AccountRoutes.write(account, scores: call.shown(account.scores), asOf: answer.asOf, to: &writer)
    }
  }

  @Sendable private func balance(_ call: Call) async throws -> Response {
    let (at, atLeast) = (try call.at(), try call.atLeast())
    let (answer, view) = try await find(call, in: at, { ($0.customerID, $0.accountID) }) { reference in
      try await reads.reader.balance(reference, at: at, atLeast: atLeast)
    }
    return try await reads.reply(answer, view) { balance, writer in
      writer.json.field("account_id", balance.accountID)
      writer.json.field("currency", balance.currency)
      writer.json.field("posted", amount: balance.posted)
      writer.json.field("held", amount: balance.held)
      writer.json.field("available", amount: balance.available)
    }
  }

  @Sendable private func entries(_ call: Call) async throws -> Response {
    var request = EntriesRequest(limit: try call.query.limit(), cursor: call.query[.cursor], at: try call.at())
    request.from = try date(Self.from, call)
    request.through = try date(Self.through, call)
    if let text = call.query[Self.order] {
      guard let order = EntriesRequest.Order(rawValue: text) else {
        throw Problem(.invalidParameter, "order is \(Self.order.schema.expectation).")
      }
      request.order = order
    }
    let atLeast = try call.atLeast()
    let (found, view) = try await find(call)
    let answer = try await reads.reader.entries(.id(found.value.id), request, atLeast: atLeast)
    return try await reads.reply(answer, view, reserving: 512 + answer.value.elements.count * 384) { page, writer in
      writer.json.field("account_id", found.value.id)
      writer.json.key("entries")
      writer.json.beginArray()
      for entry in page.elements { AccountRoutes.write(entry, to: &writer) }
      writer.json.endArray()
      writer.json.field("next_cursor", page.next)
    }
  }

  @Sendable private func limits(_ call: Call) async throws -> Response {
    let (at, atLeast) = (try call.at(), try call.atLeast())
    let (answer, view) = try await find(call, in: at, { ($0.customerID, $0.accountID) }) { reference in
      try await reads.reader.limits(reference, at: at, atLeast: atLeast)
    }
    return try await reads.reply(answer, view, reserving: 1_024) { reading, writer in
      writer.json.field("account_id", reading.accountID)
      writer.json.field("book_date", reading.bookDate)
      writer.json.key("limits")
      writer.json.beginArray()
      for limit in reading.limits { AccountRoutes.write(limit, to: &writer) }
      writer.json.endArray()
    }
  }

  @Sendable private func holds(_ call: Call) async throws -> Response {
    let (limit, at, atLeast) = (try call.query.limit(), try call.at(), try call.atLeast())
    let (found, view) = try await find(call)
    let answer = try await reads.reader.holds(
      .id(found.value.id), limit: limit, cursor: call.query[.cursor], at: at, atLeast: atLeast)
    return try await reads.reply(answer, view, reserving: 1_024) { page, writer in
      writer.json.field("account_id", found.value.id)
      writer.json.key("holds")
      writer.json.beginArray()
      for hold in page.elements { AccountRoutes.write(hold, to: &writer) }
      writer.json.endArray()
      writer.json.field("next_cursor", page.next)
    }
  }

  /// The account, once the caller may see it.
  private func find(_ call: Call) async throws -> (Answer<Account>, PersonalTextView) {
    let reference = try call.account()
    let atLeast = try call.atLeast()
    let answer = try await reads.ask(call, about: reference.id) {
      try await reads.reader.account(reference, atLeast: atLeast)
    }
    return (answer, try await reads.access.view(call, of: answer.value.customerID, object: answer.value.id))
  }

  /// What is asked about an account, once the caller may see it. Whose it is doesn't depend on time, but what there was
  /// then does: of the past, the account is found and the caller looked at first, so that who may not see it doesn't
  /// learn since when it is there.
  private func find<Value>(
    _ call: Call, in point: PointInTime?, _ whose: (Value) -> (owner: CustomerID?, account: AccountID),
    _ question: (AccountReference) async throws -> Answer<Value>
  ) async throws -> (Answer<Value>, PersonalTextView) {
    if point != nil {
      let (found, view) = try await find(call)
      return (try await question(.id(found.value.id)), view)
    }
    let reference = try call.account()
    let answer = try await reads.ask(call, about: reference.id) { try await question(reference) }
    let (owner, account) = whose(answer.value)
    return (answer, try await reads.access.view(call, of: owner, object: account))
  }

  private func date(_ parameter: QueryParameter, _ call: Call) throws(Problem) -> CalendarDate? {
    guard let text = call.query[parameter] else { return nil }
    guard let date = CalendarDate(text) else {
      throw Problem(.invalidParameter, "\(parameter.name) is \(parameter.schema.expectation).")
    }
    return date
  }
}

// MARK: - As JSON

extension AccountRoutes {
  /// - Parameters:
  ///   - scores: those that the caller may see.
  ///   - asOf: what the scores' ages are counted to; nil for the moment of the answer.
  static func write(_ account: Account, scores: Scores, asOf: Moment?, to writer: inout RecordWriter) {
    writer.json.field("account_id", account.id)
    writer.json.field("kind", account.kind)
    writer.json.field("customer_id", account.customerID)
    writer.json.field("currency", account.currency)
    writer.field("name", personal: account.name)
    writer.json.field("number", account.number?.description)
    writer.json.field("classification", account.classification)
    writer.json.field("status", account.status)
    writer.json.field("overdraft", amount: account.overdraft)
    writer.json.field("allow_negative", account.allowNegative)
    writer.json.field("posted", amount: account.balance.posted)
    writer.json.field("held", amount: account.balance.held)
    writer.json.field("available", amount: account.available)
    writer.json.field(scores: scores, asOf: asOf)
    writer.json.field("version", integer: account.version)
  }

  private static func write(_ entry: Entry, to writer: inout RecordWriter) {
    writer.json.beginObject()
    writer.json.field("position", integer: entry.position)
    writer.json.field("leg", integer: entry.leg)
    writer.json.field("kind", entry.kind)
    writer.json.field("movement_id", entry.movementID)
    writer.json.field("direction", entry.direction)
    writer.json.field("amount", amount: entry.amount)
    writer.json.field("balance", amount: entry.balance)
    writer.json.field("counterparty_account_id", entry.counterparty)
    writer.json.field("book_date", entry.bookDate)
    writer.json.field("value_date", entry.valueDate)
    writer.json.field("recorded_at", entry.moment)
    // A text is opened by the name of the field that it was sealed as.
    writer.field(entry.textField, personal: entry.text)
    writer.json.endObject()
  }

  private static func write(_ limit: LimitReading, to writer: inout RecordWriter) {
    writer.json.beginObject()
    writer.json.field("scope", limit.scope)
    writer.json.field("subject_id", limit.subjectID)
    writer.json.field("kind", limit.kind)
    writer.json.field("currency", limit.currency)
    writer.json.field("limit", amount: limit.limit)
    writer.json.field("used", amount: limit.used)
    writer.json.field("left", amount: limit.left)
    writer.json.field("window_start", limit.windowStart)
    writer.json.endObject()
  }

  private static func write(_ hold: Hold, to writer: inout RecordWriter) {
    writer.json.beginObject()
    writer.json.field("hold_id", hold.id)
    writer.json.field("account_id", hold.accountID)
    writer.json.field("amount", amount: hold.amount)
    writer.json.field("currency", hold.currency)
    writer.json.field("expires_at", hold.expiresAt)
    writer.json.field("status", hold.status)
    writer.json.field("placed_on", hold.placedOn)
    writer.json.field("version", integer: hold.version)
    writer.json.endObject()
  }
}

extension JSONWriter {
  /// The scores held, each with its age at a moment; nil for that of the answer.
  mutating func field(scores: Scores, asOf: Moment?) {
    let now = asOf ?? .now
    key("scores")
    beginObject()
    for kind in ScoreKind.allCases {
      guard let score = scores[kind] else { continue }
      key(kind.rawValue)
      beginObject()
      field("score", integer: score.value)
      field("model", score.model)
      field("scored_at", score.scoredAt)
      field("age_seconds", integer: (now.microseconds - score.scoredAt.microseconds) / 1_000_000)
      endObject()
    }
    endObject()
  }
}
