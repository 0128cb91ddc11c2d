import AsyncHTTPClient
import Foundation
import Ledger
import NIOCore
import NIOHTTP1

/// What came back for a request.
enum Exchange: Sendable {
  struct Answer: Sendable {
    let status: Int
    let retryAfter: Int?
    let wasReplayed: Bool
    let preferenceApplied: String?
    let body: [UInt8]
  }

  case answered(Answer)
  /// The connection couldn't be made, broke, or nothing came in time: before the answer began.
  case unanswered(String)
  /// An answer began and didn't end.
  case cutOff(String)

  var status: Int? { if case .answered(let answer) = self { answer.status } else { nil } }
}

/// What a command led to, as its giver was told.
struct GivenOutcome: Equatable, Sendable {
  /// `accepted` or `declined`.
  let outcome: String
  /// Of the last event.
  let position: Int64
  let types: [String]
}

/// One answer about one command: a response's body, or a line of a batch's.
struct CommandAnswer: Decodable {
  struct Event: Decodable {
    let type: String
  }

  let status: Int?
  let outcome: String?
  let position: Int64?
  let events: [Event]?
  let replayed: Bool?
  /// Why there is no outcome.
  let code: String?
  let detail: String?

  var given: GivenOutcome? {
    guard let outcome, let position, let events else { return nil }
    return GivenOutcome(outcome: outcome, position: position, types: events.map(\.type))
  }

  static func read(_ bytes: some Sequence<UInt8>) -> CommandAnswer? {
    try? JSONDecoder().decode(CommandAnswer.self, from: Data(bytes))
  }
}

extension HTTPClient {
  /// Connections are many, never made again behind a test's back, and never shared with other tests.
  static func forTests() -> HTTPClient {
    var configuration = Configuration()
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1_000
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.httpVersion = .http1Only
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  func exchange(
    _ method: HTTPMethod, _ url: String, headers: [(String, String)] = [], body: [UInt8]? = nil, patience: TimeAmount
  ) async -> Exchange {
    var request = HTTPClientRequest(url: url)
    request.method = method
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
    let response: HTTPClientResponse
    do {
      response = try await execute(request, timeout: patience)
    } catch {
      return .unanswered("\(error)")
    }
    do {
      let bytes = try await response.body.collect(upTo: 64 << 20)
      return .answered(
        Exchange.Answer(
          status: Int(response.status.code),
          retryAfter: response.headers.first(name: "Retry-After").flatMap { Int($0) },
          wasReplayed: response.headers.first(name: "Idempotency-Replayed") == "true",
          preferenceApplied: response.headers.first(name: "Preference-Applied"),
          body: Array(bytes.readableBytesView)))
    } catch {
      return .cutOff("\(error)")
    }
  }
}
