import Glibc
import LocalStack
import Logging
import Synchronization

/// What the tests of the local stack share.
enum Support {
  /// Runs statements as one would at a terminal, and returns what comes back, unadorned.
  static func sql(_ statements: String, _ conninfo: String) async throws -> String {
    try await Program("psql").output(
      ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", "--dbname", conninfo],
      input: statements
    ).trimmed
  }

  /// A directory of the test's own, removed afterwards.
  @discardableResult
  static func withDirectory<R>(_ body: (String) async throws -> R) async throws -> R {
    let directory = try TemporaryDirectories.make()
    do {
      let result = try await body(directory)
      try Files.remove(directory)
      return result
    } catch {
      try? Files.remove(directory)
      throw error
    }
  }

  /// A cluster of the test's own, stopped and removed afterwards.
  @discardableResult
  static func withCluster<R>(in directory: String, _ body: (PostgresCluster) async throws -> R) async throws -> R {
    let cluster = PostgresCluster(directory: directory)
    do {
      try await cluster.start()
      let result = try await body(cluster)
      try await cluster.destroy()
      return result
    } catch {
      try? await cluster.destroy()
      throw error
    }
  }

  static func mode(of path: String) -> UInt32 {
    var information = stat()
    return stat(path, &information) == 0 ? information.st_mode & 0o7777 : 0
  }

  /// Waits for a state that something else brings about, for half a minute at most.
  static func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(30)
    while !(try await condition()) {
      guard ContinuousClock.now < deadline else { return false }
      try await Task.sleep(for: .milliseconds(10))
    }
    return true
  }
}

/// Keeps what a person would have been told.
final class Said: Sendable {
  private let kept = Mutex<[String]>([])

  var lines: [String] { kept.withLock { $0 } }

  var logger: Logger { Logger(label: "test") { _ in Handler(said: self) } }

  private struct Handler: LogHandler {
    let said: Said
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .notice

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      said.kept.withLock { $0.append("\(event.message)") }
    }
  }
}
