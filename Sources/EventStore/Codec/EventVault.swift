import Ledger

/// Seals or opens the personal text of one event. A class, because a record's writer keeps what it was given, and
/// whoever gave it wants to know afterwards what was met.
final class EventVault: PersonalTextVault {
  private let keyring: PersonalKeyring
  private let command: CommandID
  private let index: Int
  private(set) var hasSealed = false
  /// Subjects whose keys weren't there. The record goes on without them, so that all can be loaded at once.
  private(set) var missing: Set<Identifier> = []

  /// - Parameter index: the event's place among those of its command; it matters only to sealing.
  init(_ keyring: PersonalKeyring, command: CommandID, index: Int = 0) {
    self.keyring = keyring
    self.command = command
    self.index = index
  }

  func seal(_ clear: String, subject: Identifier, field: StaticString) throws -> [UInt8] {
    hasSealed = true
    switch keyring.find(subject) {
    case .present(let key, _): return try key.seal(clear, field: field, command: command, index: index)
    case .erased: throw SubjectErased()
    case .absent, nil:
      missing.insert(subject)
      return []
    }
  }

  func open(_ sealed: [UInt8], subject: Identifier, field: StaticString) throws -> String? {
    do {
      return try keyring.open(sealed, subject: subject, field: field)
    } catch let error as MissingPersonalKeys {
      missing.formUnion(error.subjects)
      return nil
    }
  }
}
