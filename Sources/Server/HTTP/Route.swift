import HTTPTypes
import Hummingbird
import Ledger

/// Who may use a route at all.
enum Access: Sendable {
  /// Everybody, without a token: the probes and the contract itself.
  case open
  /// Callers with one of these roles. What they see of it depends on whose it is.
  case roles(Set<Role>)

  static let everyRole = Access.roles([.customer, .operator, .service, .auditor])
  static let bank = Access.roles([.operator, .service, .auditor])
  static let people = Access.roles([.operator, .auditor])
}

/// One operation of the server: what it is called, who may use it, what the contract says of it, and how it is
/// answered.
///
/// The router and the OpenAPI document are both made from the same list of these, so that neither can say what the
/// other doesn't.
struct Route: Sendable {
  let method: HTTPRequest.Method
  /// As OpenAPI writes it, `/v1/accounts/{id}`; at most one segment is a parameter.
  let path: String
  let access: Access
  let query: [QueryParameter]
  /// Nil for what answers only that there is nothing, which the contract needn't name.
  let operation: Operation?
  /// Probes are answered however busy the server is.
  let isBounded: Bool
  let respond: @Sendable (Call) async throws -> Response

  init(
    _ method: HTTPRequest.Method, _ path: String, access: Access, query: [QueryParameter] = [], _ operation: Operation?,
    isBounded: Bool = true, respond: @escaping @Sendable (Call) async throws -> Response
  ) {
    self.method = method
    self.path = path
    self.access = access
    self.query = query
    self.operation = operation
    self.isBounded = isBounded
    self.respond = respond
  }

  /// Method and path, as logs, metrics and the log's records of reads name it.
  var name: String { "\(method.rawValue) \(path)" }

  /// The path as the router takes it. Every parameter has one name there: the router would take two names at one place
  /// for two places, and find the methods of the first only.
  var routerPath: RouterPath {
    RouterPath(
      path.split(separator: "/").map { $0.hasPrefix("{") ? ":\(Call.parameterName)" : String($0) }.joined(
        separator: "/"))
  }
}

/// One request on its way through a route.
struct Call: Sendable {
  static let parameterName = "id"

  let route: Route
  let request: Request
  let scope: RequestScope
  let query: QueryValues
  /// Nil on open routes.
  let bearer: VerifiedToken?

  var caller: Actor? { bearer?.actor }

  /// The caller of a route that has one.
  var actor: Actor {
    get throws(Problem) {
      guard let caller else { throw Problem(.unauthenticated) }
      return caller
    }
  }

  /// When the caller's token expires, on a route that has one.
  var expires: Moment {
    get throws(Problem) {
      guard let bearer else { throw Problem(.unauthenticated) }
      return bearer.expires
    }
  }

  /// The parameter in the path, percent-decoded; nil when it isn't UTF-8.
  var parameter: String? {
    scope.coreContext.parameters.get(Call.parameterName).flatMap { PercentEncoding.decode($0) }
  }

  /// The parameter in the path as an id.
  ///
  /// - Throws: `not_found`: what isn't an id names nothing.
  func identifier() throws(Problem) -> Identifier {
    guard let text = parameter, let id = Identifier(text) else {
      throw Problem(.notFound, "The path has no UUID where it needs one.")
    }
    return id
  }
}
