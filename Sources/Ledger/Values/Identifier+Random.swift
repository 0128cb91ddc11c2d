extension Identifier {
  /// A random UUID, version 4 (RFC 9562, 5.4).
  public static func random() -> Identifier {
    let high = UInt64.random(in: .min ... .max) & ~0xF000 | 0x4000
    let low = UInt64.random(in: .min ... .max) & ~(0b11 << 62) | 0b10 << 62
    return Identifier(high: high, low: low)
  }
}
