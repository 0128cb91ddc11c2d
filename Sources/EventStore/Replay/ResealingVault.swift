import Commands
import Ledger

/// Opens every sealed text of an event and seals it again: the nonces are derived, so the same text in the same place
/// gives the same bytes.
final class ResealingVault: PersonalTextVault {
  private let keyring: PersonalKeyring
  private let command: CommandID
  private let index: Int
  /// Where the event repeats what somebody else's command said, that command.
  private let repeated: CommandID?
  private(set) var findings = TextFindings()
  private(set) var missing: Set<Identifier> = []

  init(_ keyring: PersonalKeyring, _ appended: AppendedEvent) {
    self.keyring = keyring
    command = appended.origin.commandID
    index = appended.origin.index
    repeated = appended.event.approvedCommand
  }

  func seal(_ clear: String, subject: Identifier, field: StaticString) throws -> [UInt8] {
    findings.faults.append("\(field) is in clear")
    return []
  }

  func open(_ sealed: [UInt8], subject: Identifier, field: StaticString) throws -> String? {
    switch keyring.find(subject) {
    case nil: missing.insert(subject)
    case .absent, .erased: findings.withoutKey[subject, default: 0] += 1
    case .present(let key, _):
      guard let clear = key.open(sealed, field: field) else {
        findings.faults.append("\(field) of subject \(subject) can't be opened")
        break
      }
      // What waited for a second person was sealed when it was asked for, as its command's first event.
      let own = try key.seal(clear, field: field, command: command, index: index)
      let earlier = try own == sealed ? nil : repeated.map { try key.seal(clear, field: field, command: $0, index: 0) }
      if own == sealed || earlier == sealed {
        findings.verified += 1
      } else {
        findings.faults.append("\(field) of subject \(subject) was sealed for another place")
      }
    }
    return nil
  }
}

/// Opens text in order to hash what a command said, and notes what can't be opened any more.
final class OpeningVault: PersonalTextVault {
  private let keyring: PersonalKeyring
  private(set) var metErased = false
  private(set) var missing: Set<Identifier> = []

  init(_ keyring: PersonalKeyring) {
    self.keyring = keyring
  }

  func seal(_ clear: String, subject: Identifier, field: StaticString) throws -> [UInt8] { [] }

  func open(_ sealed: [UInt8], subject: Identifier, field: StaticString) throws -> String? {
    do {
      if let clear = try keyring.open(sealed, subject: subject, field: field) { return clear }
      metErased = true
    } catch let error as MissingPersonalKeys {
      missing.formUnion(error.subjects)
    }
    return nil
  }
}
