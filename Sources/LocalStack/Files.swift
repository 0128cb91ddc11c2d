import FoundationEssentials
package import Glibc

/// The few file operations the stack needs, with the mode a file shall have decided when it is made and not after, so
/// that a secret is never readable by others, not even for a moment.
package enum Files {
  package static func exists(_ path: String) -> Bool {
    access(path, F_OK) == 0
  }

  package static func read(_ path: String) -> String? {
    (try? Data(contentsOf: URL(filePath: path))).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Writes a file so that a reader sees the old content or the new and never a part: to a neighbour first, synced,
  /// then renamed over.
  package static func write(_ content: String, to path: String, mode: mode_t, owner: SystemUser? = nil) throws {
    try write(Array(content.utf8), to: path, mode: mode, owner: owner)
  }

  package static func write(_ bytes: [UInt8], to path: String, mode: mode_t, owner: SystemUser? = nil) throws {
    let neighbour = "\(path).\(getpid()).new"
    unlink(neighbour)
    try writeNew(bytes, to: neighbour, mode: mode, owner: owner)
    guard rename(neighbour, path) == 0 else {
      let cause = systemError()
      unlink(neighbour)
      throw LocalStackError.failed("can't write \(path)", detail: cause)
    }
  }

  /// Writes a file that must not exist yet. An existing one is left as it is, and the call throws.
  package static func writeNew(_ bytes: [UInt8], to path: String, mode: mode_t, owner: SystemUser? = nil) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard file >= 0 else { throw failure("can't create \(path)", path) }
    defer { close(file) }
    // The mode given to open() is cut down by the process's umask; a file that another account has to read needs it
    // whole.
    guard fchmod(file, mode) == 0 else { throw failure("can't set the mode of \(path)", path) }
    if let owner, geteuid() == 0, fchown(file, owner.userID, owner.groupID) != 0 {
      throw failure("can't give \(path) to \(owner.name)", path)
    }
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      guard written > 0 else { throw failure("can't write \(path)", path) }
      rest = rest.dropFirst(written)
    }
    guard fsync(file) == 0 else { throw failure("can't write \(path)", path) }
  }

  /// Makes a directory, and those above it, unless it is there. The mode holds for a directory that this call makes.
  package static func makeDirectory(_ path: String, mode: mode_t, owner: SystemUser? = nil) throws {
    if mkdir(path, mode) != 0 {
      switch errno {
      case EEXIST: return
      case ENOENT where path.contains("/") && path != "/":
        try makeDirectory(parent(of: path), mode: 0o755)
        guard mkdir(path, mode) == 0 else { throw failure("can't make the directory \(path)", path) }
      default: throw failure("can't make the directory \(path)", path)
      }
    }
    guard chmod(path, mode) == 0 else { throw failure("can't set the mode of \(path)", path) }
    if let owner, geteuid() == 0, chown(path, owner.userID, owner.groupID) != 0 {
      throw failure("can't give \(path) to \(owner.name)", path)
    }
  }

  /// Removes a file or a whole directory. What isn't there is removed already.
  package static func remove(_ path: String) throws {
    guard Files.exists(path) else { return }
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      throw LocalStackError.failed("can't remove \(path)", detail: "\(error)")
    }
  }

  /// The path with every symbolic link followed, or the path made absolute where nothing is there yet.
  package static func resolve(_ path: String) -> String {
    if let real = realpath(path, nil) {
      defer { free(real) }
      return String(cString: real)
    }
    guard path != "/", path != "." else { return path }
    let (directory, name) = (parent(of: path), lastComponent(of: path))
    return "\(resolve(directory))/\(name)"
  }

  /// Where a symbolic link points, or nil for anything else.
  package static func linkTarget(_ path: String) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let base = buffer.baseAddress else { return nil }
      let length = readlink(path, base, buffer.count)
      guard length > 0 else { return nil }
      return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  package static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func lastComponent(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// The names in a directory, in no particular order.
  package static func entries(of path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path)
  }

  /// Bytes that an ordinary account may still write to the file system of `path`.
  static func freeBytes(at path: String) -> UInt64? {
    var information = statvfs()
    guard statvfs(path, &information) == 0 else { return nil }
    return UInt64(information.f_bavail) * UInt64(information.f_frsize)
  }

  /// The last lines of a text file, for a message about a program that failed and wrote its reasons there.
  ///
  /// - Parameter start: how many bytes at the beginning are somebody else's. A file that is shorter has begun anew.
  static func tail(_ path: String, lines: Int, after start: Int = 0) -> String {
    guard let content = try? Data(contentsOf: URL(filePath: path)) else { return "" }
    let text = String(decoding: content.dropFirst(start <= content.count ? start : 0), as: UTF8.self)
    return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
  }

  /// A file's length in bytes, or nil when there is none.
  static func size(_ path: String) -> Int? {
    var information = stat()
    return stat(path, &information) == 0 ? Int(information.st_size) : nil
  }

  /// Puts a log that has grown large aside, in the place of the one put aside before, so that logs never fill the disk.
  static func setAside(_ path: String, largerThan bytesMaximum: Int) {
    if let size = size(path), size > bytesMaximum { rename(path, "\(path).1") }
  }

  static func systemError() -> String {
    String(cString: strerror(errno))
  }

  private static func failure(_ what: String, _ path: String) -> LocalStackError {
    if errno == ENOSPC || errno == EDQUOT {
      return .noSpace(directory: parent(of: path), freeBytes: freeBytes(at: parent(of: path)) ?? 0)
    }
    return .failed(what, detail: systemError())
  }
}
