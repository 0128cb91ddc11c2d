import Glibc
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
      Configuration(executable, arguments, as: user), input: .string(input), output: .string(limit: limit),
      error: .string(limit: limit))
    var exitStatus: Int32?
    if case .exited(let code) = result.terminationStatus { exitStatus = code }
    return Outcome(
      exitStatus: exitStatus, output: result.standardOutput, errors: result.standardError,
      status: ChildProcess.End(result.terminationStatus).description)
  }

  /// Runs the program and returns what it prints; anything but success is an error that carries the program's own
  /// words.
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

extension Configuration {
  /// How to run a program, as `user` and with that account's rights only where it isn't the current one.
  ///
  /// The change of account is left to `setpriv`, which becomes the program. Subprocess could do it itself
  /// (`PlatformOptions.userID`), but it calls glibc's `setuid` and `setgroups` in a child made by a bare `clone3`,
  /// where glibc waits for threads that only the parent has: with another thread just starting, the child hangs for
  /// ever.
  init(_ executable: String, _ arguments: [String], as user: SystemUser?) {
    guard let user, user.userID != geteuid() else {
      self.init(
        executable: executable.contains("/") ? .path(FilePath(executable)) : .name(executable),
        arguments: Arguments(arguments))
      return
    }
    let account = ["--reuid", "\(user.userID)", "--regid", "\(user.groupID)", "--clear-groups", "--"]
    self.init(
      executable: .name("setpriv"), arguments: Arguments(account + [executable] + arguments), workingDirectory: "/")
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
