import FoundationEssentials
import LocalStack
import Testing

/// `kauri bench` on a small scale: that it measures, not how fast.
@Suite struct SubmitBenchTests {
  private struct Report: Decodable {
    struct Result: Decodable {
      struct Rival: Decodable { let rate_median: Int }
      let target: String
      let rate_median, operations, declined: Int
      let rates: [Int]
      let latency_microseconds: [String: Int]
      let server_resident_kib: [Int]?
      let bare_rate_median: Int?
      let pgbench_a, pgbench_b: Rival?
    }
    let machine: [String: String]
    let results: [Result]
  }

  @Test func everyTarget() async throws {
    let scripts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Benchmarks").path
    let outcome = try await KauriProcess.run([
      "bench", "engine", "batch", "single", "read", "--accounts", "40", "--transfers", "400", "--batch", "50",
      "--repeat",
      "2", "--declines", "10", "--hot-share", "20", "--connections", "4", "--seconds", "1", "--against", "pgbench",
      "--scripts", scripts, "--bare", "--json",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    #expect(report.results.map(\.target) == ["engine", "batch", "single", "read"])
    for result in report.results {
      #expect(result.operations == 800)
      #expect(result.rates.count == 2 && result.rate_median > 0)
      #expect((result.latency_microseconds["p99"] ?? 0) >= (result.latency_microseconds["p50"] ?? .max))
      #expect((result.pgbench_a?.rate_median ?? 0) > 0 || result.target == "read")
      #expect((result.pgbench_b?.rate_median ?? 0) > 0 || result.target == "read")
    }
    #expect(report.results[0].declined > 0)
    #expect(report.results[1].server_resident_kib?.count == 3)
    #expect((report.results[2].bare_rate_median ?? 0) > 0)
  }

  @Test func rebuild() async throws {
    let outcome = try await KauriProcess.run([
      "bench", "rebuild", "--accounts", "40", "--preload", "1000", "--rate", "200", "--seconds", "1", "--repeat", "1",
      "--json",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    #expect(
      report.results.map(\.target) == ["rebuild", "writer", "rebuild beside the writer", "writer beside the rebuild"])
    for result in report.results { #expect(result.operations > 0 && result.rate_median > 0) }
    #expect(report.results[0].operations >= 1_000)
  }
}
