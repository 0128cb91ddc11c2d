import FoundationEssentials

/// The program that runs, for starting another process of it.
enum ThisExecutable {
  static func path() throws -> String {
    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  }
}
