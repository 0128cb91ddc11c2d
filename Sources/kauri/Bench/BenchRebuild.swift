import FoundationEssentials
import LocalStack

/// Measures `kauri rebuild` of the balances, a process of its own as at a bank: by itself, and beside a writer at a
/// steady rate, whose latency is measured with and without it.
struct BenchRebuild: Sendable {
  let stage: BenchStage
  let engine: BenchEngine
  /// Transfers a second of the writer beside it.
  let rate: Double
  /// How long the writer is measured alone.
  let seconds: Int

  /// What one round came to.
  struct Round: Sendable {
    /// Events read, over the time that reading them took: the machine's own.
    var alone = BenchSample()
    /// The same beside the writer.
    var beside = BenchSample()
    /// The writer's transfers, without the rebuild and with it.
    var writerAlone = BenchSample()
    var writerBeside = BenchSample()
  }

  func round(_ load: inout SteadyLoad) async throws -> Round {
    var round = Round()
    round.alone = try await rebuild()
    let (alone, before) = (Stop(), load)
    async let writer = engine.run(before, rate: rate, until: alone)
    try await Task.sleep(for: .seconds(seconds))
    alone.now()
    (round.writerAlone, load) = try await writer

    let (beside, after) = (Stop(), load)
    async let writerBeside = engine.run(after, rate: rate, until: beside)
    let outcome: Result<BenchSample, any Error>
    do {
      outcome = .success(try await rebuild())
    } catch {
      outcome = .failure(error)
    }
    beside.now()
    (round.writerBeside, load) = try await writerBeside
    round.beside = try outcome.get()
    return round
  }

  /// Rebuilds the balances with the command that an operator uses, and drops what was live before.
  private func rebuild() async throws -> BenchSample {
    let kauri = Program(try ThisExecutable.path())
    let arguments = ["rebuild", "balances", "--database", stage.ownerDatabase, "--json"]
    let outcome = try await kauri.run(arguments)
    guard outcome.succeeded, let last = outcome.output.split(separator: "\n").last else {
      throw BenchFault("the balances were not rebuilt: \(outcome.output) \(outcome.errors)")
    }
    let summary = try JSONDecoder().decode(Summary.self, from: Data(last.utf8))
    _ = try await kauri.output(arguments + ["--drop-old"])
    var sample = BenchSample()
    sample.count(summary.filledEvents)
    sample.elapsed = .milliseconds(max(1, summary.fillingMilliseconds))
    // How long the log was locked for the switch.
    sample.record(.milliseconds(summary.lockedMilliseconds))
    sample.peakMemory = summary.peakMemoryKib
    return sample
  }

  /// Of what `kauri rebuild --json` says in the end, what is measured.
  private struct Summary: Decodable {
    var filledEvents: Int
    var fillingMilliseconds: Int
    var lockedMilliseconds: Int
    var peakMemoryKib: Int

    enum CodingKeys: String, CodingKey {
      case filledEvents = "filled_events"
      case fillingMilliseconds = "filling_milliseconds"
      case lockedMilliseconds = "locked_milliseconds"
      case peakMemoryKib = "peak_memory_kib"
    }
  }
}
