/// Pauses between attempts: doubled from one to the next, and varied, so that many who failed together don't try
/// together.
struct Backoff {
  static let first: Duration = .milliseconds(50)
  static let longest: Duration = .seconds(5)
  private var current = Backoff.first

  mutating func next() -> Duration {
    defer { current = min(current * 2, Backoff.longest) }
    return current * Double.random(in: 0.5...1)
  }

  mutating func reset() { current = Backoff.first }
}
