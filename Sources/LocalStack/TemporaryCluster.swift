import FoundationEssentials
import Glibc
public import Logging
import Synchronization

extension PostgresCluster {
  /// A started cluster in a directory of its own under `/tmp`, for a test. ``destroy()`` stops it and removes all of
  /// it.
  ///
  /// What a test process that was killed left behind, its running postmasters included, is removed by the next one.
  ///
  /// initdb runs once a process: the clusters are copies of one that was made so, with the roles and an empty database.
  ///
  /// - Parameter settings: Postgres' own settings that shall differ from those of the local stack.
  public static func temporary(
    settings: [String: String] = [:], logger: Logger = Logger(label: "kauri.postgres")
  ) async throws -> PostgresCluster {
    await TemporaryDirectories.removeAbandoned(logger: logger)
    return try await temporary(
      settings: settings, logger: logger, template: ClusterTemplate.shared.directory(logger: logger))
  }

  fileprivate static func temporary(
    settings: [String: String], logger: Logger, template: String?
  ) async throws -> PostgresCluster {
    let enclosing = try TemporaryDirectories.make()
    let cluster = PostgresCluster(
      directory: "\(enclosing)/postgres", logFile: nil,
      settings: ["shared_buffers": "128MB"].merging(settings) { $1 }, logger: logger, enclosing: enclosing,
      template: template)
    do {
      try await cluster.start()
    } catch {
      try? Files.remove(enclosing)
      throw error
    }
    return cluster
  }

  /// Stops the cluster at once and removes its directory and its log.
  public func destroy() async throws {
    await stop(.immediate)
    try Files.remove(socketDirectory)
    if let enclosingDirectory {
      try Files.remove(enclosingDirectory)
    } else {
      try Files.remove(directory)
      try Files.remove(logFile)
    }
  }
}

/// The stopped cluster that this process' temporary clusters are copies of.
private actor ClusterTemplate {
  static let shared = ClusterTemplate()

  private var making: Task<String, any Error>?

  /// Its data directory; made when somebody first asks, and removed when the process ends.
  func directory(logger: Logger) async throws -> String {
    let task =
      making
      ?? Task {
        let cluster = try await PostgresCluster.temporary(settings: [:], logger: logger, template: nil)
        if let enclosing = cluster.enclosingDirectory {
          templateDirectory.withLock { $0 = enclosing }
          atexit { templateDirectory.withLock { directory in directory.map { try? Files.remove($0) } } }
        }
        await cluster.stop(.fast)
        try Files.remove(cluster.socketDirectory)
        return cluster.directory
      }
    making = task
    do {
      return try await task.value
    } catch {
      // The next one tries again: a disk may have been full for a moment.
      making = nil
      throw error
    }
  }
}

/// What the end of the process removes.
private let templateDirectory = Mutex<String?>(nil)

/// Directories for tests. Each holds the identity of the process that made it, so that one whose maker is gone can be
/// told.
package enum TemporaryDirectories {
  private static let prefix = "kauri-test-"
  private static let makerFile = "maker.json"

  /// Makes a directory that the account of Postgres can pass through.
  package static func make() throws -> String {
    var template = Array("/tmp/\(prefix)XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw LocalStackError.failed("can't make a directory under /tmp", detail: Files.systemError())
    }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    if let maker = ProcessIdentity(of: getpid()) {
      let bytes = try JSONEncoder().encode(maker)
      try Files.writeNew(Array(bytes), to: "\(path)/\(makerFile)", mode: 0o644)
    }
    guard chmod(path, 0o711) == 0 else {
      throw LocalStackError.failed("can't set the mode of \(path)", detail: Files.systemError())
    }
    return path
  }

  /// Removes those whose maker has ended without removing them, and stops the postmasters that run there.
  package static func removeAbandoned(logger: Logger) async {
    for name in (try? Files.entries(of: "/tmp")) ?? [] where name.hasPrefix(prefix) {
      let path = "/tmp/\(name)"
      guard let text = Files.read("\(path)/\(makerFile)"),
        let maker = try? JSONDecoder().decode(ProcessIdentity.self, from: Data(text.utf8)), !maker.isAlive
      else { continue }
      let left = processes(of: path)
      if !left.isEmpty {
        logger.notice("stopping what a killed test left running in \(path): \(left.map(\.pid))")
        for process in left { process.send(SIGTERM) }
        // A postmaster waits for its clients on this signal, and their data is about to be removed: no reason to wait
        // long.
        for process in left where !(await process.waitUntilGone(timeout: .seconds(5))) { process.send(SIGKILL) }
        for process in left where !(await process.waitUntilGone(timeout: .seconds(5))) { return }
      }
      try? Files.remove(path)
    }
  }

  /// The stack's processes, the test's own `kauri` included, that were started on something in this directory.
  private static func processes(of path: String) -> [ProcessIdentity] {
    ProcessIdentity.all.filter { process in
      guard let executable = process.executable, process.arguments.contains(where: { $0.contains("\(path)/") })
      else { return false }
      return ["postgres", "kauri"].contains(Files.lastComponent(of: executable))
    }
  }
}
