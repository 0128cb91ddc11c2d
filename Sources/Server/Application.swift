public import Commands
public import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
public import ServiceLifecycle

/// What the server is made of.
public struct ServerParts: Sendable {
  public var handler: CommandHandler
  public var reader: any BookReading
  public var texts: any PersonalTextReading
  public var authenticator: Authenticator
  public var health: any ServerHealth
  public var metrics: ServerMetrics
  /// Where `metrics` counts, for whoever scrapes.
  public var prometheus: PrometheusMetrics
  public var feed: HeadFeed
  public var audit: any AuditReading
  public var limits: ServerLimits
  /// Of the contract, as the OpenAPI document states it.
  public var version: String
  public var logger: Logger

  public init(
    handler: CommandHandler, reader: any BookReading, texts: any PersonalTextReading, authenticator: Authenticator,
    health: any ServerHealth, metrics: ServerMetrics, prometheus: PrometheusMetrics, feed: HeadFeed,
    audit: any AuditReading, limits: ServerLimits = ServerLimits(), version: String, logger: Logger
  ) {
    self.handler = handler
    self.reader = reader
    self.texts = texts
    self.authenticator = authenticator
    self.health = health
    self.metrics = metrics
    self.prometheus = prometheus
    self.feed = feed
    self.audit = audit
    self.limits = limits
    self.version = version
    self.logger = logger
  }
}

/// Puts the server together: its routes, the gate in front of them, and the services that live and stop with it.
///
/// - Parameters:
///   - address: where to listen.
///   - services: what else lives and stops with the server; they stop after it, in the reverse of their order.
///   - onRunning: called with the port once the server listens.
public func buildApplication(
  _ parts: ServerParts, address: BindAddress = .hostname("127.0.0.1", port: 0), services: [any Service] = [],
  onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
) -> Application<Gate> {
  let lifecycle = ServerLifecycle(feed: parts.feed)
  let inFlight = InFlight(maximum: parts.limits.requests, maximumPerCaller: parts.limits.requestsPerCaller)
  let access = DataAccess(handler: parts.handler)
  let routes = buildRoutes(parts, access, inFlight, lifecycle)

  let router = Router(context: RequestScope.self)
  router.register(routes) { route in
    RouteResponder(route: route, inFlight: inFlight, authenticator: parts.authenticator, access: access)
  }
  let gate = Gate(router: router.buildResponder(), limits: parts.limits, metrics: parts.metrics)

  return Application(
    responder: gate, server: .http1(configuration: .kauri(parts.limits)),
    configuration: ApplicationConfiguration(
      address: address, backlog: 1_024,
      availableConnectionsDelegate: .maximum(parts.limits.connections, logger: parts.logger)),
    // They stop in the reverse of this order, and the listener before them all.
    services: [CommandService(handler: parts.handler)] + services,
    onServerRunning: { channel in
      channel.closeFuture.whenComplete { _ in lifecycle.stop() }
      await onRunning(channel.localAddress?.port ?? 0)
    }, logger: parts.logger)
}

extension HTTP1Channel.Configuration {
  fileprivate static func kauri(_ limits: ServerLimits) -> Self {
    // The parser's own bounds are a little wider, so that what is over ours still gets an answer that says so.
    Self(
      additionalChannelHandlers: [ConnectionGuard(arrival: limits.arrival, stall: limits.silence)],
      idleTimeout: TimeAmount(limits.silence),
      httpDecoderConfiguration: DecoderConfiguration(
        maxHeaderFieldSize: limits.headerBytes * 4, maxHeaderListSize: limits.headerBytes * 4, maxHeaderFieldCount: 200)
    )
  }
}

/// Method and path of every route that the contract names.
package func contractedRoutes(_ parts: ServerParts) -> [String] {
  let routes = buildRoutes(
    parts, DataAccess(handler: parts.handler), InFlight(maximum: 1, maximumPerCaller: 1),
    ServerLifecycle(feed: parts.feed))
  return routes.filter { $0.operation != nil }.map(\.name)
}

/// Every route, in the order of the contract.
func buildRoutes(
  _ parts: ServerParts, _ access: DataAccess, _ inFlight: InFlight, _ lifecycle: ServerLifecycle
) -> [Route] {
  let content = Content(limits: parts.limits)
  let large = LargeRequests(maximum: parts.limits.largeRequests)
  let reads = Reads(reader: parts.reader, texts: parts.texts, access: access)
  let receipts = CommandReceipts(audit: parts.audit, logger: parts.logger)
  var routes: [Route] = CommandRoutes(
    handler: parts.handler, texts: parts.texts, content: content, metrics: parts.metrics, large: large,
    receipts: receipts
  ).routes
  routes +=
    BatchRoutes(
      handler: parts.handler, texts: parts.texts, content: content, metrics: parts.metrics, large: large
    ).routes
  routes += CommandOutcomeRoutes(reads: reads).routes
  routes += AccountRoutes(reads: reads).routes
  routes += CustomerRoutes(reads: reads).routes
  routes += TransferRoutes(reads: reads).routes
  routes += SanctionsRoutes(reads: reads).routes
  routes += ApprovalRoutes(reads: reads).routes
  routes += EventRoutes(reads: reads, feed: parts.feed).routes
  routes += AuditRoutes(audit: parts.audit).routes
  let document = ContractDocument()
  routes +=
    ProbeRoutes(
      health: parts.health, authenticator: parts.authenticator, metrics: parts.metrics, prometheus: parts.prometheus,
      inFlight: inFlight, feed: parts.feed, lifecycle: lifecycle, document: { document.bytes }
    ).routes
  document.write(OpenAPIDocument(routes: routes, version: parts.version))
  return routes
}
