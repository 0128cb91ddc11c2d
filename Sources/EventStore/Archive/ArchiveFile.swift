import Glibc

/// A file of the archive that can't be read or written, and why.
public struct ArchiveFault: Error, Hashable, Sendable, CustomStringConvertible {
  public let path: String
  public let reason: String

  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  public var description: String { "\(path): \(reason)" }

  static func system(_ path: String) -> ArchiveFault {
    ArchiveFault(path: path, reason: String(cString: strerror(errno)))
  }
}

/// A file that is read at places: may be read from several threads at once, because no place is remembered.
final class ArchiveFile: Sendable {
  let path: String
  let size: Int
  private let descriptor: Int32

  init(path: String) throws(ArchiveFault) {
    self.path = path
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system(path) }
    var information = stat()
    guard fstat(descriptor, &information) == 0 else {
      let fault = ArchiveFault.system(path)
      close(descriptor)
      throw fault
    }
    guard information.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw ArchiveFault(path: path, reason: "it isn't a file")
    }
    size = Int(information.st_size)
  }

  deinit { close(descriptor) }

  /// Exactly these bytes.
  func read(_ range: Range<Int>) throws(ArchiveFault) -> [UInt8] {
    guard range.lowerBound >= 0, range.upperBound <= size else {
      throw ArchiveFault(path: path, reason: "it ends before byte \(range.upperBound)")
    }
    var failure: ArchiveFault?
    let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      while count < range.count {
        let got = pread(
          descriptor, buffer.baseAddress.map { $0 + count }, range.count - count, range.lowerBound + count)
        if got < 0, errno == EINTR { continue }
        guard got > 0 else {
          failure = got < 0 ? .system(path) : ArchiveFault(path: path, reason: "it has become shorter")
          return
        }
        count += got
      }
    }
    if let failure { throw failure }
    return bytes
  }
}

/// A file of the archive on its way: under another name until it is whole and synced, so that whoever dies meanwhile
/// leaves nothing that looks like a segment.
final class ArchiveDraft {
  private let path: String
  private let draft: String
  private var descriptor: Int32
  private(set) var size = 0

  init(path: String) throws(ArchiveFault) {
    self.path = path
    draft = "\(path).\(getpid()).partial"
    descriptor = open(draft, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system(draft) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(draft)
  }

  func append(_ bytes: [UInt8]) throws(ArchiveFault) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw .system(draft) }
      rest = rest.dropFirst(written)
    }
    size += bytes.count
  }

  /// Gives the file its name. One that is there already must be the same, byte for byte, and stays.
  ///
  /// - Returns: whether it was there already.
  func finish() throws(ArchiveFault) -> Bool {
    guard fsync(descriptor) == 0 else { throw .system(draft) }
    if access(path, F_OK) == 0 {
      guard try isSame(as: ArchiveFile(path: path)) else {
        throw ArchiveFault(path: path, reason: "it is there already and holds something else; it was left as it is")
      }
      close(descriptor)
      descriptor = -1
      unlink(draft)
      return true
    }
    guard rename(draft, path) == 0 else { throw .system(path) }
    close(descriptor)
    descriptor = -1
    try ArchiveDraft.syncDirectory(of: path)
    return false
  }

  private func isSame(as other: ArchiveFile) throws(ArchiveFault) -> Bool {
    guard other.size == size else { return false }
    let own = try ArchiveFile(path: draft)
    let step = 1 << 20
    for start in stride(from: 0, to: size, by: step) {
      let range = start..<min(size, start + step)
      guard try own.read(range) == other.read(range) else { return false }
    }
    return true
  }

  /// A name is durable once its directory is.
  private static func syncDirectory(of path: String) throws(ArchiveFault) {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(directory) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system(directory) }
  }
}
