import Foundation

/// Reproducible randomness for property tests: SplitMix64 (Steele, Lea and Flood, 2014), from a seed that is printed
/// and that the environment variable `KAURI_TEST_SEED` sets.
struct Chance: RandomNumberGenerator {
  let seed: UInt64
  private var state: UInt64

  /// - Parameter property: what is tested, for the printed line.
  init(_ property: String) {
    let given = ProcessInfo.processInfo.environment["KAURI_TEST_SEED"].flatMap { UInt64($0) }
    seed = given ?? UInt64.random(in: .min ... .max)
    state = seed
    print("\(property): KAURI_TEST_SEED=\(seed)")
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

  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[index(below: elements.count)] }

  /// An integer of any length of digits, ends included.
  mutating func integer() -> Int64 {
    if oneIn(8) { return pick([Int64.min, .min + 1, -1, 0, 1, .max - 1, .max]) }
    return Int64(bitPattern: next()) >> Int64(index(below: 64))
  }

  /// Text of scalars of every length in UTF-8, control characters and noncharacters among them, but not U+0000.
  mutating func text() -> String {
    var scalars = String.UnicodeScalarView()
    for _ in 0..<index(below: 24) {
      let ranges: [ClosedRange<UInt32>] = [
        0x20...0x7E, 0x20...0x7E, 0x01...0x1F, 0x22...0x22, 0x5C...0x5C, 0x7F...0x7FF, 0x800...0xD7FF,
        0xE000...0xFFFF, 0x1_0000...0x10_FFFF,
      ]
      if let scalar = Unicode.Scalar(UInt32.random(in: pick(ranges), using: &self)) { scalars.append(scalar) }
    }
    return String(scalars)
  }
}
