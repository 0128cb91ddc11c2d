import Commands
import Ledger

/// Positions without gaps, commands whole and in one piece, moments that only grow.
struct OrderCheck: LogCheck {
  private var position: Int64
  private var command: CommandID?
  private var index = 0
  private var moment: Int64?

  /// - Parameter first: where the rows that are checked begin.
  init(first: Int64) {
    position = first - 1
  }

  mutating func take(_ prepared: PreparedRow, _ differences: inout LogDifferences) {
    let row = prepared.row
    position += 1
    if row.position != position {
      differences.add(
        position, "position", expected: "\(position)",
        found: row.position > position ? "nothing: the next row stands at \(row.position)" : "\(row.position)")
      position = row.position
    }
    if command == row.commandID {
      index += 1
    } else {
      index = 0
      if let moment, row.moment <= moment {
        differences.add(
          row.position, "moment", expected: "later than \(Moment(microseconds: moment))",
          found: Moment(microseconds: row.moment).description)
      }
      moment = max(moment ?? row.moment, row.moment)
    }
    command = row.commandID
    differences.compare(row.position, "command_index", expected: index, found: Int(row.commandIndex))
  }

  mutating func finish(_ extent: LogExtent, _ differences: inout LogDifferences) {
    let end = extent.head?.position ?? extent.last
    if position < end {
      let missing = end - position
      differences.add(
        position + 1, "position", expected: "\(position + 1)",
        found: "nothing: the log ends \(missing) rows before its head, \(end)")
    }
    if let beyond = extent.beyond {
      differences.add(
        beyond, "position", expected: "nothing behind the head, \(end)", found: "a row")
    }
    if extent.lacksHead { differences.add(0, "log_head", expected: "its row", found: "none") }
    guard let head = extent.head, let moment else { return }
    // A command that led to nothing has taken a moment too: the clock's, or the one after the last.
    let latest = max(moment + 1_000_000, extent.readAt?.microseconds ?? .max)
    if !(moment...latest).contains(head.lastMoment.microseconds) {
      differences.add(
        0, "log_head.last_moment",
        expected: "\(Moment(microseconds: moment)), the last event's, or later, and not later than now",
        found: head.lastMoment.description)
    }
  }
}

/// Every row can be read, no personal text is other than it was sealed, and what moves balances in every currency.
struct ContentCheck: LogCheck {
  private(set) var texts = 0
  /// By subject, the texts whose key isn't there, and where the first of them stands.
  private(set) var withoutKey: [Identifier: (first: Int64, texts: Int)] = [:]

  mutating func take(_ prepared: PreparedRow, _ differences: inout LogDifferences) {
    let row = prepared.row
    switch prepared.event {
    case .failure(let unreadable):
      differences.add(row.position, unreadable.column, expected: "what this build can read", found: unreadable.reason)
    case .success(let appended):
      for (currency, sum) in appended.event.sums where sum != 0 {
        differences.add(row.position, "postings in \(currency)", expected: "a sum of 0", found: "\(sum)")
      }
    }
    texts += prepared.texts.verified
    for (subject, count) in prepared.texts.withoutKey {
      withoutKey[subject, default: (row.position, 0)].texts += count
    }
    for fault in prepared.texts.faults {
      differences.add(row.position, "payload", expected: "personal text as it was sealed", found: fault)
    }
  }

  mutating func finish(_ extent: LogExtent, _ differences: inout LogDifferences) {}
}

extension Event {
  /// What the event's postings come to, by currency, in minor units. Other movements than journals name an amount once
  /// and two accounts, and can't be out of balance.
  var sums: [Currency: Int128] {
    let terms: JournalTerms
    switch self {
    case .journalPosted(let posted): terms = posted.terms
    case .journalHeldForApproval(let held): terms = held.terms
    default: return [:]
    }
    var sums: [Currency: Int128] = [:]
    for posting in terms.postings { sums[posting.currency, default: 0] += Int128(posting.signedAmount) }
    return sums
  }
}
