public import Ledger

/// What a decision is given besides the book's state and the command, so that it needs no clock.
public struct DecisionContext: Hashable, Sendable {
  /// Strictly later than any command's before it in the log.
  public var moment: Moment
  /// The calendar day of `moment` in the book's time zone.
  public var bookDate: CalendarDate
  /// The rules that decide.
  public var ruleSet: Int

  public init(moment: Moment, bookDate: CalendarDate, ruleSet: Int) {
    self.moment = moment
    self.bookDate = bookDate
    self.ruleSet = ruleSet
  }
}

/// How a command came out.
public enum Verdict: Hashable, Sendable {
  case accepted
  /// The first check that failed, in the order of the contract.
  case declined(RejectionCode)
  /// It isn't the caller's to give.
  case refused
}

/// What `decide` says.
public enum Decision: Hashable, Sendable {
  /// Append these, at least one.
  case record([Event], Verdict)
  /// Append nothing: the hold's time hasn't come, and the command's id stays free.
  case notDue
  /// Append nothing: the stream isn't at the version that the caller expects.
  case versionConflict(current: Int64)

  static func accept(_ event: Event) -> Decision { .record([event], .accepted) }
}
