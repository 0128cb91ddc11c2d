import Synchronization

/// The one way in: every command, from whatever side, is given here.
///
/// Group commit without a timer: commands that arrive while a batch commits form the next batch, and an idle handler
/// commits a single command at once. The queue is bounded; beyond it the answer is `queueFull`, at once.
public final class CommandHandler: Sendable {
  public struct Options: Sendable {
    /// Commands in a batch, at most.
    public let batchMaximum: Int
    /// Commands that may wait, at most.
    public let queueMaximum: Int
    /// Commands of a batch that write-back may take while others wait, always fewer than a batch holds, so that others
    /// get on.
    public let writeBackMaximum: Int

    /// - Parameter writeBackMaximum: nil for a quarter of the batch.
    public init(batchMaximum: Int = 1_000, queueMaximum: Int = 32_768, writeBackMaximum: Int? = nil) {
      self.batchMaximum = max(1, batchMaximum)
      self.queueMaximum = max(1, queueMaximum)
      self.writeBackMaximum = min(max(1, writeBackMaximum ?? self.batchMaximum / 4), self.batchMaximum - 1)
    }
  }

  private struct State: ~Copyable {
    var queue: CommandQueue
    var isStopping = false
    /// The loop, when it waits for something to do.
    var idle: CheckedContinuation<Void, Never>?
  }

  private let state: Mutex<State>
  private let writer: any BookWriter
  private let observe: @Sendable (BatchReport) -> Void

  public init(
    writer: any BookWriter, options: Options = Options(), observe: @escaping @Sendable (BatchReport) -> Void = { _ in }
  ) {
    self.writer = writer
    self.observe = observe
    state = Mutex(
      State(
        queue: CommandQueue(
          batchMaximum: options.batchMaximum, queueMaximum: options.queueMaximum,
          writeBackMaximum: options.writeBackMaximum)))
  }

  /// Commands that wait for a batch.
  public var queueDepth: Int { state.withLock { $0.queue.count } }

  /// Gives one command and waits until it stands in the log, or can't.
  public func handle(_ command: CommandEnvelope, lane: Lane = .interactive) async -> CommandResult {
    await handle([command], lane: lane)[0]
  }

  /// Gives commands that are decided in their order, though each stands alone, and waits for all of them.
  public func handle(_ commands: [CommandEnvelope], lane: Lane = .interactive) async -> [CommandResult] {
    if commands.isEmpty { return [] }
    return await withCheckedContinuation { continuation in
      let arrived = ContinuousClock.now
      let (fault, idle) = state.withLock { state -> (BookFault?, CheckedContinuation<Void, Never>?) in
        if state.isStopping { return (.shuttingDown, nil) }
        guard state.queue.admits(commands.count) else { return (.queueFull, nil) }
        state.queue.append(CommandJob(commands, arrived: arrived, continuation), lane)
        return (nil, state.idle.take())
      }
      if let fault {
        continuation.resume(returning: Array(repeating: .unavailable(fault), count: commands.count))
      }
      idle?.resume()
    }
  }

  /// Commits batch after batch until `stop` has been called and everybody has been answered.
  public func run() async {
    while true {
      let (batch, queued, isStopping) = state.withLock { state in
        (state.queue.takeBatch(), state.queue.count, state.isStopping)
      }
      if batch.commands.isEmpty {
        if isStopping { return }
        await waitForWork()
        continue
      }
      let started = ContinuousClock.now
      let results = await writer.commit(batch.commands)
      var answered = 0
      for (job, count) in batch.parts {
        job.add(results[answered..<answered + count])
        answered += count
      }
      observe(
        BatchReport(
          size: results.count, queued: queued, duration: ContinuousClock.now - started,
          waited: started - (batch.oldest ?? started)))
    }
  }

  /// Takes no more commands; those that wait are still committed and answered.
  public func stop() {
    let idle = state.withLock { state in
      state.isStopping = true
      return state.idle.take()
    }
    idle?.resume()
  }

  private func waitForWork() async {
    await withCheckedContinuation { continuation in
      let hasWork = state.withLock { state in
        if state.queue.count > 0 || state.isStopping { return true }
        state.idle = continuation
        return false
      }
      if hasWork { continuation.resume() }
    }
  }
}
