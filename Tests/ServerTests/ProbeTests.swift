import CoreMetrics
import FoundationEssentials
import HTTPTypes
import Ledger
import Logging
import Server
import Testing

@Suite struct ProbeTests {
  @Test func aHealthyServerIsLiveAndReady() async throws {
    try await TestBank().test { caller in
      let live = try await caller.get("/livez", as: nil)
      #expect(live.status == .ok)
      let ready = try await caller.get("/readyz", as: nil)
      #expect(ready.status == .ok)
      #expect(try ready.json["ready"] == "true")
    }
  }

  @Test func aServerWithoutItsDatabaseIsLiveAndNotReady() async throws {
    let health = Healthy(checks: [ReadinessCheck("database", passed: false, "it can't be reached")])
    try await TestBank(health: health).test { caller in
      let live = try await caller.get("/livez", as: nil)
      #expect(live.status == .ok)
      let ready = try await caller.get("/readyz", as: nil)
      #expect(ready.status == .serviceUnavailable)
      #expect(try ready.json["ready"] == "false")
      #expect(ready.text.contains("it can't be reached"))
    }
  }

  @Test func metricsCountWhatHappened() async throws {
    let bank = try await TestBank()
    try await bank.test { caller in
      let body = #"{"customer_id":"\#(TestBank.alice)","name":"A"}"#
      try await caller.accepted("RegisterCustomer", body)
      _ = try await caller.give("RegisterCustomer", body)
      _ = try await caller.get("/v1/accounts/\(TestBank.alice)/balance")
      let answer = try await caller.get("/metrics", as: nil)
      #expect(answer.status == .ok)
      #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
      let lines = Set(answer.text.split(separator: "\n").map(String.init))
      for line in [
        #"kauri_commands_total{outcome="accepted"} 1"#, #"kauri_commands_total{outcome="declined"} 1"#,
        #"kauri_declines_total{code="customer_exists"} 1"#, "kauri_log_position 42",
        #"kauri_http_requests_total{method="GET",route="/v1/accounts/{id}/balance",status="404"} 1"#,
        "kauri_batch_size_count 2", #"kauri_batch_size_bucket{le="1"} 2"#, #"kauri_batch_size_bucket{le="+Inf"} 2"#,
        "# TYPE kauri_batch_size histogram", "# TYPE kauri_commands_total counter", "# TYPE kauri_log_position gauge",
        "# HELP kauri_commands_total Commands given, by how they came out.",
      ] { #expect(lines.contains(line), "\(line)\n\(answer.text)") }
      #expect(!answer.text.contains(TestBank.alice))
    }
  }

  @Test func metricsAreWrittenAsPrometheusReadsThem() throws {
    let metrics = PrometheusMetrics(help: ["a_b": "It's \\ two\nlines"])
    Counter(label: "a.b", dimensions: [("x-y", "q\"uo\\te\n"), ("a", "1")], factory: metrics).increment(by: 3)
    FloatingPointCounter(label: "f", dimensions: [], factory: metrics).increment(by: 0.5)
    Meter(label: "9g", dimensions: [], factory: metrics).set(-1.25)
    // Another kind under a name that is in use is left out, or nobody could read the rest.
    Gauge(label: "a.b", dimensions: [], factory: metrics).record(7)
    let timer = CoreMetrics.Timer(label: "t", dimensions: [], factory: metrics)
    timer.recordMilliseconds(Int64(3))
    timer.recordSeconds(Int64(100))
    let text = String(decoding: metrics.render(), as: UTF8.self)
    #expect(
      text.hasPrefix(
        """
        # TYPE _9g gauge
        _9g -1.25
        # HELP a_b It's \\\\ two\\nlines
        # TYPE a_b counter
        a_b{a="1",x_y="q\\"uo\\\\te\\n"} 3
        # TYPE f counter
        f 0.5
        # TYPE t histogram
        t_bucket{le="0.0001"} 0
        """))
    #expect(text.contains("t_bucket{le=\"0.0025\"} 0\nt_bucket{le=\"0.005\"} 1\n"))
    #expect(text.hasSuffix("t_bucket{le=\"10\"} 1\nt_bucket{le=\"+Inf\"} 2\nt_sum 100.003\nt_count 2\n"))
  }

  @Test func logsAreJSONLines() throws {
    var log = JSONLog(label: "kauri.test", level: .info)
    log[metadataKey: "request_id"] = "r-1"
    log[metadataKey: "hb.request.id"] = "x"
    let event = LogEvent(
      level: .warning, message: "a \"b\"\n", metadata: ["list": .array(["1", .dictionary(["k": "v"])])], source: nil,
      file: "f", function: "g", line: 1)
    let line = String(decoding: log.line(for: event, at: Moment(microseconds: 0)), as: UTF8.self)
    #expect(
      line == #"{"time":"1970-01-01T00:00:00Z","level":"warning","logger":"kauri.test","message":"a \"b\"\n","#
        + #""list":["1",{"k":"v"}],"request_id":"r-1"}"# + "\n")
  }
}
