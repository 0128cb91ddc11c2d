import Glibc

/// A key in a file: a few random bytes, owned by the account of this process and closed to everybody else.
enum SecretFile {
  /// Why there is no key. Nothing of one, or of what was taken for one, is ever part of it.
  enum Fault: Error {
    /// `cause` is the system's word for it.
    case unreadable(cause: String)
    case notAFile
    case tooOpen(mode: UInt32)
    case notOurs
    case wrongLength(bytes: Int)
  }

  /// Hands the file's bytes to `body` and wipes them afterwards. What is looked at is the file that was opened, so
  /// nobody can put another in its place in between.
  static func read<Key>(_ path: String, length: Int, _ body: ([UInt8]) -> Key) throws(Fault) -> Key {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw unreadable }
    defer { close(file) }
    var information = stat()
    guard fstat(file, &information) == 0 else { throw unreadable }
    guard information.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
    let mode = information.st_mode & 0o7777
    guard mode & 0o077 == 0 else { throw .tooOpen(mode: UInt32(mode)) }
    guard information.st_uid == geteuid() else { throw .notOurs }
    guard information.st_size == length else { throw .wrongLength(bytes: Int(information.st_size)) }
    var bytes = [UInt8](repeating: 0, count: length)
    let count = Glibc.read(file, &bytes, bytes.count)
    defer { explicit_bzero(&bytes, bytes.count) }
    guard count >= 0 else { throw unreadable }
    guard count == length else { throw .wrongLength(bytes: count) }
    return body(bytes)
  }

  private static var unreadable: Fault { .unreadable(cause: String(cString: strerror(errno))) }
}
