import Ledger

/// A batch's answer, as `POST /v1/commands` gives it.
enum BatchAnswer {
  /// - Throws: ``SubmissionFault/notTheContract(_:)`` unless there are exactly `count` outcomes.
  static func read(_ text: [UInt8], count: Int) throws -> [LineOutcome] {
    do {
      let lines = try JSONLines(text, maximumCount: count, limits: limits)
      guard lines.count == count else {
        throw SubmissionFault.notTheContract("\(count) lines were sent and \(lines.count) answered")
      }
      return try lines.map { try LineOutcome($0.document.get().root) }
    } catch let fault as JSONFault {
      throw SubmissionFault.notTheContract("\(fault)")
    }
  }

  /// An outcome repeats what its command said, a list of sanctioned names for instance.
  private static let limits = JSONLimits(stringLength: 1 << 20)
}
