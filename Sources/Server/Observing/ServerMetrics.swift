public import Commands
public import CoreMetrics
import HTTPTypes
import Ledger
import Synchronization

/// What the server counts and times. Its series are named here, all of them.
public final class ServerMetrics: Sendable {
  /// A line about each metric, for Prometheus.
  public static let help: [String: String] = [
    "kauri_http_requests_total": "Requests answered.",
    "kauri_http_request_seconds": "From a request's head to its answer's.",
    "kauri_commands_total": "Commands given, by how they came out.",
    "kauri_declines_total": "Commands declined, by the first check that failed.",
    "kauri_batch_size": "Commands committed together.",
    "kauri_stage_seconds": "What a command waits for: its batch (queue), and the batch's commit (commit).",
    "kauri_queue_depth": "Commands that wait for a batch.",
    "kauri_requests_in_flight": "Requests being answered.",
    "kauri_followers": "Callers that follow the log.",
    "kauri_log_position": "The log's last position.",
    "kauri_pool_connections": "Connections to the database that queries share, by state.",
    "kauri_pool_waiting": "Queries that wait for a connection.",
    "kauri_projection_lag_events": "Events that a read model has yet to take in.",
  ]

  private struct RouteKey: Hashable {
    let method: HTTPRequest.Method
    let route: String
    let status: Int
  }

  private struct RouteMeters {
    let requests: Counter
    let duration: CoreMetrics.Timer
  }

  private let factory: any MetricsFactory
  private let routes = Mutex<[RouteKey: RouteMeters]>([:])
  private let declines: [RejectionCode: Counter]
  private let accepted: Counter
  private let declined: Counter
  private let refused: Counter
  private let replayed: Counter
  private let unavailable: Counter
  private let unrecorded: Counter
  private let batchSize: Recorder
  private let waiting: CoreMetrics.Timer
  private let committing: CoreMetrics.Timer
  private let queueDepth: Gauge

  public init(_ factory: any MetricsFactory) {
    self.factory = factory
    func commands(_ outcome: String) -> Counter {
      Counter(label: "kauri_commands_total", dimensions: [("outcome", outcome)], factory: factory)
    }
    func stage(_ name: String) -> CoreMetrics.Timer {
      CoreMetrics.Timer(label: "kauri_stage_seconds", dimensions: [("stage", name)], factory: factory)
    }
    declines = Dictionary(
      uniqueKeysWithValues: RejectionCode.allCases.map {
        ($0, Counter(label: "kauri_declines_total", dimensions: [("code", $0.rawValue)], factory: factory))
      })
    accepted = commands("accepted")
    declined = commands("declined")
    refused = commands("refused")
    replayed = commands("replayed")
    unavailable = commands("unavailable")
    unrecorded = commands("not_recorded")
    batchSize = Recorder(label: "kauri_batch_size", dimensions: [], aggregate: true, factory: factory)
    waiting = stage("queue")
    committing = stage("commit")
    queueDepth = Gauge(label: "kauri_queue_depth", dimensions: [], factory: factory)
  }

  /// A request was answered. Routes are a fixed set and so are methods that have one, so the series are bounded.
  func answered(_ method: HTTPRequest.Method, route: String, status: Int, _ duration: Duration) {
    let key = RouteKey(method: route == Gate.unmatched ? .get : method, route: route, status: status)
    let meters = routes.withLock { routes in
      if let known = routes[key] { return known }
      let labels = [("method", key.method.rawValue), ("route", route)]
      let made = RouteMeters(
        requests: Counter(
          label: "kauri_http_requests_total", dimensions: labels + [("status", String(status))], factory: factory),
        duration: CoreMetrics.Timer(label: "kauri_http_request_seconds", dimensions: labels, factory: factory))
      routes[key] = made
      return made
    }
    meters.requests.increment()
    meters.duration.recordNanoseconds(duration.nanoseconds)
  }

  /// A client's command came out somehow.
  func decided(_ result: CommandResult) {
    switch result {
    case .recorded(_, replayed: true): replayed.increment()
    case .recorded(let outcome, replayed: false):
      switch outcome.verdict {
      case .accepted: accepted.increment()
      case .declined(let code):
        declined.increment()
        declines[code]?.increment()
      case .refused: refused.increment()
      }
    case .keyReused, .notDue, .versionConflict: unrecorded.increment()
    case .unavailable: unavailable.increment()
    }
  }

  /// A batch was committed; what `CommandHandler` observes.
  public func committed(_ batch: BatchReport) {
    batchSize.record(batch.size)
    waiting.recordNanoseconds(batch.waited.nanoseconds)
    committing.recordNanoseconds(batch.duration.nanoseconds)
    queueDepth.record(batch.queued)
  }

  /// What is looked up when somebody scrapes.
  func record(_ gauges: [GaugeReading]) {
    for gauge in gauges {
      Gauge(label: gauge.name, dimensions: gauge.labels, factory: factory).record(gauge.value)
    }
  }
}

/// A figure that is looked up when somebody asks for it.
public struct GaugeReading: Sendable {
  public var name: String
  public var labels: [(String, String)]
  public var value: Double

  public init(_ name: String, labels: [(String, String)] = [], _ value: Double) {
    self.name = name
    self.labels = labels
    self.value = value
  }
}

extension Duration {
  /// Whole nanoseconds, rounded down.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
