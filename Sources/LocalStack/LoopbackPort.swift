import Glibc

/// TCP ports of the loopback interface.
package enum LoopbackPort {
  /// The port itself when a server can have it, or any free one for 0.
  ///
  /// - Throws: ``LocalStackError/portTaken(_:)``.
  package static func claim(_ port: Int) throws -> Int {
    guard let number = UInt16(exactly: port) else {
      throw LocalStackError.failed("\(port) isn't a port", detail: "0 to 65535 are")
    }
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard file >= 0 else { throw LocalStackError.failed("can't open a socket", detail: Files.systemError()) }
    defer { close(file) }
    // As the server does, so that connections of an earlier one that are still closing don't count as taken.
    var yes: Int32 = 1
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = address(number)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(file, $0, length) == 0 && listen(file, 1) == 0 && getsockname(file, $0, &length) == 0
      }
    }
    guard bound else {
      if errno == EADDRINUSE { throw LocalStackError.portTaken(port) }
      throw LocalStackError.failed("can't use port \(port)", detail: Files.systemError())
    }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  static func address(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    address.sin_port = port.bigEndian
    return address
  }
}
