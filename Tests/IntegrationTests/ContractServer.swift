import FoundationEssentials
import LocalStack
import Testing

/// A stack of its own to send bad requests to, which must come out of it as it went in.
struct ContractServer: Sendable {
  static let transferPath = "/v1/commands/PostTransfer"
  static let json = "Content-Type: application/json\r\n"
  /// An idempotency key that was never used.
  static var key: String { "Idempotency-Key: \(UUID().uuidString.lowercased())\r\n" }

  let port: UInt16
  /// An operator's.
  let token: String
  let directory: String
  private let process: Int32

  /// Starts a stack, runs the body, and looks what it has left behind: the log is as long as before, the server is the
  /// same process, ready, and does its work.
  static func run(_ body: (ContractServer) async throws -> Void) async throws {
    let stack = try await KauriProcess.dev()
    do {
      let record = try stack.record()
      let port = try #require(record.http.split(separator: ":").last.flatMap { UInt16($0) })
      let server = ContractServer(
        port: port, token: try stack.token("operator"), directory: stack.directory,
        process: try #require(record.processes["server"]))
      let before = try await position(record)
      try await body(server)
      #expect(try await position(record) == before, "something was written")
      #expect(try stack.record() == record, "another server has taken its place")
      let ready = try await server.answer(to: server.request("GET", "/readyz", "", token: nil))
      #expect(ready?.hasPrefix("HTTP/1.1 200 ") == true)
      let good = #"{"customer_id":"01900000-0000-7000-8000-0000000000c1","name":"Hemi Cooper"}"#
      let done = try await server.answer(
        to: server.post(good, to: "/v1/commands/RegisterCustomer", json + key))
      #expect(done?.hasPrefix("HTTP/1.1 201 ") == true)
    } catch {
      try await stack.destroy()
      throw error
    }
    try await stack.destroy()
  }

  private static func position(_ record: StackRecord) async throws -> String {
    try await Program("psql").output(["-d", record.postgres, "-Atc", "select position from log_head"])
  }

  /// The beginning of a request, up to the empty line. The server is asked to end the connection after its answer.
  func head(_ method: String, _ path: String, _ fields: String, token: String?) -> String {
    let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
    return "\(method) \(path) HTTP/1.1\r\nHost: kauri\r\nConnection: close\r\n\(authorization)\(fields)\r\n"
  }

  func head(_ method: String, _ path: String, _ fields: String) -> String {
    head(method, path, fields, token: token)
  }

  func request(_ method: String, _ path: String, _ fields: String, token: String?) -> [UInt8] {
    Array(head(method, path, fields, token: token).utf8)
  }

  func post(_ content: [UInt8], to path: String, _ fields: String, token: String? = nil) -> [UInt8] {
    request("POST", path, fields + "Content-Length: \(content.count)\r\n", token: token ?? self.token) + content
  }

  func post(_ content: String, to path: String, _ fields: String, token: String? = nil) -> [UInt8] {
    post(Array(content.utf8), to: path, fields, token: token)
  }

  /// Sends a request on a connection of its own.
  ///
  /// - Returns: all that the server says, or nil when it doesn't end the connection.
  func answer(to request: [UInt8]) async throws -> String? {
    let socket = try ContractSocket(port: port)
    await socket.send(request)
    return await socket.listenToTheEnd(within: .seconds(20))
  }

  /// The most memory that the server's process has ever held, in bytes.
  func peakMemory() throws -> Int {
    let lines = try #require(Files.read("/proc/\(process)/status")).split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.filter(\.isNumber))) * 1024
  }
}
