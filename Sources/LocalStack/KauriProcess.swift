import FoundationEssentials
import Glibc

/// The built `kauri` executable, run from a test as a person would run it.
public enum KauriProcess {
  /// What a command left behind.
  public struct Outcome: Sendable {
    /// The exit status, or nil when a signal ended it.
    public let status: Int32?
    public let output: String
    public let errors: String
  }

  /// The executable's path: beside the test bundle, or what the environment variable `KAURI_EXECUTABLE` names.
  ///
  /// - Throws: ``LocalStackError`` when it isn't there.
  public static func executable() throws -> String {
    let path =
      getenv("KAURI_EXECUTABLE").map { String(cString: $0) }
      ?? Files.linkTarget("/proc/self/exe").map { "\(Files.parent(of: $0))/kauri" } ?? ""
    guard access(path, X_OK) == 0 else {
      throw LocalStackError.failed("there is no kauri executable at \(path)", detail: "make build")
    }
    return path
  }

  /// Runs a command to its end.
  public static func run(_ arguments: [String], input: String = "") async throws -> Outcome {
    let outcome = try await Program(executable()).run(arguments, input: input)
    return Outcome(status: outcome.exitStatus, output: outcome.output, errors: outcome.errors)
  }

  /// Starts a command that keeps running, such as `serve`. What it prints goes to the two files.
  public static func start(
    _ arguments: [String], environment: [String: String] = [:], outputFile: String, logFile: String
  ) async throws -> ChildProcess {
    try await ChildProcess.start(
      "kauri \(arguments.first ?? "")", executable: executable(), arguments: arguments, environment: environment,
      logFile: logFile, outputFile: outputFile)
  }

  /// Starts `kauri dev` on a free port and waits until it is ready.
  ///
  /// - Parameter directory: the data directory; without one, a new directory under `/tmp` that
  ///   ``RunningStack/destroy()`` removes.
  public static func dev(directory: String? = nil, arguments: [String] = []) async throws -> RunningStack {
    let enclosing = directory == nil ? try TemporaryDirectories.make() : nil
    let data = directory ?? "\(enclosing ?? "")/stack"
    let (output, errors) = ("\(data).output", "\(data).errors")
    try Files.remove(output)
    let process = try await start(
      ["dev", "--data-dir", data, "--port", "0"] + arguments, outputFile: output, logFile: errors)
    while !(Files.read(output) ?? "").contains("ready http") {
      guard process.isRunning else {
        throw LocalStackError.failed("kauri dev didn't start", detail: Files.tail(errors, lines: 20))
      }
      do {
        try await Task.sleep(for: .milliseconds(20))
      } catch {
        await process.stop(SIGTERM, grace: .seconds(60))
        throw error
      }
    }
    return RunningStack(
      process: process, directory: data, outputFile: output, errorsFile: errors, enclosing: enclosing)
  }
}

/// A `kauri dev` that a test has started.
public struct RunningStack: Sendable {
  /// The `kauri dev` process itself. The server's and the postmaster's numbers are in ``record()``.
  public let process: ChildProcess
  /// The data directory.
  public let directory: String
  private let outputFile: String
  private let errorsFile: String
  private let enclosing: String?

  init(process: ChildProcess, directory: String, outputFile: String, errorsFile: String, enclosing: String?) {
    self.process = process
    self.directory = directory
    self.outputFile = outputFile
    self.errorsFile = errorsFile
    self.enclosing = enclosing
  }

  /// What `dev.json` says now.
  public func record() throws -> StackRecord { try StackRecord.read(from: directory) }

  /// How the schema's owner reaches the database.
  public func conninfo(user role: String) -> String {
    PostgresCluster(directory: "\(directory)/postgres").conninfo(user: role)
  }

  /// The text of one of the standing tokens: `operator`, `operator2`, `service` or `auditor`.
  public func token(_ name: String) throws -> String {
    guard let path = try record().tokens[name], let token = Files.read(path) else {
      throw LocalStackError.failed("there is no token \(name)", detail: directory)
    }
    return token.trimmed
  }

  /// A token for a customer.
  public func customerToken(_ customerID: String) async throws -> String {
    try await LocalIdentity.load(from: directory).mint(.customer, subject: customerID, lifetime: .seconds(3600))
  }

  /// What it has printed on standard output so far.
  public var output: String { Files.read(outputFile) ?? "" }

  /// What it has printed on standard error so far.
  public var errors: String { Files.read(errorsFile) ?? "" }

  /// Stops it as Ctrl-C does, and waits for the end. The data stays.
  @discardableResult
  public func stop() async -> ChildProcess.End? {
    await process.stop(SIGINT, grace: .seconds(90))
  }

  /// Stops it and removes the data, where the directory was made for it.
  public func destroy() async throws {
    await stop()
    if let enclosing { try Files.remove(enclosing) }
  }
}
