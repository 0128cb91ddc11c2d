import HTTPTypes
import Hummingbird
import Ledger

/// Lets a request in to its route: bounds, who the caller is, whether its role may use the route, and its parameters.
struct RouteResponder: HTTPResponder {
  let route: Route
  let inFlight: InFlight
  let authenticator: Authenticator
  let access: DataAccess

  func respond(to request: Request, context: RequestScope) async throws -> Response {
    guard route.isBounded else { return try await admit(request, context) }
    try inFlight.enter()
    defer { inFlight.leave() }
    return try await admit(request, context)
  }

  private func admit(_ request: Request, _ scope: RequestScope) async throws -> Response {
    guard case .roles(let roles) = route.access else { return try await call(request, scope, nil) }
    let bearer = try authenticator.bearer(of: request.headers[.authorization])
    let caller = bearer.actor
    try inFlight.enter(caller)
    defer { inFlight.leave(caller) }
    guard roles.contains(caller.role) else {
      throw try await access.refusal(caller, route, about: nil, correlation: scope.trace?.traceID)
    }
    return try await call(request, scope, bearer)
  }

  private func call(_ request: Request, _ scope: RequestScope, _ bearer: VerifiedToken?) async throws -> Response {
    // Where there is nothing, there is nothing whatever is asked of it.
    let query = route.operation == nil ? QueryValues() : try QueryValues(request.uri.query, of: route.query)
    return try await route.respond(Call(route: route, request: request, scope: scope, query: query, bearer: bearer))
  }
}

/// Answers the methods that a path doesn't have.
struct MethodNotAllowed: HTTPResponder {
  /// The methods that it has.
  let allowed: [HTTPRequest.Method]

  func respond(to request: Request, context: RequestScope) throws -> Response {
    throw Problem(.methodNotAllowed, headers: [.allow: allowed.map(\.rawValue).joined(separator: ", ")])
  }
}

/// Answers HEAD as GET would be answered, without the content.
struct HeadResponder: HTTPResponder {
  let get: RouteResponder

  func respond(to request: Request, context: RequestScope) async throws -> Response {
    try await get.respond(to: request, context: context).createHeadResponse()
  }
}

extension Router<RequestScope> {
  static let methods: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect]

  /// Registers every route, and for every path an answer to the methods that it doesn't have.
  func register(_ routes: [Route], _ responder: (Route) -> RouteResponder) {
    var paths: [String: (path: RouterPath, methods: [HTTPRequest.Method])] = [:]
    for route in routes {
      let path = route.routerPath
      on(path, method: route.method, responder: responder(route))
      var methods = [route.method]
      if route.method == .get {
        on(path, method: .head, responder: HeadResponder(get: responder(route)))
        methods.append(.head)
      }
      paths[path.description, default: (path, [])].methods += methods
    }
    for (path, methods) in paths.values {
      for method in Self.methods where !methods.contains(method) {
        on(path, method: method, responder: MethodNotAllowed(allowed: methods))
      }
    }
  }
}
