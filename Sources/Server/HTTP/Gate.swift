import EventStore
import HTTPTypes
public import Hummingbird
import Ledger
import Logging
import NIOCore
import NIOHTTP1
import Postgres
import Projections

/// What every request passes through, in and out: bounds on its head, its ids, a problem document for whatever fails, and
/// its trace in metrics and logs.
public struct Gate: HTTPResponder {
  public typealias Context = RequestScope

  let router: RouterResponder<RequestScope>
  let limits: ServerLimits
  let metrics: ServerMetrics

  public func respond(to request: Request, context: RequestScope) async throws -> Response {
    let started = ContinuousClock.now
    var scope = context
    scope.requestID = request.headers[.requestID].flatMap { RequestID($0) } ?? RequestID()
    scope.trace = request.headers[.traceParent].flatMap { TraceContext($0) }?.child()

    var response: Response
    do {
      try checkHead(request)
      response = try await router.respond(to: request, context: scope)
      if scope.endpointPath == Gate.unmatched { response = try await unmatchedResponse(request, scope) }
    } catch let error as HTTPParserError {
      throw error
    } catch {
      response = problem(for: error, request, scope).response()
    }

    response.headers[.requestID] = scope.requestID.description
    if let trace = scope.trace { response.headers[.traceParent] = trace.header }
    // Nothing of a bank's answers belongs in a cache, and none is a page.
    response.headers[.cacheControl] = "no-store"
    response.headers[.xContentTypeOptions] = "nosniff"
    finish(request, response, scope, ContinuousClock.now - started)
    return response
  }

  /// What the router calls a request that no route matches.
  static let unmatched = "NotFound"

  /// A path that there is, asked with a method that nobody has heard of, is answered as with any other that it doesn't
  /// take: every path has an answer to CONNECT, and none takes it.
  private func unmatchedResponse(_ request: Request, _ scope: RequestScope) async throws -> Response {
    guard !Router<RequestScope>.methods.contains(request.method) else { return Problem(.notFound).response() }
    var head = request.head
    head.method = .connect
    let response = try await router.respond(
      to: Request(head: head, body: RequestBody(buffer: ByteBuffer())), context: scope)
    return scope.endpointPath == Gate.unmatched ? Problem(.notFound).response() : response
  }

  private func checkHead(_ request: Request) throws(Problem) {
    guard (request.head.path?.utf8.count ?? 0) <= limits.uriBytes else {
      throw Problem(.uriTooLong, headers: [.connection: "close"])
    }
    var bytes = 0
    for field in request.headers { bytes += field.name.rawName.utf8.count + field.value.utf8.count + 4 }
    guard bytes <= limits.headerBytes else { throw Problem(.headersTooLarge, headers: [.connection: "close"]) }
  }

  private func problem(for error: any Error, _ request: Request, _ scope: RequestScope) -> Problem {
    switch error {
    case let problem as Problem: return problem
    case let fault as JSONFault: return Problem(fault)
    case let fault as QueryFault: return Problem(fault)
    case let changed as HistoryChanged: return Problem(changed)
    case is CancellationError: return Problem(.shuttingDown)
    case let error as PostgresError where error.isRetryable || error.kind == .poolShutDown || error.kind == .cancelled:
      log(.warning, "the database didn't answer", request, scope, ["error": "\(error)"])
      return Problem(.databaseUnavailable)
    default:
      log(.error, "a request failed", request, scope, ["error": "\(error)"])
      return Problem(.internalError)
    }
  }

  private func finish(_ request: Request, _ response: Response, _ scope: RequestScope, _ duration: Duration) {
    metrics.answered(
      request.method, route: scope.endpointPath ?? Gate.unmatched, status: response.status.code, duration)
    let level: Logger.Level =
      switch response.status.code {
      case ..<400: .debug
      case ..<500: .info
      default: .warning
      }
    guard level >= scope.logger.logLevel else { return }
    log(
      level, "answered", request, scope,
      ["status": "\(response.status.code)", "duration_us": "\(duration.microseconds)"])
  }

  /// Logs name the route and not the path: a path may hold an account number.
  private func log(
    _ level: Logger.Level, _ message: Logger.Message, _ request: Request, _ scope: RequestScope,
    _ metadata: Logger.Metadata
  ) {
    var metadata = metadata
    metadata["request_id"] = "\(scope.requestID)"
    metadata["method"] = "\(request.method.rawValue)"
    metadata["route"] = "\(scope.endpointPath ?? Gate.unmatched)"
    if let trace = scope.trace { metadata["trace_id"] = "\(trace.traceText)" }
    scope.logger.log(level: level, message, metadata: metadata)
  }
}

extension Duration {
  /// Whole microseconds, rounded down.
  var microseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }
}
