package import Commands
package import EventStore
import Ledger
package import Logging
import Projections
import ServiceLifecycle

/// Expires holds whose time has come.
///
/// Every server may run one. The command's id follows from the hold's, so that whoever comes second is answered with
/// what the first one did.
package struct HoldExpiry: Service {
  let handler: CommandHandler
  let reader: any BookReading
  let ids: OwnCommandIDs
  let logger: Logger
  let interval: Duration
  /// Holds that are expired together.
  private let count: Int
  /// Ids that are tried for one hold. Nobody can tell the first one beforehand, so a second is hardly ever needed.
  package static let attempts = 4

  package init(
    handler: CommandHandler, reader: any BookReading, ids: OwnCommandIDs, logger: Logger,
    interval: Duration = .seconds(1), count: Int = 1_000
  ) {
    self.handler = handler
    self.reader = reader
    self.ids = ids
    self.logger = logger
    self.interval = interval
    self.count = count
  }

  package func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while true {
        await self.look()
        try await Task.sleep(for: self.interval)
      }
    }
  }

  /// Expires all that is due by now. A hold that can't be expired keeps nobody else's: it is passed over, and its turn
  /// comes again with the next look.
  package func look() async {
    let now = Moment.now
    var last: DueHold?
    repeat {
      do {
        let due = try await reader.dueHolds(at: now, after: last, limit: count)
        guard await expire(due.map(\.id)) else { return }
        last = due.count == count ? due.last : nil
      } catch {
        // Nothing is lost: a hold that is due stays due, and can't be captured meanwhile.
        logger.debug("could not look for holds that are due", metadata: ["error": "\(error)"])
        return
      }
    } while last != nil && !Task.isCancelled
  }

  /// - Returns: whether the book takes commands.
  private func expire(_ holds: [HoldID]) async -> Bool {
    var left = holds
    var isAway = false
    for attempt in 0..<HoldExpiry.attempts where !left.isEmpty && !isAway {
      let results = await handler.handle(left.map { command(for: $0, attempt: attempt) })
      var taken: [HoldID] = []
      for (hold, result) in zip(left, results) {
        switch result {
        // The server's clock may be ahead of the book's.
        case .recorded, .notDue, .versionConflict: break
        case .keyReused: taken.append(hold)
        case .unavailable(.commandFailed(let reason)):
          logger.error("a hold can't be expired", metadata: ["hold": "\(hold)", "reason": "\(reason)"])
        case .unavailable: isAway = true
        }
      }
      if let first = taken.first {
        logger.warning(
          "the id of a hold's expiry belongs to another command",
          metadata: ["hold": "\(first)", "holds": "\(taken.count)", "attempt": "\(attempt)"])
      }
      left = taken
    }
    if let first = left.first, !isAway {
      logger.error(
        "holds can't be expired: every id for it belongs to another command",
        metadata: ["hold": "\(first)", "holds": "\(left.count)"])
    }
    return !isAway
  }

  private func command(for hold: HoldID, attempt: Int) -> CommandEnvelope {
    CommandEnvelope(
      id: ids.expiry(of: hold, attempt: attempt), actor: .kauri, instruction: .expireHold(ExpireHold(holdID: hold)),
      causation: hold)
  }
}
