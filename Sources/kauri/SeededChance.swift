/// Chance that a seed decides: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
/// 2014).
struct SeededChance: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  mutating func index(below count: Int) -> Int { Int.random(in: 0..<count, using: &self) }

  /// True so many times in a hundred.
  mutating func percent(_ share: Int) -> Bool { index(below: 100) < share }

  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[index(below: elements.count)] }
}
