import Glibc
import Testing

/// A unix socket where Postgres' would be, which takes callers' connections into its queue and never says a word.
final class SilentServer: Sendable {
  let directory: String
  private let socket: CInt

  init() throws {
    var template = Array("/tmp/silent-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    socket = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(directory)/.s.PGSQL.5432".utf8) }
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    try #require(listen(socket, 8) == 0)
  }

  deinit {
    close(socket)
    unlink("\(directory)/.s.PGSQL.5432")
    rmdir(directory)
  }

  /// Somebody waits to be accepted.
  var hasCaller: Bool {
    var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    return poll(&descriptor, 1, 0) == 1
  }
}
