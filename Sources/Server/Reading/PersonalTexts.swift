public import Commands
public import EventStore
public import Ledger

/// Opens personal text for those who may see it.
public protocol PersonalTextReading: Sendable {
  /// Brings the keys of these subjects into memory.
  func load(_ subjects: Set<Identifier>) async throws
  /// An event's payload as JSON for people.
  ///
  /// - Throws: `MissingPersonalKeys` when keys aren't in memory.
  func render(_ event: AppendedEvent, _ view: PersonalTextView) throws -> [UInt8]
  /// - Returns: nil once the subject's key has been erased.
  /// - Throws: `MissingPersonalKeys` when the key isn't in memory.
  func open(_ sealed: [UInt8], subject: Identifier, field: StaticString) throws -> String?
}

extension PersonalTextReading {
  /// What `body` writes, with personal text as `view` says.
  func write(
    _ view: PersonalTextView, reserving capacity: Int = 512, _ body: (inout RecordWriter) throws -> Void
  ) async throws -> [UInt8] {
    var loaded: Set<Identifier> = []
    while true {
      let vault = ReadingVault(self)
      var writer = RecordWriter(reserving: capacity, form: view == .clear ? .clear(vault) : .withheld)
      try body(&writer)
      if let failure = writer.failure { throw failure }
      // A key that isn't there after it was loaded is missing for good, and was said to be erased.
      let missing = vault.missing.subtracting(loaded)
      guard !missing.isEmpty else { return writer.json.bytes }
      try await load(missing)
      loaded.formUnion(missing)
    }
  }
}

/// Opens the personal text of one answer, and notes whose keys weren't in memory.
private final class ReadingVault<Reader: PersonalTextReading>: PersonalTextVault {
  private let reader: Reader
  private(set) var missing: Set<Identifier> = []

  init(_ reader: Reader) {
    self.reader = reader
  }

  /// Answers seal nothing: what is in clear was never sealed.
  func seal(_ clear: String, subject: Identifier, field: StaticString) throws -> [UInt8] {
    throw Problem(.internalError)
  }

  func open(_ sealed: [UInt8], subject: Identifier, field: StaticString) throws -> String? {
    do {
      return try reader.open(sealed, subject: subject, field: field)
    } catch let error as MissingPersonalKeys {
      missing.formUnion(error.subjects)
      return nil
    }
  }
}
