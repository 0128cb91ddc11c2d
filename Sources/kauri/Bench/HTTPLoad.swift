import Glibc
import Postgres

/// Sends prepared requests over many connections from one thread, and measures how long each takes.
///
/// As cheap as can be, because it shares the machine with what it measures: plain sockets, one `poll` for all of
/// them, no copy of what comes back.
actor HTTPLoad {
  private let executor: ThreadExecutor
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  struct Plan: Sendable {
    var port: Int
    /// Whole requests, head and body.
    var requests: [[UInt8]]
    var connections: Int
    /// Requests a second that arrive whether or not earlier ones are answered; nil for as fast as answers come.
    ///
    /// Latency counts from when a request was due, so a server that stalls can't hide it by slowing its clients down
    /// (coordinated omission).
    var rate: Double?
  }

  struct Result: Sendable {
    var sample = BenchSample()
    /// Answers by HTTP status.
    var statuses: [Int: Int] = [:]
  }

  init() throws {
    executor = try ThreadExecutor(name: "kauri-load")
  }

  /// - Throws: ``BenchFault`` when a connection breaks or an answer can't be read; `CancellationError`.
  func run(_ plan: Plan) throws -> Result {
    var run = try HTTPLoadRun(plan)
    return try run.drive()
  }
}

/// One run of the load.
private struct HTTPLoadRun: ~Copyable {
  private struct Connection {
    /// The request under way, and how many of its bytes are sent.
    var request: Int?
    var sent = 0
    /// When it was due, in nanoseconds.
    var due: UInt64 = 0
    var answer = AnswerReader()
  }

  private let plan: HTTPLoad.Plan
  private var connections: [Connection] = []
  /// A connection's socket, and what it waits for, at the connection's index.
  private var sockets: [pollfd] = []
  private var idle: [Int] = []
  private var nextRequest = 0
  private var answered = 0
  private var start: UInt64 = 0
  private var result = HTTPLoad.Result()
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)

  init(_ plan: HTTPLoad.Plan) throws {
    self.plan = plan
    for index in 0..<plan.connections {
      sockets.append(pollfd(fd: try HTTPLoadRun.connect(to: plan.port), events: 0, revents: 0))
      connections.append(Connection())
      idle.append(index)
    }
  }

  deinit {
    for socket in sockets { close(socket.fd) }
    buffer.deallocate()
  }

  mutating func drive() throws -> HTTPLoad.Result {
    start = HTTPLoadRun.now
    while answered < plan.requests.count {
      try wait(try dispatch())
      try Task.checkCancellation()
      for index in sockets.indices where sockets[index].revents != 0 { try proceed(index) }
    }
    result.sample.elapsed = .nanoseconds(Int64(HTTPLoadRun.now - start))
    return result
  }

  /// Gives idle connections the requests that are due.
  ///
  /// - Returns: for how many nanoseconds nothing else will be due.
  private mutating func dispatch() throws -> UInt64 {
    while nextRequest < plan.requests.count, let index = idle.last {
      var due = HTTPLoadRun.now
      if let rate = plan.rate {
        let planned = start + UInt64(Double(nextRequest) / rate * 1e9)
        guard planned <= due else { return planned - due }
        due = planned
      }
      idle.removeLast()
      connections[index].request = nextRequest
      connections[index].sent = 0
      connections[index].due = due
      nextRequest += 1
      try proceed(index)
    }
    return 1_000_000_000
  }

  /// Waits until a socket can be read or written, or for `nanoseconds`.
  private mutating func wait(_ nanoseconds: UInt64) throws {
    guard poll(&sockets, UInt(sockets.count), Int32(nanoseconds / 1_000_000)) >= 0 || errno == EINTR else {
      throw BenchFault("can't wait for answers: \(String(cString: strerror(errno)))")
    }
    // poll(2) counts in milliseconds. The rest of one is slept in steps short enough not to matter to any figure.
    guard nanoseconds < 1_000_000, sockets.allSatisfy({ $0.revents == 0 }) else { return }
    var step = timespec(tv_sec: 0, tv_nsec: Int(min(nanoseconds, 50_000)))
    nanosleep(&step, nil)
  }

  /// Sends and receives on a connection until it would block.
  private mutating func proceed(_ index: Int) throws {
    guard let request = connections[index].request else { return }
    let file = sockets[index].fd
    let bytes = plan.requests[request]
    while connections[index].sent < bytes.count {
      let from = connections[index].sent
      let count = bytes.withUnsafeBytes {
        send(file, $0.baseAddress.map { $0 + from }, $0.count - from, Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        guard errno == EAGAIN else { throw BenchFault("a connection broke: \(String(cString: strerror(errno)))") }
        sockets[index].events = Int16(POLLIN | POLLOUT)
        return
      }
      connections[index].sent += count
    }
    sockets[index].events = Int16(POLLIN)
    while true {
      let count = recv(file, buffer.baseAddress, buffer.count, 0)
      if count < 0, errno == EAGAIN { return }
      guard count > 0 else { throw BenchFault("the server closed a connection in the middle of an answer") }
      let status = try connections[index].answer.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      guard let status else { continue }
      result.sample.record(microseconds: (HTTPLoadRun.now - connections[index].due) / 1_000)
      result.statuses[status, default: 0] += 1
      answered += 1
      connections[index].request = nil
      idle.append(index)
      return
    }
  }

  private static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private static func connect(to port: Int) throws -> Int32 {
    let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    address.sin_port = UInt16(port).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard file >= 0, isConnected else {
      throw BenchFault("can't connect to 127.0.0.1:\(port): \(String(cString: strerror(errno)))")
    }
    var yes: Int32 = 1
    setsockopt(file, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    _ = fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK)
    return file
  }
}

/// Follows one HTTP/1.1 answer after the other as far as a load generator has to: its status and where it ends.
private struct AnswerReader {
  private var head: [UInt8] = []
  private var status = 0
  /// Bytes of the body that are still to come, once the head is in.
  private var bodyLeft: Int?

  /// - Returns: the status, when the answer is complete.
  mutating func take(_ bytes: UnsafeRawBufferPointer) throws -> Int? {
    if let left = bodyLeft { return try takeBody(left, bytes.count) }
    let searchedFrom = max(0, head.count - 3)
    head.append(contentsOf: bytes)
    guard let end = AnswerReader.endOfHead(head, from: searchedFrom) else { return nil }
    try readHead(end)
    let rest = head.count - end
    head.removeAll(keepingCapacity: true)
    return try takeBody(bodyLeft ?? 0, rest)
  }

  private mutating func takeBody(_ left: Int, _ count: Int) throws -> Int? {
    guard count <= left else { throw BenchFault("the server sent more than it said") }
    bodyLeft = left - count
    guard count == left else { return nil }
    bodyLeft = nil
    return status
  }

  private static func endOfHead(_ bytes: [UInt8], from start: Int) -> Int? {
    guard bytes.count >= 4 else { return nil }
    for index in start...bytes.count - 4
    where bytes[index] == 0x0D && bytes[index + 2] == 0x0D && bytes[index + 3] == 0x0A {
      return index + 4
    }
    return nil
  }

  private mutating func readHead(_ end: Int) throws {
    guard end > 13, let code = AnswerReader.number(head[9..<12]) else {
      throw BenchFault("an answer doesn't begin like one")
    }
    status = code
    var line = head.startIndex
    while let next = head[line..<end].firstIndex(of: 0x0A).map({ $0 + 1 }), next < end {
      let field = head[next..<end]
      if AnswerReader.isLength(field) {
        let digits = field.dropFirst(AnswerReader.lengthName.count).drop { $0 == 0x20 }.prefix { $0 != 0x0D }
        bodyLeft = AnswerReader.number(digits)
      }
      line = next
    }
    guard bodyLeft != nil else { throw BenchFault("an answer with status \(code) doesn't say how long it is") }
  }

  private static let lengthName = Array("content-length:".utf8)

  private static func isLength(_ field: ArraySlice<UInt8>) -> Bool {
    // Letters differ from their capitals in one bit, which the hyphen and the colon have set anyway.
    field.count > lengthName.count && zip(field, lengthName).allSatisfy { $0 | 0x20 == $1 }
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    Int(String(decoding: digits, as: UTF8.self))
  }
}
