public import Crypto
import Glibc

/// Where the key comes from that all keys of customers are wrapped by. A file does for one machine; a vault will do for
/// a bank.
public protocol MasterKeySource: Sendable {
  /// The key: 32 bytes.
  func masterKey() throws(MasterKeyFault) -> SymmetricKey
}

/// Why there is no master key. Nothing of a key, or of what was taken for one, is ever part of it.
public enum MasterKeyFault: Error, Hashable, Sendable {
  /// The file isn't there or can't be read. `cause` is the system's word for it.
  case unreadable(path: String, cause: String)
  /// It is a directory, a device or a pipe.
  case notAFile(path: String)
  /// Somebody else than its owner may do something with the file.
  case tooOpen(path: String, mode: UInt32)
  /// The file isn't owned by the account that this process runs as.
  case notOurs(path: String)
  /// The file doesn't hold exactly 32 bytes.
  case wrongLength(path: String, bytes: Int)
}

extension MasterKeyFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let path, let cause): "the master key \(path) can't be read: \(cause)"
    case .notAFile(let path): "the master key \(path) isn't a file"
    case .tooOpen(let path, let mode):
      "the master key \(path) has mode 0\(String(mode, radix: 8)): nobody but its owner may have access; chmod 0600 it"
    case .notOurs(let path): "the master key \(path) isn't owned by the account that this process runs as"
    case .wrongLength(let path, let bytes):
      "the master key \(path) must hold \(MasterKeyFile.length) random bytes, and holds \(bytes)"
    }
  }
}

/// A master key in a file of 32 random bytes, owned by the account of this process and closed to everybody else.
public struct MasterKeyFile: MasterKeySource {
  /// The key's length in bytes.
  public static let length = 32

  public let path: String

  public init(path: String) {
    self.path = path
  }

  /// Reads the file. What is looked at is the file that was opened, so nobody can put another in its place in between.
  public func masterKey() throws(MasterKeyFault) -> SymmetricKey {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw unreadable }
    defer { close(file) }
    var information = stat()
    guard fstat(file, &information) == 0 else { throw unreadable }
    guard information.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
    let mode = information.st_mode & 0o7777
    guard mode & 0o077 == 0 else { throw .tooOpen(path: path, mode: UInt32(mode)) }
    guard information.st_uid == geteuid() else { throw .notOurs(path: path) }
    guard information.st_size == MasterKeyFile.length else {
      throw .wrongLength(path: path, bytes: Int(information.st_size))
    }
    var bytes = [UInt8](repeating: 0, count: MasterKeyFile.length)
    let count = read(file, &bytes, bytes.count)
    defer { explicit_bzero(&bytes, bytes.count) }
    guard count >= 0 else { throw unreadable }
    guard count == MasterKeyFile.length else { throw .wrongLength(path: path, bytes: count) }
    return SymmetricKey(data: bytes)
  }

  private var unreadable: MasterKeyFault {
    .unreadable(path: path, cause: String(cString: strerror(errno)))
  }
}
