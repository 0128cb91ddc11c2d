import Ledger

/// Identifiers of version 7 (RFC 9562) whose time part counts on from a given moment and whose random part comes from
/// a seed: the same every time, and in time order, which keeps the database's indexes compact.
struct TimeOrderedIdentifiers: Sendable {
  private var chance: SeededChance
  private let firstMillisecond: UInt64
  private var count: UInt64 = 0

  init(from moment: Moment, seed: UInt64) {
    chance = SeededChance(seed: seed)
    firstMillisecond = UInt64(max(0, moment.microseconds / 1_000))
  }

  mutating func next() -> Identifier {
    let (millisecond, sequence) = count.quotientAndRemainder(dividingBy: 4_096)
    count += 1
    return Identifier(
      high: (firstMillisecond + millisecond) << 16 | 0x7000 | sequence, low: chance.next() >> 2 | 1 << 63)
  }
}
