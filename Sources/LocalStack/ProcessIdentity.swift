import Glibc

/// One particular process, told from a later one with the same number by the moment it started.
///
/// Process numbers are used again. A stack that was killed leaves numbers behind in its files, and whoever acts on them
/// later must be sure that the process is the one that was meant: nothing here ever signals on a number alone.
public struct ProcessIdentity: Sendable, Hashable, Codable {
  /// The process's number.
  public let pid: Int32
  /// When the process started, in clock ticks since the machine started (`/proc/PID/stat`, field 22).
  public let startTicks: UInt64
  /// Which start of the machine `startTicks` counts from.
  public let boot: String

  /// The process that has this number now, unless there is none.
  public init?(of pid: Int32) {
    guard let startTicks = Self.startTicks(of: pid) else { return nil }
    self.pid = pid
    self.startTicks = startTicks
    self.boot = Self.currentBoot
  }

  /// Every process that runs now.
  static var all: [ProcessIdentity] {
    ((try? Files.entries(of: "/proc")) ?? []).compactMap { Int32($0) }.compactMap { ProcessIdentity(of: $0) }
  }

  /// Whether the process still runs. One that has ended and waits for its parent to notice doesn't.
  public var isAlive: Bool {
    boot == Self.currentBoot && Self.startTicks(of: pid) == startTicks
  }

  /// The executable's path, when it may be read.
  var executable: String? { Files.linkTarget("/proc/\(pid)/exe") }

  /// The directory the process works in, when it may be read.
  var workingDirectory: String? { Files.linkTarget("/proc/\(pid)/cwd") }

  /// The command line, the program's name first.
  var arguments: [String] {
    (Files.read("/proc/\(pid)/cmdline") ?? "").split(separator: "\0").map(String.init)
  }

  /// Sends a signal to this very process. False when it no longer runs or may not be signalled.
  @discardableResult
  public func send(_ signal: Int32) -> Bool {
    isAlive && kill(pid, signal) == 0
  }

  /// Waits until the process has ended, for as long as `timeout`. False when it still runs.
  ///
  /// This is for a process that isn't a child of ours, whose end the system announces to its parent only.
  public func waitUntilGone(timeout: Duration) async -> Bool {
    let deadline = ContinuousClock.now + timeout
    while isAlive {
      guard ContinuousClock.now < deadline, (try? await Task.sleep(for: .milliseconds(10))) != nil else { return false }
    }
    return true
  }

  private static let currentBoot =
    (Files.read("/proc/sys/kernel/random/boot_id") ?? "").split(separator: "\n").first.map(String.init) ?? ""

  private static func startTicks(of pid: Int32) -> UInt64? {
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    guard let line = Files.read("/proc/\(pid)/stat"), let close = line.lastIndex(of: ")") else { return nil }
    let fields = line[line.index(after: close)...].split(separator: " ")
    guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
    return UInt64(fields[19])
  }
}
