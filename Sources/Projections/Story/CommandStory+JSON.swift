import Commands
public import Ledger

extension CommandStory {
  /// Writes the whole story as one object. Personal text is withheld: who may see it asks the server, which records the
  /// read.
  public func write(to json: inout JSONWriter) {
    json.beginObject()
    json.field("command_id", origin.commandID)
    json.field("command", instruction.name)
    json.field("outcome", verdict.name)
    json.field("code", verdict.code)
    json.field("actor", origin.actor.description)
    json.field("moment", origin.moment)
    json.field("book_date", origin.bookDate)
    json.field("time_zone", timeZone)
    json.field("rule_set", integer: origin.ruleSet)
    json.field("correlation_id", origin.correlation)
    json.field("causation_id", origin.causation)
    json.key("asked")
    json.raw(CommandStory.content(of: instruction))
    json.key("events")
    CommandStory.write(events, to: &json)
    json.key("checks")
    json.beginArray()
    for check in checks { check.write(to: &json) }
    json.endArray()
    writeGrounds(to: &json)
    if let approval { write(approval, to: &json) }
    json.key("earlier")
    CommandStory.write(earlier, to: &json)
    json.key("later")
    CommandStory.write(later, to: &json)
    json.endObject()
  }

  /// What the decision could look at: policies, who it is about, lists.
  private func writeGrounds(to json: inout JSONWriter) {
    json.key("policies")
    json.beginArray()
    for change in policies.changes { json.raw(CommandStory.content(of: .setPolicy(SetPolicy(change: change)))) }
    json.endArray()
    json.key("parties")
    json.beginArray()
    for party in parties { write(party, to: &json) }
    json.endArray()
    json.key("sanctions_lists")
    json.beginArray()
    for list in lists {
      json.beginObject()
      json.field("list", list.name)
      json.field("version", list.version.text)
      json.field("position", integer: list.position)
      json.endObject()
    }
    json.endArray()
  }

  private func write(_ party: StoryParty, to json: inout JSONWriter) {
    json.beginObject()
    json.field("kind", party.kind.rawValue)
    json.field("id", party.id)
    json.field("status", party.status)
    json.field("customer_id", party.customerID)
    if let match = party.sanctionsMatch { json.field("sanctions_match", match) }
    json.key("scores")
    json.beginArray()
    for kind in ScoreKind.allCases {
      guard let score = party.scores[kind] else { continue }
      json.beginObject()
      json.field("kind", kind.rawValue)
      json.field("score", integer: score.value)
      json.field("model", score.model)
      json.field("scored_at", score.scoredAt)
      json.field("age_seconds", integer: age(of: score))
      json.endObject()
    }
    json.endArray()
    json.key("limits")
    json.beginArray()
    for (currency, limits) in party.limits.sorted(by: { $0.key.code < $1.key.code }) {
      for kind in LimitKind.allCases {
        guard let amount = limits[kind] else { continue }
        json.beginObject()
        json.field("kind", kind.rawValue)
        json.field("amount", amount: amount)
        json.field("currency", currency)
        json.endObject()
      }
    }
    json.endArray()
    json.endObject()
  }

  private func write(_ approval: StoryApproval, to json: inout JSONWriter) {
    json.key("approval")
    json.beginObject()
    json.field("outcome", approval.outcome.rawValue)
    json.field("command_id", approval.commandID)
    json.field("maker", approval.maker.description)
    json.field("held_at", approval.held.moment)
    json.field("held_position", integer: approval.held.position)
    json.field("decided_by", approval.decision?.actor.description)
    json.field("decided_at", approval.decision?.moment)
    json.field("decided_position", integer: approval.decision?.position)
    json.endObject()
  }

  private static func write(_ events: [AppendedEvent], to json: inout JSONWriter) {
    json.beginArray()
    for event in events {
      json.beginObject()
      json.field("position", integer: event.origin.position)
      json.field("type", event.event.type)
      json.field("command_id", event.origin.commandID)
      json.field("actor", event.origin.actor.description)
      json.field("moment", event.origin.moment)
      json.endObject()
    }
    json.endArray()
  }

  /// How old a score was when it was read, in seconds.
  func age(of score: Score) -> Int64 { (origin.moment.microseconds - score.scoredAt.microseconds) / 1_000_000 }

  /// A command's content as JSON, personal text withheld.
  static func content(of instruction: Instruction) -> [UInt8] {
    var writer = RecordWriter(form: .withheld)
    writer.json.beginObject()
    instruction.write(to: &writer)
    writer.json.endObject()
    return writer.json.bytes
  }
}

extension Verdict {
  var name: String {
    switch self {
    case .accepted: "accepted"
    case .declined: "declined"
    case .refused: "refused"
    }
  }

  /// Why it was declined.
  var code: String? {
    if case .declined(let code) = self { code.rawValue } else { nil }
  }
}
