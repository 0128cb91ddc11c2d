package import Commands
import Crypto
import EventStore
import Ledger
package import Logging
import ServiceLifecycle

/// Expires holds whose time has come.
///
/// Every server may run one. The command's id follows from the hold's, so that whoever comes second is answered with
/// what the first one did.
package struct HoldExpiry: Service {
  let handler: CommandHandler
  let reader: any BookReading
  let logger: Logger
  let interval: Duration
  /// Holds that are expired together.
  private let count = 1_000

  package init(
    handler: CommandHandler, reader: any BookReading, logger: Logger, interval: Duration = .seconds(1)
  ) {
    self.handler = handler
    self.reader = reader
    self.logger = logger
    self.interval = interval
  }

  package func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while true {
        let isMore = await self.look()
        if !isMore { try await Task.sleep(for: self.interval) }
      }
    }
  }

  /// Expires what is due.
  ///
  /// - Returns: whether more may be due already.
  package func look() async -> Bool {
    do {
      let due = try await reader.dueHolds(at: .now, limit: count)
      guard !due.isEmpty else { return false }
      let results = await handler.handle(due.map(HoldExpiry.command))
      let recorded = results.count { if case .recorded = $0 { true } else { false } }
      return due.count == count && recorded == count
    } catch {
      // Nothing is lost: a hold that is due stays due, and can't be captured meanwhile.
      logger.debug("could not look for holds that are due", metadata: ["error": "\(error)"])
      return false
    }
  }

  static func command(for hold: HoldID) -> CommandEnvelope {
    CommandEnvelope(
      id: commandID(for: hold), actor: .kauri, instruction: .expireHold(ExpireHold(holdID: hold)), causation: hold)
  }

  /// A UUID of version 8 (RFC 9562, section 5.8) made of the hold's id.
  static func commandID(for hold: HoldID) -> CommandID {
    let hash = SHA256.hash(data: Array("kauri expires hold \(hold)".utf8))
    let (high, low) = hash.withUnsafeBytes { bytes in
      (
        bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self).bigEndian,
        bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian
      )
    }
    return Identifier(
      high: high & 0xFFFF_FFFF_FFFF_0FFF | 0x8000, low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
  }
}
