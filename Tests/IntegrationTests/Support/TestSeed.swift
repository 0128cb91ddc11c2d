import Glibc

/// A seeded source of chance, SplitMix64 (Steele, Lea and Flood, 2014), so that a failing run can be run again.
struct SeededGenerator: RandomNumberGenerator, Sendable {
  /// The seed of this run: printed, and taken back from `KAURI_TEST_SEED`.
  static let seed: UInt64 = {
    let given = getenv("KAURI_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: .min ... .max)
    print("KAURI_TEST_SEED=\(seed)")
    return seed
  }()

  private var state: UInt64

  init(seed: UInt64 = SeededGenerator.seed) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A time between nothing and `maximum` milliseconds.
  mutating func moment(withinMilliseconds maximum: Int) -> Duration {
    .microseconds(Int.random(in: 0...maximum * 1_000, using: &self))
  }
}
