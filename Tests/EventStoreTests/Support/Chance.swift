import Glibc

/// The seed of this run's random tests: printed, and taken back from `KAURI_TEST_SEED`.
enum Seed {
  static let value: UInt64 = {
    let given = getenv("KAURI_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: .min ... .max)
    print("KAURI_TEST_SEED=\(seed)")
    return seed
  }()

  static func generator() -> SplitMix { SplitMix(state: value) }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same everywhere.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
