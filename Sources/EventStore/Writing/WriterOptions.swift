public import Commands
public import Ledger

import Glibc

/// How the writer behaves.
public struct WriterOptions: Sendable {
  /// Accounts that the state cache may hold; 0 turns it off, so that every batch reads what it needs.
  public var cachedAccountsMaximum: Int
  /// Events that the cache is brought forward by when other writers were at work; beyond that it is dropped.
  public var catchUpMaximum: Int
  /// How long an interrupted commit is tried to be settled before callers are told to ask again.
  public var settlingTime: Duration
  /// A writer that holds the head's lock and has said nothing for this long is frozen; its session is ended.
  public var frozenAfter: Duration
  /// The clock that decisions are given.
  public var clock: @Sendable () -> Moment
  /// How far that clock may be ahead of the database's; nil where it isn't the time of day.
  public var clockLeadMaximum: Duration?
  /// The rules that this writer can decide by; it refuses to write to a book that follows others.
  public var ruleSets: RuleSets
  /// False only where it is measured what sealing costs, on a database made for that: a log that has been sealed
  /// refuses whatever isn't.
  package var sealsLog = true

  public init(
    cachedAccountsMaximum: Int = 500_000, catchUpMaximum: Int = 5_000, settlingTime: Duration = .seconds(5),
    frozenAfter: Duration = .seconds(2), clock: @escaping @Sendable () -> Moment = { .now },
    clockLeadMaximum: Duration? = .seconds(300), ruleSets: RuleSets = .standard
  ) {
    self.cachedAccountsMaximum = cachedAccountsMaximum
    self.catchUpMaximum = catchUpMaximum
    self.settlingTime = settlingTime
    self.frozenAfter = frozenAfter
    self.clock = clock
    self.clockLeadMaximum = clockLeadMaximum
    self.ruleSets = ruleSets
  }
}

extension Moment {
  /// The system's clock, in microseconds.
  public static var now: Moment {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Moment(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
  }
}
