package import Ledger

/// How many lines came out how.
package struct SubmissionTally: Codable, Equatable, Sendable {
  package private(set) var accepted = 0
  /// By the contract's code.
  package private(set) var declined: [String: Int] = [:]
  package private(set) var refused: [String: Int] = [:]

  package init() {}

  package var declinedCount: Int { declined.values.reduce(0, +) }
  package var refusedCount: Int { refused.values.reduce(0, +) }
  package var count: Int { accepted + declinedCount + refusedCount }

  package mutating func add(_ outcome: LineOutcome) {
    switch outcome.kind {
    case .accepted: accepted += 1
    case .declined: declined[outcome.code, default: 0] += 1
    case .refused: refused[outcome.code, default: 0] += 1
    case .undecided: break
    }
  }

  package func write(to writer: inout JSONWriter) {
    writer.field("accepted", integer: accepted)
    for (name, counts) in [("declined", declined), ("refused", refused)] {
      writer.key(name)
      writer.beginObject()
      for (code, count) in counts.sorted(by: { $0.key < $1.key }) {
        writer.key(code)
        writer.integer(count)
      }
      writer.endObject()
    }
  }
}
