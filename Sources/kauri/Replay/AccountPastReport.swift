import EventStore
import Ledger
import Projections

/// An account's past, for people and for machines.
struct AccountPastReport {
  private let past: AccountPast
  private let position: Int64
  private let asOf: Moment

  init(_ answer: Answer<AccountPast>) {
    past = answer.value
    position = answer.position
    asOf = answer.asOf ?? .now
  }

  private var account: Account { past.account }
  private var balance: Balance { account.balance }

  // MARK: For machines

  /// The fields of the HTTP answers, together.
  var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("account_id", account.id)
    writer.field("kind", account.kind)
    writer.field("customer_id", account.customerID)
    writer.field("currency", account.currency)
    writer.field("number", account.number?.description)
    writer.field("status", account.status)
    writer.field("overdraft", amount: account.overdraft)
    writer.field("allow_negative", account.allowNegative)
    writer.field("posted", amount: balance.posted)
    writer.field("held", amount: balance.held)
    writer.field("available", amount: account.available)
    writer.key("holds")
    writer.beginArray()
    for hold in past.holds { write(hold, to: &writer) }
    writer.endArray()
    writer.field("more_holds", past.hasMoreHolds)
    writer.key("limits")
    writer.beginArray()
    for limit in past.limits.limits { write(limit, to: &writer) }
    writer.endArray()
    writer.key("scores")
    write(account.scores, to: &writer)
    if let customer = past.customer {
      writer.key("customer")
      writer.beginObject()
      writer.field("customer_id", customer.id)
      writer.field("status", customer.status)
      writer.field("sanctions_match", customer.sanctionsMatch)
      writer.key("scores")
      write(customer.scores, to: &writer)
      writer.endObject()
    }
    writer.field("version", integer: account.version)
    writer.field("book_date", past.limits.bookDate)
    writer.field("as_of", asOf)
    writer.field("position", integer: position)
    writer.endObject()
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private func write(_ hold: Hold, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("hold_id", hold.id)
    writer.field("amount", amount: hold.amount)
    writer.field("currency", hold.currency)
    writer.field("placed_on", hold.placedOn)
    writer.field("expires_at", hold.expiresAt)
    writer.endObject()
  }

  private func write(_ limit: LimitReading, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("scope", limit.scope)
    writer.field("subject_id", limit.subjectID)
    writer.field("kind", limit.kind)
    writer.field("currency", limit.currency)
    writer.field("limit", amount: limit.limit)
    writer.field("used", amount: limit.used)
    writer.field("left", amount: limit.left)
    writer.field("window_start", limit.windowStart)
    writer.endObject()
  }

  private func write(_ scores: Scores, to writer: inout JSONWriter) {
    writer.beginObject()
    for kind in ScoreKind.allCases {
      guard let score = scores[kind] else { continue }
      writer.key(kind.rawValue)
      writer.beginObject()
      writer.field("score", integer: score.value)
      writer.field("model", score.model)
      writer.field("scored_at", score.scoredAt)
      writer.field("age_seconds", integer: age(of: score))
      writer.endObject()
    }
    writer.endObject()
  }

  private func age(of score: Score) -> Int64 { (asOf.microseconds - score.scoredAt.microseconds) / 1_000_000 }

  // MARK: For people

  var text: String {
    var lines = [
      "account    \(account.id), \(account.kind.rawValue), \(account.status.rawValue)",
      "as at      \(asOf), position \(position), book date \(past.limits.bookDate)",
      "posted     \(money(balance.posted)) \(account.currency)",
      "held       \(money(balance.held)) \(account.currency)",
      "available  " + (account.available.map { "\(money($0)) \(account.currency)" } ?? "without a floor"),
    ]
    if let customer = past.customer {
      let match = customer.sanctionsMatch ? ", on a sanctions list" : ""
      lines.append("customer   \(customer.id), \(customer.status.rawValue)\(match)")
    }
    lines.append("holds      " + (past.holds.isEmpty ? "none" : ""))
    for hold in past.holds {
      let end = hold.expiresAt.map { ", until \($0)" } ?? ""
      lines.append("  \(hold.id)  \(money(hold.amount)), placed on \(hold.placedOn)\(end)")
    }
    if past.hasMoreHolds { lines.append("  and more, which are not listed") }
    lines.append("limits     " + (past.limits.limits.isEmpty ? "none" : ""))
    for limit in past.limits.limits { lines.append("  " + text(of: limit)) }
    lines.append(contentsOf: scores)
    return lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) }.joined(separator: "\n")
  }

  private func text(of limit: LimitReading) -> String {
    var text = "\(limit.scope.rawValue) \(limit.kind.rawValue): \(money(limit.limit))"
    if let used = limit.used, let left = limit.left, let start = limit.windowStart {
      text += ", used \(money(used)) since \(start), left \(money(left))"
    }
    return text
  }

  private var scores: [String] {
    var lines: [String] = []
    for (owner, scores) in [("account", account.scores), ("customer", past.customer?.scores ?? Scores())] {
      for kind in ScoreKind.allCases {
        guard let score = scores[kind] else { continue }
        lines.append(
          "  \(owner) \(kind.rawValue): \(score.value) by \(score.model), \(age(of: score)) s old then")
      }
    }
    return ["scores     " + (lines.isEmpty ? "none" : "")] + lines
  }

  /// An amount with the currency's decimal point: 12.50.
  private func money(_ amount: MinorUnits) -> String {
    let digits = account.currency.minorUnitDigits
    var text = String(amount.magnitude)
    if digits > 0 {
      text = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
      text.insert(".", at: text.index(text.endIndex, offsetBy: -digits))
    }
    return amount < 0 ? "-\(text)" : text
  }
}
