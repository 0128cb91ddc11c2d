public import Crypto

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

  public func masterKey() throws(MasterKeyFault) -> SymmetricKey {
    do throws(SecretFile.Fault) {
      return try SecretFile.read(path, length: MasterKeyFile.length) { SymmetricKey(data: $0) }
    } catch {
      throw MasterKeyFault(error, path: path)
    }
  }
}

extension MasterKeyFault {
  fileprivate init(_ fault: SecretFile.Fault, path: String) {
    switch fault {
    case .unreadable(let cause): self = .unreadable(path: path, cause: cause)
    case .notAFile: self = .notAFile(path: path)
    case .tooOpen(let mode): self = .tooOpen(path: path, mode: mode)
    case .notOurs: self = .notOurs(path: path)
    case .wrongLength(let bytes): self = .wrongLength(path: path, bytes: bytes)
    }
  }
}
