import FoundationEssentials
import Glibc

/// Reproducible randomness: SplitMix64 (Steele, Lea and Flood, 2014), from a seed that is printed and that the
/// environment variable `KAURI_TEST_SEED` sets.
struct SubmitChance: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// - Parameter property: what is tested, for the printed line.
  init(_ property: String) {
    let given = getenv("KAURI_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: .min ... .max)
    print("\(property): KAURI_TEST_SEED=\(seed)")
    self.init(seed: seed)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// True once in so many times.
  mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

  mutating func index(below count: Int) -> Int { Int.random(in: 0..<count, using: &self) }
}
