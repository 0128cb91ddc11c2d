public import Logging

/// Keeps child processes running: starts one that ended again, after a pause that grows, and says so; gives up on one
/// that keeps ending right after its start; and stops all of them, the last started first.
public actor Supervisor {
  /// How patient to be.
  public struct Policy: Sendable {
    /// The pause before the first restart in a row. Each further one is twice as long.
    public var pauseMinimum: Duration = .milliseconds(200)
    /// The longest pause.
    public var pauseMaximum: Duration = .seconds(5)
    /// A part that ran shorter than this ended quickly.
    public var quickEnd: Duration = .seconds(10)
    /// How many quick ends in a row are the last.
    public var quickEndsMaximum = 5

    public init() {}

    /// The pause before the restart that follows the `count`th quick end in a row.
    func pause(after count: Int) -> Duration {
      let doublings = min(max(0, count - 1), 16)
      return min(pauseMaximum, pauseMinimum * (1 << doublings))
    }
  }

  /// A program to keep running.
  public struct Part: Sendable {
    let name: String
    let start: @Sendable () async throws -> ChildProcess
    let stop: @Sendable (ChildProcess) async -> Void
    let logFile: String?

    /// - Parameters:
    ///   - name: what to call it in messages.
    ///   - start: starts it and returns when it is of use.
    ///   - stop: stops it and returns when it has ended.
    ///   - logFile: what it prints, for the messages about its end.
    public init(
      name: String, start: @escaping @Sendable () async throws -> ChildProcess,
      stop: @escaping @Sendable (ChildProcess) async -> Void, logFile: String? = nil
    ) {
      self.name = name
      self.start = start
      self.stop = stop
      self.logFile = logFile
    }
  }

  private struct Kept {
    let part: Part
    var child: ChildProcess
    /// Where in its log what this process printed begins.
    var logStart: Int
    var keeper: Task<Void, Never>?
  }

  private let policy: Policy
  private let logger: Logger
  private let changed: @Sendable ([String: ChildProcess]) async -> Void
  private var kept: [Kept] = []
  private let failures: AsyncStream<LocalStackError>
  private let fail: AsyncStream<LocalStackError>.Continuation

  /// - Parameters:
  ///   - policy: how patient to be.
  ///   - logger: where each end and each restart is said.
  ///   - changed: called after each start and restart, with the processes by their parts' names.
  public init(
    policy: Policy = Policy(), logger: Logger,
    changed: @escaping @Sendable ([String: ChildProcess]) async -> Void = { _ in }
  ) {
    self.policy = policy
    self.logger = logger
    self.changed = changed
    (failures, fail) = AsyncStream.makeStream()
  }

  /// The processes that run now, by their parts' names.
  public var processes: [String: ChildProcess] {
    Dictionary(kept.map { ($0.part.name, $0.child) }) { $1 }
  }

  /// Starts a part and keeps it running from then on. A first start that fails is the caller's error.
  @discardableResult
  public func launch(_ part: Part) async throws -> ChildProcess {
    let logStart = part.logSize
    let child = try await part.start()
    let index = kept.count
    kept.append(Kept(part: part, child: child, logStart: logStart))
    await changed(processes)
    kept[index].keeper = Task { await self.keep(index) }
    return child
  }

  /// Waits until a part has been given up on, and throws that; or until the waiting task is cancelled, and throws
  /// `CancellationError`. For one caller, once.
  public func waitForFailure() async throws {
    for await failure in failures { throw failure }
    throw CancellationError()
  }

  /// Stops all parts, the last started first, and returns when they have ended.
  public func stop() async {
    for one in kept { one.keeper?.cancel() }
    // A keeper in the middle of a restart leaves the process it has just started to be stopped here.
    for one in kept { await one.keeper?.value }
    for one in kept.reversed() where one.child.isRunning {
      await one.part.stop(one.child)
    }
    kept = []
    fail.finish()
  }

  private func keep(_ index: Int) async {
    let part = kept[index].part
    var started = ContinuousClock.now
    var quickEnds = 0
    while let end = await kept[index].child.waitForEnd() {
      quickEnds = ContinuousClock.now - started < policy.quickEnd ? quickEnds + 1 : 1
      var what = "\(part.name) (process \(kept[index].child.pid)) \(end)"
      while true {
        guard quickEnds < policy.quickEndsMaximum else {
          let words = part.lastWords(5, after: kept[index].logStart)
          fail.yield(.gaveUp(part: part.name, attempts: quickEnds, last: "\(what)\(words.isEmpty ? "" : "\n")\(words)"))
          return
        }
        let pause = policy.pause(after: quickEnds)
        let words = part.lastWords(1, after: kept[index].logStart)
        logger.warning("\(what); starting it again in \(pause)\(words.isEmpty ? "" : "; ")\(words)")
        guard (try? await Task.sleep(for: pause)) != nil else { return }
        started = ContinuousClock.now
        kept[index].logStart = part.logSize
        do {
          kept[index].child = try await part.start()
          break
        } catch {
          guard !Task.isCancelled else { return }
          quickEnds += 1
          what = "\(part.name) can't be started: \(error)"
        }
      }
      logger.notice("\(part.name) was started again (process \(kept[index].child.pid))")
      await changed(processes)
    }
  }
}

extension Supervisor.Part {
  fileprivate var logSize: Int { logFile.flatMap(Files.size) ?? 0 }

  /// Where its log is, and the last lines of it that stand behind `start`, the last process's own.
  fileprivate func lastWords(_ count: Int, after start: Int) -> String {
    guard let logFile else { return "" }
    let words = Files.tail(logFile, lines: count, after: start)
    if words.isEmpty { return "its log is \(logFile)" }
    return count == 1 ? "the last line of \(logFile): \(words)" : "the end of \(logFile):\n\(words)"
  }
}
