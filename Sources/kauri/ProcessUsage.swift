import Glibc
import LocalStack

/// What this process takes of the machine.
enum ProcessUsage {
  /// The most memory that it has had, in KiB. Not what `getrusage` says, for that begins with what the process had that
  /// started this one.
  static var peakMemory: Int {
    let lines = (Files.read("/proc/self/status") ?? "").split(separator: "\n")
    let words = lines.first { $0.hasPrefix("VmHWM:") }?.split(whereSeparator: \.isWhitespace) ?? []
    return words.count > 1 ? Int(words[1]) ?? 0 : 0
  }

  /// Lets other processes go first where there isn't time for all. Linux keeps this by thread, and a new thread has it
  /// from the one that made it, so all that there are by now are told. Where the system refuses, nothing changes.
  static func lowerPriority() {
    for thread in (try? Files.entries(of: "/proc/self/task")) ?? [] {
      guard let id = UInt32(thread) else { continue }
      _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id, 10)
    }
  }
}
