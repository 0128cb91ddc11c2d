import Glibc
public import Logging
public import ServiceLifecycle

/// The file that the public keys come from, read again whenever it changes: keys are rotated without a restart.
public struct KeyFile: Service {
  private let path: String
  private let authenticator: Authenticator
  private let logger: Logger
  private let interval: Duration

  /// - Parameter interval: how often to look whether the file has changed.
  public init(
    path: String, authenticator: Authenticator, logger: Logger, interval: Duration = .seconds(1)
  ) {
    self.path = path
    self.authenticator = authenticator
    self.logger = logger
    self.interval = interval
  }

  /// Reads the keys.
  ///
  /// - Throws: `KeySetFault` when the file can't be read or used.
  public static func read(_ path: String) async throws -> KeySet {
    try await KeySet(json: try contents(of: path))
  }

  public func run() async throws {
    try? await cancelWhenGracefulShutdown {
      var known = stamp()
      while true {
        try await Task.sleep(for: interval)
        let found = stamp()
        guard found != known else { continue }
        known = found
        await reload()
      }
    }
  }

  /// Keys that can't be used leave the old ones in force: half a file, while somebody writes it, must lock nobody out.
  private func reload() async {
    do {
      authenticator.replace(try await KeyFile.read(path))
      logger.notice("took up new keys")
    } catch {
      logger.error(
        "the file of keys changed and can't be used; the old keys stay in force", metadata: ["error": "\(error)"])
    }
  }

  private struct Stamp: Equatable {
    var device: UInt64 = 0
    var inode: UInt64 = 0
    var size: Int64 = 0
    var seconds = 0
    var nanoseconds = 0
  }

  private func stamp() -> Stamp? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Stamp(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
      seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
  }

  private static let lengthMaximum = 1 << 20

  private static func contents(of path: String) throws -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw KeySetFault(description: "\(path) can't be read: \(String(cString: strerror(errno)))")
    }
    defer { close(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = part.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw KeySetFault(description: "\(path) can't be read: \(String(cString: strerror(errno)))")
      }
      if count == 0 { return bytes }
      bytes += part[..<count]
      guard bytes.count <= lengthMaximum else {
        throw KeySetFault(description: "\(path) is too long for a set of keys")
      }
    }
  }
}
