import Commands
import EventStore
import Ledger
import Logging

/// Receipts beside the answers to commands.
struct CommandReceipts {
  let audit: any AuditReading
  let logger: Logger

  /// The receipt of what a command led to. The command stands whether or not there is one: where none can be made in
  /// time, or the command led to more events than a receipt speaks for, the answer comes without, and the same
  /// command asked again gets its answer again.
  ///
  /// A receipt holds the events' whole rows, so there is none for whom a part of them isn't shown.
  func receipt(for outcome: CommandOutcome, to reader: Actor) async -> Receipt? {
    // A refusal says no more than that: what stands in the log about it isn't the caller's to see.
    guard outcome.verdict != .refused, let first = outcome.events.first,
      outcome.events.count <= Receipt.entriesMaximum, outcome.isWhole(to: reader)
    else { return nil }
    do {
      return try await audit.receipt(from: first.origin.position, count: outcome.events.count)
    } catch {
      logger.warning(
        "a command is answered without the receipt that was asked for",
        metadata: ["command": "\(outcome.commandID)", "error": "\(error)"])
      return nil
    }
  }
}
