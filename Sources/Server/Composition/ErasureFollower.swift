import EventStore
import Logging
import Postgres

/// Hears within a second which customers other servers have erased, so that no key of theirs opens anything here for
/// longer. When it doesn't come to it, remembered keys lose their trust by themselves.
///
/// Before that, once, it erases again what a restore of single tables has brought back.
struct ErasureFollower: Sendable {
  let pool: Pool
  let keyring: PersonalKeyring
  let logger: Logger

  private static let interval: Duration = .milliseconds(500)

  func run() async {
    var hasRepeated = false
    while !Task.isCancelled {
      do {
        if !hasRepeated {
          let count = try await pool.run { session in try Erasures.repeatAll(session) }
          if count > 0 { logger.warning("erased customers' keys were there again and were deleted: \(count)") }
          hasRepeated = true
        }
        try await pool.run { session in try keyring.learnErasures(session) }
      } catch {
        logger.debug("erasures can't be followed", metadata: ["error": "\(error)"])
      }
      try? await Task.sleep(for: Self.interval)
    }
  }
}
