/// What a data directory's `postmaster.pid` says, and whether it is true.
///
/// The file has a line each for: process number, data directory, start time, port, socket directory, listen address,
/// shared memory, state. It stays behind when the postmaster is killed, and the number in it may by then be another
/// program's.
enum Postmaster {
  /// The postmaster that runs on `directory`, found through its pid file and made sure of.
  static func running(on directory: String) -> ProcessIdentity? {
    guard let pid = lines(directory).first.flatMap({ Int32($0) }), let process = ProcessIdentity(of: pid),
      isPostgres(process, on: directory)
    else { return nil }
    return process
  }

  /// Every process of Postgres on `directory`: the postmaster, and backends, which outlive a killed one by moments.
  static func processes(on directory: String) -> [ProcessIdentity] {
    ProcessIdentity.all.filter { isPostgres($0, on: directory) }
  }

  /// Removes the pid file. Only for a directory that no process of Postgres uses: the file is what keeps two
  /// postmasters from one directory.
  static func removeFile(_ directory: String) throws {
    try Files.remove("\(directory)/postmaster.pid")
  }

  /// Postgres makes the data directory each of its processes' working directory.
  private static func isPostgres(_ process: ProcessIdentity, on directory: String) -> Bool {
    guard process.workingDirectory == directory, let executable = process.executable else { return false }
    return Files.lastComponent(of: executable).hasPrefix("postgres")
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
