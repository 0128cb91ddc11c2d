import AsyncHTTPClient
import Glibc
import Ledger
import NIOCore
import NIOHTTP1
import Synchronization

/// The server's command endpoint, over HTTP.
final class HTTPCommandEndpoint: CommandEndpoint {
  private let client: HTTPClient
  private let address: ServerAddress
  private let token: Mutex<String>

  /// - Parameter connections: how many requests may be under way at once.
  init(_ address: ServerAddress, connections: Int) throws {
    self.address = address
    token = Mutex(try address.token())
    var configuration = HTTPClient.Configuration()
    configuration.timeout = .init(connect: .seconds(5), read: .seconds(120))
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
    configuration.httpVersion = .http1Only
    client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  /// Closes the connections. The endpoint can't be used after that.
  func close() async {
    // Connections that are cut off while a request is under way are what closing means here.
    try? await client.shutdown()
  }

  func send(_ lines: [UInt8]) async throws -> BatchReply {
    let response = try await request(.POST, "/v1/commands") { request in
      request.headers.add(name: "Content-Type", value: "application/x-ndjson")
      request.body = .bytes(ByteBuffer(bytes: lines))
    }
    guard response.status != 200 else { return .outcomes(response.body) }
    return .refused(status: response.status, problem: response.body, retryAfter: response.retryAfter)
  }

  func hasOutcome(of command: CommandID) async throws -> Bool {
    let response = try await get("/v1/commands/\(command)")
    switch response.status {
    case 200: return true
    case 404: return false
    default: throw UnexpectedStatus(status: response.status)
    }
  }

  /// Reads something.
  func get(_ path: String) async throws -> Response {
    try await request(.GET, path)
  }

  struct UnexpectedStatus: Error, CustomStringConvertible {
    let status: Int
    var description: String { "status \(status)" }
  }

  /// Why there was no answer, or only a part of one.
  struct NoAnswer: Error, CustomStringConvertible {
    let description: String

    init(url: String, _ error: any Error) {
      // The client's own words are for its developers, and have a parenthesis too many.
      let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) }
      description = "\(url): \(reason ?? "\(error)".replacing(") (errno: ", with: " (errno: "))"
    }
  }

  struct Response {
    let status: Int
    let retryAfter: Duration?
    let body: [UInt8]
  }

  /// Sends a request with the caller's token. A token that has expired meanwhile is read again from its file, once.
  private func request(
    _ method: HTTPMethod, _ path: String, _ prepare: (inout HTTPClientRequest) -> Void = { _ in }
  ) async throws -> Response {
    let used = token.withLock { $0 }
    let response = try await execute(method, path, used, prepare)
    guard response.status == 401 else { return response }
    let fresh = try address.token()
    guard fresh != used else { return response }
    token.withLock { $0 = fresh }
    return try await execute(method, path, fresh, prepare)
  }

  private func execute(
    _ method: HTTPMethod, _ path: String, _ token: String, _ prepare: (inout HTTPClientRequest) -> Void
  ) async throws -> Response {
    var request = HTTPClientRequest(url: address.url + path)
    request.method = method
    request.headers.add(name: "Authorization", value: "Bearer \(token)")
    prepare(&request)
    let (response, body): (HTTPClientResponse, ByteBuffer)
    do {
      response = try await client.execute(request, timeout: .seconds(180))
      body = try await response.body.collect(upTo: 256 << 20)
    } catch {
      throw NoAnswer(url: address.url, error)
    }
    return Response(
      status: Int(response.status.code),
      retryAfter: response.headers.first(name: "Retry-After").flatMap { Int($0) }.map { .seconds(max(0, $0)) },
      body: Array(body.readableBytesView))
  }
}
