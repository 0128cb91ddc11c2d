import EventStore
import Ledger

extension Identifier {
  /// A new UUID of version 7 (RFC 9562, section 5.7): ids made later sort later, to the millisecond.
  static func timeOrdered() -> Identifier {
    let milliseconds = UInt64(clamping: Moment.now.microseconds / 1000)
    let high = milliseconds << 16 | 0x7000 | UInt64.random(in: 0...0x0FFF)
    let low = 0x8000_0000_0000_0000 | UInt64.random(in: 0...0x3FFF_FFFF_FFFF_FFFF)
    return Identifier(high: high, low: low)
  }
}
