import Glibc
import Ledger

/// Reproducible randomness: SplitMix64 (Steele, Lea and Flood, 2014), from a seed that is printed and that the
/// environment variable `KAURI_TEST_SEED` sets.
struct Chance: RandomNumberGenerator {
  private var state: UInt64

  /// - Parameters:
  ///   - property: what is tested, for the printed line.
  ///   - run: which of several runs it is, so that each has its own sequence.
  init(_ property: String, run: Int = 0) {
    let given = getenv("KAURI_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: .min ... .max)
    print("\(property), run \(run): KAURI_TEST_SEED=\(seed)")
    state = seed &+ UInt64(truncatingIfNeeded: run) &* 0xD1B5_4A32_D192_ED03
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  mutating func index(below count: Int) -> Int { Int.random(in: 0..<count, using: &self) }

  /// True once in so many times.
  mutating func oneIn(_ count: Int) -> Bool { index(below: count) == 0 }

  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[index(below: elements.count)] }

  /// An element, or nil where there is none.
  mutating func pickAny<Element>(_ elements: [Element]) -> Element? { elements.isEmpty ? nil : pick(elements) }

  mutating func amount(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &self) }

  mutating func identifier() -> Identifier { Identifier(high: next(), low: next()) }
}
