import Dispatch
import Glibc

/// Asks a server on the loopback interface whether it is ready: one `GET /readyz`, of which only the status matters.
enum ReadinessProbe {
  /// Whether the answer on this port is 200, within a second for each step of the exchange.
  static func isReady(port: Int) async -> Bool {
    await withCheckedContinuation { answer in
      // The calls below wait, and nothing that waits may hold one of Swift's few cooperative threads.
      DispatchQueue.global().async {
        answer.resume(returning: status(port: port) == 200)
      }
    }
  }

  private static func status(port: Int) -> Int? {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard file >= 0, let number = UInt16(exactly: port) else { return nil }
    defer { close(file) }
    var patience = timeval(tv_sec: 1, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(file, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
    var address = LoopbackPort.address(number)
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    let request = "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n"
    // MSG_NOSIGNAL: a server that goes away in between must not end this process.
    guard connected, send(file, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count
    else { return nil }
    return statusCode(of: file)
  }

  /// The status out of "HTTP/1.1 200 OK", whose first twelve bytes may come in pieces.
  private static func statusCode(of file: Int32) -> Int? {
    var line: [UInt8] = []
    while line.count < 12 {
      var piece = [UInt8](repeating: 0, count: 512)
      let count = recv(file, &piece, piece.count, 0)
      guard count > 0 else { return nil }
      line += piece[..<count]
    }
    let words = String(decoding: line, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? Int(words[1].prefix(3)) : nil
  }
}
