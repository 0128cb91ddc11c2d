/// What a data directory's `postmaster.pid` says, and whether it is true.
///
/// The file has a line each for: process number, data directory, start time, port, socket directory, listen address,
/// shared memory, state. It stays behind when the postmaster is killed, and the number in it may by then be another
/// program's.
enum Postmaster {
  /// The postmaster that runs on `directory`, found through its pid file and made sure of: it is a `postgres`, and it
  /// works in that directory, which a postmaster makes its own.
  static func running(on directory: String) -> ProcessIdentity? {
    guard let pid = lines(directory).first.flatMap({ Int32($0) }), let process = ProcessIdentity(of: pid),
      let executable = process.executable, Files.lastComponent(of: executable).hasPrefix("postgres"),
      process.workingDirectory == directory
    else { return nil }
    return process
  }

  /// Whether the postmaster with this process number takes connections.
  static func isReady(_ directory: String, pid: Int32) -> Bool {
    let lines = lines(directory)
    return lines.count >= 8 && lines[0] == "\(pid)" && lines[7] == "ready"
  }

  private static func lines(_ directory: String) -> [String] {
    (Files.read("\(directory)/postmaster.pid") ?? "").split(separator: "\n", omittingEmptySubsequences: false)
      .map(\.trimmed)
  }
}
