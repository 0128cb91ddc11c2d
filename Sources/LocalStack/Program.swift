import Subprocess
import SystemPackage

/// A program that is run to its end for what it does or prints: `initdb`, `psql`, `kauri migrate`.
package struct Program: Sendable {
  /// What a program left behind.
  package struct Outcome: Sendable {
    /// Nil when a signal ended it.
    package let exitStatus: Int32?
    package let output: String
    package let errors: String
    let status: String

    package var succeeded: Bool { exitStatus == 0 }
  }

  /// The executable's path, or a name to look for in `PATH`.
  let executable: String

  package init(_ executable: String) {
    self.executable = executable
  }

  /// Runs the program and collects what it prints, up to a mebibyte of each stream.
  ///
  /// - Parameter user: the account to run as, when it isn't the current one; only root may say so.
  package func run(_ arguments: [String], input: String = "", as user: SystemUser? = nil) async throws -> Outcome {
    let limit = 1_048_576
    let result = try await Subprocess.run(
      Subprocess.Executable(programAt: executable), arguments: Arguments(arguments),
      environment: .inherit, workingDirectory: user == nil ? nil : "/",
      platformOptions: PlatformOptions(runningAs: user), input: .string(input),
      output: .string(limit: limit), error: .string(limit: limit))
    var exitStatus: Int32?
    if case .exited(let code) = result.terminationStatus { exitStatus = code }
    return Outcome(
      exitStatus: exitStatus, output: result.standardOutput, errors: result.standardError,
      status: ChildProcess.End(result.terminationStatus).description)
  }

  /// Runs the program and returns what it prints; anything but success is an error that carries the program's own words.
  @discardableResult
  package func output(_ arguments: [String], input: String = "", as user: SystemUser? = nil) async throws -> String {
    let outcome = try await run(arguments, input: input, as: user)
    guard outcome.succeeded else {
      let words = outcome.errors.isEmpty ? outcome.output : outcome.errors
      throw LocalStackError.failed(
        "\(Files.lastComponent(of: executable)) failed (\(outcome.status))", detail: words.trimmed)
    }
    return outcome.output
  }
}

extension Subprocess.Executable {
  init(programAt path: String) {
    self = path.contains("/") ? .path(FilePath(path)) : .name(path)
  }
}

extension PlatformOptions {
  /// The options of a program that runs as `user`, with that account's rights only.
  init(runningAs user: SystemUser?) {
    self.init()
    guard let user, let current = try? SystemUser.current(), current.userID != user.userID else { return }
    userID = user.userID
    groupID = user.groupID
    supplementaryGroups = []
  }
}

extension StringProtocol {
  /// The text without white space at either end.
  package var trimmed: String {
    guard let first = firstIndex(where: { !$0.isWhitespace }), let last = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(self[first...last])
  }
}
