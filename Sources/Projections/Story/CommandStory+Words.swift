import Commands
import Ledger

extension CommandStory {
  /// The story for a person, a line a fact.
  public var lines: [String] {
    var lines = [
      "\(instruction.name) \(origin.commandID)",
      "given by \(origin.actor) at \(origin.moment), book date \(origin.bookDate) (\(timeZone)), "
        + "decided by rule set \(origin.ruleSet)",
    ]
    if let cause = origin.causation { lines.append("set off by \(cause)") }
    if origin.correlation != origin.commandID { lines.append("belongs with \(origin.correlation)") }
    lines.append("asked: \(String(decoding: CommandStory.content(of: instruction), as: UTF8.self))")
    lines.append(verdictLine)
    lines += checks.map { check in
      "  \(check.passed ? "passed" : "failed") \(check.code.rawValue)\(CommandStory.text(of: check.figures))"
    }
    lines += groundLines
    lines += approvalLines
    lines += CommandStory.lines("before it", earlier)
    lines += CommandStory.lines("since then", later)
    return lines
  }

  private var verdictLine: String {
    let place = events.count == 1 ? "event \(origin.position)" : "events \(origin.position) to \(lastPosition)"
    let types = events.count == 1 ? events[0].event.type : "\(events[0].event.type) and \(events.count - 1) more"
    switch verdict {
    case .accepted where approval?.outcome == .waiting: return "waits for a second person: \(types), \(place)"
    case .accepted: return "accepted: \(types), \(place)"
    case .declined(let code): return "declined, \(code.rawValue): \(types), \(place)"
    case .refused: return "refused, it wasn't the caller's to give: \(types), \(place)"
    }
  }

  private var groundLines: [String] {
    var lines = ["policies in force:"]
    for change in policies.changes {
      let content = CommandStory.content(of: .setPolicy(SetPolicy(change: change)))
      lines.append("  \(String(decoding: content, as: UTF8.self))")
    }
    for party in parties {
      var facts = [party.status]
      if let owner = party.customerID { facts.append("of customer \(owner)") }
      if let match = party.sanctionsMatch { facts.append(match ? "on a sanctions list" : "on no sanctions list") }
      for kind in ScoreKind.allCases {
        guard let score = party.scores[kind] else { continue }
        facts.append("\(kind.rawValue) score \(score.value) by \(score.model), \(age(of: score)) s old")
      }
      for (currency, limits) in party.limits.sorted(by: { $0.key.code < $1.key.code }) {
        for kind in LimitKind.allCases {
          if let amount = limits[kind] { facts.append("\(kind.rawValue) limit \(amount) \(currency)") }
        }
      }
      lines.append("\(party.kind.rawValue) \(party.id) was \(facts.joined(separator: ", "))")
    }
    for list in lists { lines.append("sanctions list \(list.name) was version \(list.version.text)") }
    return lines
  }

  private var approvalLines: [String] {
    guard let approval else { return [] }
    let held = "\(approval.maker) asked for it at \(approval.held.moment) (event \(approval.held.position))"
    guard let decision = approval.decision else { return [held, "nobody has decided it yet"] }
    return [
      held, "\(decision.actor) \(approval.outcome.rawValue) it at \(decision.moment) (event \(decision.position))",
    ]
  }

  private static func lines(_ when: String, _ events: [AppendedEvent]) -> [String] {
    events.map { event in
      "\(when): \(event.event.type) by \(event.origin.actor) at \(event.origin.moment) (event \(event.origin.position), "
        + "command \(event.origin.commandID))"
    }
  }

  private static func text(of figures: [Figure]) -> String {
    guard !figures.isEmpty else { return "" }
    return ": "
      + figures.map { figure in
        switch figure.value {
        case .text(let text): "\(figure.name) \(text)"
        case .integer(let number): "\(figure.name) \(number)"
        }
      }.joined(separator: ", ")
  }
}
