import Glibc
import Postgres

/// One TCP connection on which a test sends the bytes that it likes, on a thread of its own, for it waits.
actor ContractSocket {
  struct Failure: Error {
    let what: String
    let code: Int32
  }

  private let executor: ThreadExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
  private let descriptor: Int32
  /// What the server has sent.
  private(set) var heard: [UInt8] = []
  private var isOver = false

  /// Connects to a port of this machine.
  init(port: UInt16) throws {
    executor = try ThreadExecutor(name: "bad client")
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(what: "socket", code: errno) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
    let connected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard connected == 0 || errno == EINPROGRESS else {
      let code = errno
      close(descriptor)
      throw Failure(what: "connect", code: code)
    }
  }

  deinit { close(descriptor) }

  /// Sends all of it, and listens meanwhile.
  ///
  /// - Returns: false when the server stopped taking it.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      guard wait(for: Int16(POLLIN | POLLOUT), milliseconds: 30_000), listen() else { return false }
      let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count < 0 {
        guard errno == EAGAIN || errno == EWOULDBLOCK else { return false }
        _ = wait(for: Int16(POLLOUT), milliseconds: 100)
      } else {
        rest = rest.dropFirst(count)
      }
    }
    return true
  }

  /// Listens until the server ends the connection.
  ///
  /// - Returns: what it has said, or nil when it hasn't ended by then.
  func listenToTheEnd(within limit: Duration) -> String? {
    let deadline = ContinuousClock.now + limit
    while !isOver {
      guard ContinuousClock.now < deadline else { return nil }
      if wait(for: Int16(POLLIN), milliseconds: 100) { _ = listen() }
    }
    return String(decoding: heard, as: UTF8.self)
  }

  /// Whether the server has ended the connection, as far as can be told without waiting.
  func hasEnded() -> Bool { !listen() }

  private func wait(for events: Int16, milliseconds: Int32) -> Bool {
    var entry = pollfd(fd: descriptor, events: events, revents: 0)
    return poll(&entry, 1, milliseconds) > 0
  }

  /// Takes what has come.
  ///
  /// - Returns: false when the connection has ended.
  private func listen() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while !isOver {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count > 0 {
        heard += buffer[..<count]
      } else if count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        isOver = true
      } else {
        return true
      }
    }
    return false
  }
}
