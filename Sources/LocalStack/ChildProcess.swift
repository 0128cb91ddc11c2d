import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// A program that keeps running beside this one until it is told to stop or ends by itself.
///
/// The child gets a session of its own, so that Ctrl-C in a terminal reaches this process only, which then stops its
/// children in the right order.
public final class ChildProcess: Sendable {
  /// How a child ended.
  public struct End: Sendable, Equatable, CustomStringConvertible {
    /// Whether it exited with status 0.
    public let isSuccess: Bool
    /// In words: `exited with status 1`, `ended by signal 9`.
    public let description: String
  }

  /// What the child is called in messages.
  public let name: String
  /// The process.
  public let identity: ProcessIdentity
  /// The process's number.
  public var pid: Int32 { identity.pid }

  private struct State {
    var end: End?
    var waiters: [Int: CheckedContinuation<End?, Never>] = [:]
    var nextWaiter = 0
  }
  private let state = Mutex(State())

  private init(name: String, identity: ProcessIdentity) {
    self.name = name
    self.identity = identity
  }

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - name: what to call it in messages.
  ///   - executable: its path.
  ///   - arguments: its arguments, without its own name.
  ///   - environment: variables to set beside those inherited.
  ///   - logFile: the file that takes what it prints, appended.
  ///   - outputFile: the file that takes what it prints on standard output, when that isn't the log file.
  /// - Throws: ``LocalStackError`` when it can't be started.
  public static func start(
    _ name: String, executable: String, arguments: [String], environment: [String: String] = [:], logFile: String,
    outputFile: String? = nil
  ) async throws -> ChildProcess {
    try await start(
      name, executable: executable, arguments: arguments, environment: environment, logFile: logFile,
      outputFile: outputFile, as: nil)
  }

  package static func start(
    _ name: String, executable: String, arguments: [String], environment: [String: String] = [:], logFile: String,
    outputFile: String? = nil, as user: SystemUser?
  ) async throws -> ChildProcess {
    let errors = try openLog(logFile)
    let output = try outputFile.map(openLog) ?? errors
    var variables: [Environment.Key: String?] = [:]
    for (key, value) in environment {
      guard let key = Environment.Key(rawValue: key) else { continue }
      variables[key] = value
    }
    var program = Subprocess.Configuration(executable, arguments, as: user)
    program.environment = .inherit.updating(variables)
    program.platformOptions.createSession = true
    let configuration = program
    return try await withCheckedThrowingContinuation { started in
      // Not a child task: the process outlives the call that started it, and a cancelled caller must not kill it
      // unasked. It ends when the process does.
      Task.detached {
        await keep(name, configuration, output: output, errors: errors, started: started)
        try? errors.close()
        if output != errors { try? output.close() }
      }
    }
  }

  private static func openLog(_ path: String) throws -> FileDescriptor {
    do {
      return try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.append, .create, .closeOnExec], permissions: [.ownerReadWrite])
    } catch {
      throw LocalStackError.failed("can't open the log file \(path)", detail: "\(error)")
    }
  }

  private static func keep(
    _ name: String, _ configuration: Subprocess.Configuration, output: FileDescriptor, errors: FileDescriptor,
    started: CheckedContinuation<ChildProcess, any Error>
  ) async {
    let launch = Mutex<ChildProcess?>(nil)
    do {
      let result = try await Subprocess.run(
        configuration, input: .none, output: .fileDescriptor(output, closeAfterSpawningProcess: false),
        error: .fileDescriptor(errors, closeAfterSpawningProcess: false)
      ) { execution in
        let pid = execution.processIdentifier.value
        // One that ended at once still has its entry until it is reaped, which happens after this closure, but it
        // is no longer alive: its start is then of no importance, for nobody will signal it.
        let child = ChildProcess(
          name: name, identity: ProcessIdentity(of: pid) ?? ProcessIdentity(endedAlready: pid))
        launch.withLock { $0 = child }
        started.resume(returning: child)
      }
      let child = launch.withLock { $0 }
      child?.finish(End(result.terminationStatus))
    } catch {
      guard let child = launch.withLock({ $0 }) else {
        started.resume(throwing: LocalStackError.failed("can't start \(name)", detail: "\(error)"))
        return
      }
      child.finish(End(isSuccess: false, description: "can't be observed: \(error)"))
    }
  }

  /// How it ended, or nil while it runs.
  public var end: End? { state.withLock { $0.end } }

  /// Whether it still runs.
  public var isRunning: Bool { end == nil }

  /// Waits for the end. Nil when the waiting task is cancelled first.
  public func waitForEnd() async -> End? {
    let ticket = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer: End?? = state.withLock { state in
          if let end = state.end { return .some(end) }
          if Task.isCancelled { return .some(nil) }
          state.waiters[ticket] = continuation
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(returning: nil)
    }
  }

  /// Waits for the end, but no longer than `timeout`. Nil when it still runs then.
  public func waitForEnd(timeout: Duration) async -> End? {
    await withTaskGroup(of: End?.self) { group in
      group.addTask { await self.waitForEnd() }
      group.addTask {
        try? await Task.sleep(for: timeout)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }

  /// Sends a signal, if it still runs.
  @discardableResult
  public func send(_ signal: Int32) -> Bool {
    isRunning && identity.send(signal)
  }

  /// Asks it to end with `signal`, and kills it when it hasn't ended within `grace`. Finishes even when the calling
  /// task is cancelled, so that stopping is never left half done.
  @discardableResult
  public func stop(_ signal: Int32, grace: Duration) async -> End? {
    await Task.detached {
      self.send(signal)
      if let end = await self.waitForEnd(timeout: grace) { return end }
      self.send(SIGKILL)
      return await self.waitForEnd()
    }.value
  }

  private func finish(_ end: End) {
    let waiters = state.withLock { state in
      state.end = end
      defer { state.waiters = [:] }
      return state.waiters.values
    }
    for waiter in waiters { waiter.resume(returning: end) }
  }
}

extension ChildProcess.End {
  init(_ status: TerminationStatus) {
    switch status {
    case .exited(let code): self.init(isSuccess: code == 0, description: "exited with status \(code)")
    case .signaled(let signal): self.init(isSuccess: false, description: "ended by signal \(signal)")
    }
  }
}

extension ProcessIdentity {
  /// A process that had ended before its start could be read.
  fileprivate init(endedAlready pid: Int32) {
    self.init(pid: pid, startTicks: 0, boot: "")
  }

  fileprivate init(pid: Int32, startTicks: UInt64, boot: String) {
    self.pid = pid
    self.startTicks = startTicks
    self.boot = boot
  }
}
