import Crypto
import Glibc

/// Which build this is.
enum BuildDigest {
  /// The version, and the SHA-256 of the executable that runs, which the system keeps also where its file has been
  /// replaced since. Nil where it can't be read: then nobody knows, and nothing that was begun is resumed.
  static func ofThisProcess() -> String? {
    let file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var digest = SHA256()
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return nil }
      if count == 0 { break }
      buffer.withUnsafeBytes { digest.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
    let hexadecimal = digest.finalize().map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return "\(KauriVersion.current) \(hexadecimal.joined())"
  }
}
