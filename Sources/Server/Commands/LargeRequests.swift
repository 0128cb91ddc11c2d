import Synchronization

/// Bounds how many requests of megabytes are in memory at once.
final class LargeRequests: Sendable {
  private let count = Mutex(0)
  private let maximum: Int

  init(maximum: Int) {
    self.maximum = maximum
  }

  func admit<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
    let isIn = count.withLock { count in
      guard count < maximum else { return false }
      count += 1
      return true
    }
    guard isIn else { throw Problem(.overloaded) }
    defer { count.withLock { $0 -= 1 } }
    return try await body()
  }
}
