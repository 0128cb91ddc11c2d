import HTTPTypes
import Hummingbird
import Ledger
import NIOCore

/// One condition of being ready.
public struct ReadinessCheck: Sendable {
  public var name: String
  public var passed: Bool
  /// What is wrong, for whoever runs the server. Never a secret.
  public var detail: String?

  public init(_ name: String, passed: Bool, _ detail: String? = nil) {
    self.name = name
    self.passed = passed
    self.detail = detail
  }
}

/// What the probes look at.
public protocol ServerHealth: Sendable {
  /// Whether the server can do its work: database reachable, migrations current, rule set known.
  func readiness() async -> [ReadinessCheck]
  /// Figures that nobody counts while they change: the pool, the head, the lag of read models.
  func gauges() async -> [GaugeReading]
}

/// For whoever runs the server. They need no token and show nothing of the bank's.
struct ProbeRoutes {
  let health: any ServerHealth
  let authenticator: Authenticator
  let metrics: ServerMetrics
  let prometheus: PrometheusMetrics
  let inFlight: InFlight
  let feed: HeadFeed
  let lifecycle: ServerLifecycle
  let document: @Sendable () -> [UInt8]

  var routes: [Route] {
    [
      Route(
        .get, "/livez", access: .open,
        .probe("getLiveness", "Whether the process answers at all.", .json(.reference("Liveness"))), isBounded: false
      ) { _ in Reply.object(position: nil) { $0.json.field("live", true) } },
      Route(
        .get, "/readyz", access: .open,
        .probe("getReadiness", "Whether the server can do its work.", .json(.reference("Readiness")), unready: true),
        isBounded: false, respond: readiness),
      Route(
        .get, "/metrics", access: .open,
        .probe("getMetrics", "Metrics, for Prometheus.", Operation.Content(type: "text/plain", schema: .string())),
        isBounded: false, respond: metricsText),
      Route(
        .get, "/openapi.json", access: .open,
        .probe("getContract", "This document.", .json(.anyObject(about: "An OpenAPI 3.1 document."))), isBounded: false
      ) { _ in Reply.json(document()) },
    ]
  }

  @Sendable private func readiness(_ call: Call) async throws -> Response {
    var checks = [
      ReadinessCheck("accepting", passed: !lifecycle.isStopping), ReadinessCheck("keys", passed: authenticator.hasKeys),
    ]
    checks += await health.readiness()
    let isReady = checks.allSatisfy(\.passed)
    var response = Reply.object(position: nil) { writer in
      writer.json.field("ready", isReady)
      writer.json.key("checks")
      writer.json.beginArray()
      for check in checks {
        writer.json.beginObject()
        writer.json.field("name", check.name)
        writer.json.field("passed", check.passed)
        writer.json.field("detail", check.detail)
        writer.json.endObject()
      }
      writer.json.endArray()
    }
    if !isReady { response.status = .serviceUnavailable }
    return response
  }

  @Sendable private func metricsText(_ call: Call) async throws -> Response {
    metrics.record(
      [
        GaugeReading("kauri_requests_in_flight", Double(inFlight.total)),
        GaugeReading("kauri_followers", Double(feed.followers)),
      ] + (await health.gauges()))
    return Response(
      status: .ok, headers: [.contentType: PrometheusText.contentType],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: prometheus.render())))
  }
}

extension Operation {
  fileprivate static func probe(
    _ id: String, _ summary: String, _ content: Content, unready: Bool = false
  ) -> Operation {
    Operation(
      id, .probes, summary,
      success: Success(status: 200, about: "The answer.", contents: [content], hasPosition: false),
      otherAnswers: unready ? [Success(status: 503, about: "Not ready.", contents: [content], hasPosition: false)] : [])
  }
}

extension Operation.Content {
  fileprivate static func json(_ schema: Schema) -> Operation.Content {
    Operation.Content(type: Reply.json, schema: schema)
  }
}
