import ArgumentParser
import UnixSignals

/// Runs what makes generations of read models until it is done, or until Ctrl-C or SIGTERM cancels it.
///
/// - Parameter work: tells whether anything differs.
/// - Throws: `ExitCode(1)` when something differs and when it was cancelled; what `work` throws.
func runUntilSignal(_ work: @escaping @Sendable () async throws -> Bool) async throws {
  let running = Task { try await work() }
  let signals = Task {
    for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { running.cancel() }
  }
  let outcome = await running.result
  signals.cancel()
  do {
    if try outcome.get() { throw ExitCode(1) }
  } catch is CancellationError {
    Terminal.say("kauri: cancelled; nothing of what was being made remains")
    throw ExitCode(1)
  }
}
