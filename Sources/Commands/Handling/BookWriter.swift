/// Decides commands and makes what they led to durable, a batch at a time. The event store implements it.
public protocol BookWriter: Sendable {
  /// Decides `batch` in its order on the state of the book and appends the events in one transaction.
  ///
  /// - Returns: one result a command, in the same order. When this returns, whatever is `recorded` is durable.
  func commit(_ batch: [CommandEnvelope]) async -> [CommandResult]
}

/// What one batch took, for metrics.
public struct BatchReport: Sendable {
  /// Commands in the batch.
  public var size: Int
  /// Commands that wait behind it.
  public var queued: Int
  /// From the batch's start to its commit.
  public var duration: Duration
  /// How long the batch's oldest command waited before it started.
  public var waited: Duration

  public init(size: Int, queued: Int, duration: Duration, waited: Duration) {
    self.size = size
    self.queued = queued
    self.duration = duration
    self.waited = waited
  }
}
