import Synchronization

/// What several tasks found, under a name each.
final class Tally: Sendable {
  private let found = Mutex<[String: [String]]>([:])

  func add(_ value: some StringProtocol, for name: String = "") {
    found.withLock { $0[name, default: []].append(String(value)) }
  }

  subscript(name: String) -> [String] { found.withLock { $0[name] ?? [] }.sorted() }
}
