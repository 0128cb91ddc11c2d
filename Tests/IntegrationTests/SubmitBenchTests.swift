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
      let server_resident_kib, peak_memory_kib: [Int]?
      let bare_rate_median: Int?
      let unsealed_rate_median: Int?
      let unsealed_rates: [Int]?
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

  /// The same rounds beside one another: with the seal and without.
  @Test func withoutSealing() async throws {
    let small = ["--accounts", "40", "--transfers", "300", "--batch", "50", "--repeat", "3"]
    let outcome = try await KauriProcess.run(["bench", "engine", "--without-sealing", "--json"] + small)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let report = try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8))
    let engine = try #require(report.results.first)
    #expect(report.results.count == 1 && engine.target == "engine")
    #expect(engine.operations == 900 && engine.rates.count == 3 && engine.rate_median > 0)
    let unsealed = try #require(engine.unsealed_rates)
    #expect(unsealed.count == 3 && unsealed.allSatisfy { $0 > 0 })
    #expect(engine.unsealed_rate_median == unsealed.sorted()[1])

    let words = try await KauriProcess.run(["bench", "engine", "--without-sealing"] + small)
    #expect(words.status == 0, "\(words.errors)")
    let lines = words.output.split(separator: "\n").map(String.init)
    #expect(lines.contains { $0.wholeMatch(of: /engine: [0-9,]+ transfers\/s \(median of 3; .+\)/) != nil })
    let figure =
      #/  without sealing: [0-9,]+/s \(median of 3; [0-9,]+ to [0-9,]+\), so with it [0-9]+\.[0-9]{2} of that/#
    #expect(lines.contains { $0.wholeMatch(of: figure) != nil }, "\(words.output)")

    // Of the engine on a cluster of the bench's own only: nobody's log is to be left unsealed.
    for arguments in [
      ["bench", "batch", "--without-sealing"],
      ["bench", "engine", "--without-sealing", "--database", "host=/nowhere", "--master-key", "x"],
      ["bench", "engine", "--without-sealing", "--data-dir", "/nowhere"],
    ] {
      let refused = try await KauriProcess.run(arguments)
      #expect(refused.status == 2 && refused.errors.contains("--without-sealing"), "\(arguments): \(refused.errors)")
    }
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
    for index in [0, 2] { #expect((report.results[index].peak_memory_kib?.first ?? 0) > 0) }
  }
}
