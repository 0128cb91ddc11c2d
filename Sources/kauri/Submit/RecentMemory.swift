/// A dictionary that forgets what hasn't been asked for in a long time, so that it stays bounded however long a file
/// is.
///
/// It keeps two generations. What is set or asked for goes into the younger one; when that is full, the older one is
/// dropped and the younger takes its place.
package struct RecentMemory<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let capacity: Int
  private var younger: [Key: Value] = [:]
  private var older: [Key: Value] = [:]

  /// - Parameter capacity: entries in a generation: so many at least are remembered, and twice as many at most.
  package init(capacity: Int) {
    self.capacity = max(1, capacity)
  }

  package subscript(key: Key) -> Value? {
    mutating get {
      if let value = younger[key] { return value }
      guard let value = older[key] else { return nil }
      remember(value, for: key)
      return value
    }
  }

  package mutating func remember(_ value: Value, for key: Key) {
    younger[key] = value
    guard younger.count >= capacity else { return }
    older = younger
    younger = [:]
  }
}
