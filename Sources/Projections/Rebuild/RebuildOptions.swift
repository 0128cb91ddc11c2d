/// How a rebuild goes about it.
public struct RebuildOptions: Sendable {
  /// Whether to switch although the old and the new generation differ.
  public var accepts: Bool
  /// Differences that the report shows, at most; all are counted.
  public var shownMaximum: Int
  /// Connections that read the log side by side.
  public var readers: Int
  /// Positions that one of them reads at once.
  public var runLength: Int64
  /// Events that are taken in under the head's lock, at most.
  public var restMaximum: Int64
  /// Which build this is, told apart from every other one: it goes on with what it has begun itself, and with nothing of
  /// another's. Nil begins every rebuild at the first event.
  public var build: String?

  public init(
    accepts: Bool = false, shownMaximum: Int = 100, readers: Int = 2, runLength: Int64 = 10_000,
    restMaximum: Int64 = 4_000, build: String? = nil
  ) {
    self.accepts = accepts
    self.shownMaximum = max(1, shownMaximum)
    self.readers = max(1, readers)
    self.runLength = max(1, runLength)
    self.restMaximum = max(0, restMaximum)
    self.build = build
  }

  /// Events that may be left for the lock in a round: few at first, so that the lock is short, and more and more where the
  /// writers are too fast for that.
  func rest(inRound round: Int) -> Int64 { min(restMaximum, 128 << Int64(min(round / 10, 16))) }

  /// How long the new generation's checkpoint is the rebuild's own after each step. Nobody else wants it meanwhile: the
  /// servers follow the log for what is live.
  static let lease: Duration = .seconds(600)
  /// Rounds of catching up, and of trying to switch, before the writers are found to be too fast.
  static let roundsMaximum = 200
  /// How long the live generation of a model may take to come to where the new one stands.
  static let patience: Duration = .seconds(60)
}
