import Commands
import EventStore
import Ledger
import Postgres

/// Personal text, opened with the keyring's keys.
struct KeyringTexts: PersonalTextReading {
  let keyring: PersonalKeyring
  let codec: EventCodec
  let pool: Pool

  func load(_ subjects: Set<Identifier>) async throws {
    try await pool.run { session in
      _ = try keyring.loadKeys(for: subjects, session: session, creatingMissing: false)
    }
  }

  func render(_ event: AppendedEvent, _ view: PersonalTextView) throws -> [UInt8] {
    try codec.render(event.payload, event: event.event, command: event.origin.commandID, form: view)
  }

  func open(_ sealed: [UInt8], subject: Identifier, field: StaticString) throws -> String? {
    try keyring.open(sealed, subject: subject, field: field)
  }
}
