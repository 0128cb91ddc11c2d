import Crypto
import EventStore
import Ledger
import LocalStack
import Postgres
import Projections

/// Measures `kauri rebuild` of the balances: by itself, and beside a writer at a steady rate, whose latency is measured
/// with and without it.
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

  /// Rebuilds the balances, and drops what was live before.
  private func rebuild() async throws -> BenchSample {
    guard let model = ReadModel.named("balances") else { throw BenchFault("there are no balances") }
    let codec = EventCodec(keyring: PersonalKeyring(masterKey: SymmetricKey(size: .bits256)))
    let rebuild = Rebuild(
      model, database: ConnectionConfiguration(conninfo: stage.ownerDatabase), codec: codec)
    let report = try await rebuild.run()
    guard report.switched else { throw BenchFault("the balances differ: \(report.differences)") }
    var sample = BenchSample()
    sample.count(Int(report.filled))
    sample.elapsed = report.filling
    // How long the log was locked for the switch.
    sample.record(report.locked)
    _ = try await rebuild.dropOld()
    return sample
  }
}
