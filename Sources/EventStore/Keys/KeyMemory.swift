import Ledger

/// What a keyring remembers: keys, a bounded number of them, and which subjects were erased while it looked.
struct KeyMemory: Sendable {
  var cache: KeyCache
  /// The last erasure that was learned of; nil before the first time.
  var followed: Int64?
  /// When the database last said that nobody else was erased.
  var confirmed: ContinuousClock.Instant?

  /// Never forgotten: a key that was read before its erasure may arrive here after it.
  private var erased: Set<Identifier> = []
  /// Since when no erasure is missed.
  private var following: ContinuousClock.Instant?

  init(cache: KeyCache) {
    self.cache = cache
  }

  mutating func find(_ subject: Identifier) -> KnownKey? {
    if !erased.isEmpty, erased.contains(subject) { return .erased }
    return cache.find(subject)
  }

  mutating func insert(_ known: KnownKey, for subject: Identifier) {
    if erased.contains(subject) { return }
    cache.insert(known, for: subject)
  }

  mutating func markErased(_ subjects: some Sequence<Identifier>) {
    for subject in subjects {
      erased.insert(subject)
      cache.remove(subject)
    }
  }

  mutating func beginFollowing(at number: Int64, asked: ContinuousClock.Instant) {
    cache.removeAll()
    erased.removeAll()
    followed = number
    following = asked
    confirmed = asked
  }

  /// Whether a key that the database had at `since` would be known to be gone by now, but for what happened in the last
  /// moments after `limit`.
  func follows(since: ContinuousClock.Instant, confirmedAfter limit: ContinuousClock.Instant) -> Bool {
    guard let following, let confirmed else { return false }
    return since >= following && confirmed > limit
  }
}
