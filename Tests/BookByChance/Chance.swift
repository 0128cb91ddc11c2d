import Foundation

/// Reproducible randomness for property tests: SplitMix64 (Steele, Lea and Flood, 2014), from a seed that is printed
/// and that the environment variable `KAURI_TEST_SEED` sets.
package struct Chance: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// - Parameter property: what is tested, for the printed line.
  package init(_ property: String) {
    state = Chance.givenSeed ?? UInt64.random(in: .min ... .max)
    print("\(property): KAURI_TEST_SEED=\(state)")
  }

  package init(seed: UInt64) { state = seed }

  /// The seed that somebody wants to run again.
  package static var givenSeed: UInt64? {
    ProcessInfo.processInfo.environment["KAURI_TEST_SEED"].flatMap { UInt64($0) }
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  package mutating func index(below count: Int) -> Int { Int.random(in: 0..<count, using: &self) }

  /// True once in so many times.
  package mutating func oneIn(_ count: Int) -> Bool { index(below: count) == 0 }

  package mutating func pick<Element>(_ elements: [Element]) -> Element { elements[index(below: elements.count)] }

  /// An element, or nil where there is none.
  package mutating func pickAny<Element>(_ elements: [Element]) -> Element? { elements.isEmpty ? nil : pick(elements) }
}
