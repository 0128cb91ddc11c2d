import LocalStack
import Testing

/// A page of the documentation whose commands are run as they stand there.
enum Walkthrough {
  /// Every `sh` block that stands below the line `<!-- run by a test -->`, in the order of the page.
  static func blocks(of page: String) -> [String] {
    var blocks: [String] = []
    var lines = page.split(separator: "\n", omittingEmptySubsequences: false)[...]
    while let mark = lines.firstIndex(of: "<!-- run by a test -->") {
      let rest = lines[(mark + 1)...]
      guard rest.first == "```sh", let end = rest.firstIndex(of: "```") else { break }
      blocks.append(rest[(rest.startIndex + 1)..<end].joined(separator: "\n"))
      lines = rest[end...]
    }
    return blocks
  }

  /// Runs a script as somebody would type it in the directory of the stack.
  ///
  /// - Parameter heads: whether `curl` shows the head of every answer too, for which its own configuration file is asked
  ///   and not the script.
  static func type(_ script: String, in directory: String, heads: Bool = false) async throws -> String {
    if heads { try Files.write("include\n", to: "\(directory)/.curlrc", mode: 0o600) }
    let outcome = try await Program("bash").run(
      ["-euc", #"cd "$1"; export CURL_HOME="$1"; "# + "\n" + script, "bash", directory])
    #expect(outcome.exitStatus == 0, "\(outcome.output)\(outcome.errors)")
    return outcome.output
  }

  /// A folder as a clone that was built, with a stack running in it.
  static func withStack(_ body: (String, RunningStack) async throws -> Void) async throws {
    let directory = try TemporaryDirectories.make()
    defer { try? Files.remove(directory) }
    try Files.makeDirectory("\(directory)/.build/release", mode: 0o755)
    try await Program("ln").output(["-s", KauriProcess.executable(), "\(directory)/.build/release/kauri"])
    let stack = try await KauriProcess.dev(directory: "\(directory)/.kauri")
    do {
      try await body(directory, stack)
    } catch {
      await stack.stop()
      throw error
    }
    await stack.stop()
  }
}
