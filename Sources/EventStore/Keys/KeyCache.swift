import Ledger

/// What is known of a subject's key.
enum KnownKey: Sendable {
  /// - Parameter since: when the database was asked for it.
  case present(SubjectKey, since: ContinuousClock.Instant)
  /// The database had none: it was erased, or nothing has been sealed for the subject yet. Another server may make one
  /// at any time, so this is believed for as long as it takes to use it.
  case absent(until: ContinuousClock.Instant)
  /// It was erased, and there will never be another.
  case erased
}

/// A bounded memory of keys. The half that was used last is never dropped.
///
/// Two generations instead of a list in order of use: a look-up stays one or two hash probes, and dropping is dropping
/// a table.
struct KeyCache: Sendable {
  private let generationMaximum: Int
  private var young: [Identifier: KnownKey] = [:]
  private var old: [Identifier: KnownKey] = [:]

  init(capacity: Int) {
    generationMaximum = max(1, capacity / 2)
  }

  var count: Int { young.count + old.count }

  mutating func find(_ subject: Identifier) -> KnownKey? {
    if let known = young[subject] { return known }
    guard let known = old.removeValue(forKey: subject) else { return nil }
    insert(known, for: subject)
    return known
  }

  mutating func insert(_ known: KnownKey, for subject: Identifier) {
    old[subject] = nil
    if young.count >= generationMaximum, young[subject] == nil {
      old = young
      young = [:]
    }
    young[subject] = known
  }

  mutating func removeAll() {
    young = [:]
    old = [:]
  }

  mutating func remove(_ subject: Identifier) {
    young[subject] = nil
    old[subject] = nil
  }
}
