import Glibc
public import Ledger

/// An event as the log takes it.
public struct EncodedEvent: Hashable, Sendable {
  /// Compact JSON in canonical form, personal text sealed.
  public let payload: [UInt8]
  /// Whether personal text was in clear and is sealed now. The event as it will be read from the log is then another
  /// than the one that was decided: decode `payload` for it.
  public let sealed: Bool
}

/// In which form somebody gets the personal text of an event.
public enum PersonalTextView: Hashable, Sendable {
  /// For those who may see it. Where the key has been erased, it says so.
  case clear
  /// For everybody else: that there is something, and nothing of it.
  case withheld
}

/// Why a payload can't be read.
public enum EventCodecFault: Error, Equatable, Sendable {
  /// No event is called that, in this build.
  case unknownType(String)
  /// A newer build has written it.
  case newerVersion(type: String, version: Int, newest: Int)
  /// An old payload, and the upcaster that lifts it has been lost.
  case noUpcaster(type: String, version: Int)
  /// It isn't what an event of this type and version looks like.
  case malformed(type: String, version: Int, JSONFault)
}

extension EventCodecFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownType(let type): "this build knows no event of type \(type)"
    case .newerVersion(let type, let version, let newest):
      "\(type) has schema version \(version), and this build knows none after \(newest)"
    case .noUpcaster(let type, let version):
      "\(type) has schema version \(version), and this build can't lift it to \(version + 1)"
    case .malformed(let type, let version, let fault):
      "a payload of \(type), schema version \(version), is malformed: "
        + "\(fault.pointer) \(fault.reason) (byte \(fault.offset))"
    }
  }
}

/// Turns events into the bytes of the log and back.
public struct EventCodec: Sendable {
  private let keyring: PersonalKeyring
  private let upcasters: UpcasterRegistry

  /// The newest schema version of every type of event.
  private static let newestVersions = Dictionary(
    uniqueKeysWithValues: Event.kinds.map { ($0.type.description, $0.schemaVersion) })

  public init(keyring: PersonalKeyring, upcasters: UpcasterRegistry = .standard) {
    self.keyring = keyring
    self.upcasters = upcasters
  }

  // MARK: To the log

  /// Writes an event's payload, canonical and with its personal text sealed. The same event, command and index give the
  /// same bytes.
  ///
  /// - Parameters:
  ///   - command: the event's command.
  ///   - index: the event's place among those of its command, from 0.
  /// - Throws: `MissingPersonalKeys` with all subjects whose keys have to be loaded before.
  public func encode(_ event: Event, command: CommandID, index: Int) throws -> EncodedEvent {
    let vault = EventVault(keyring, command: command, index: index)
    let payload = try EventCodec.write(event, .sealed(vault), vault)
    return EncodedEvent(payload: payload, sealed: vault.hasSealed)
  }

  // MARK: From the log

  /// Reads a payload of any version there has ever been. Personal text stays sealed.
  ///
  /// - Throws: `EventCodecFault`.
  public func decode(
    type: String, schemaVersion: Int, payload: [UInt8], command: CommandID
  ) throws(EventCodecFault) -> Event {
    guard let newest = EventCodec.newestVersions[type] else { throw .unknownType(type) }
    var payload = payload
    if schemaVersion != newest {
      guard schemaVersion < newest else {
        throw .newerVersion(type: type, version: schemaVersion, newest: newest)
      }
      payload = try upcasters.lift(payload, of: type, from: schemaVersion, to: newest)
    }
    let event: Event?
    do throws(JSONFault) {
      let context = ReadingContext(command: command, source: .log)
      event = try Event(type: type, from: JSONDocument(payload, limits: EventCodec.limits).root, in: context)
    } catch {
      throw .malformed(type: type, version: schemaVersion, error)
    }
    guard let event else { throw .unknownType(type) }
    return event
  }

  /// A decline holds what was declined, so bounds are those of the largest command, and nothing of the log is refused
  /// for its size.
  private static let limits = JSONLimits(
    depth: 64, elementsPerArray: .max, stringLength: .max, nameLength: .max)

  // MARK: For people

  /// The event's payload as JSON for somebody who asks for it.
  ///
  /// - Parameters:
  ///   - payload: as the log has it.
  ///   - event: what `decode` made of it.
  /// - Returns: `payload` itself when it holds no personal text.
  /// - Throws: `MissingPersonalKeys` with all subjects whose keys have to be loaded before; `PersonalKeyFault.altered`.
  public func render(
    _ payload: [UInt8], event: Event, command: CommandID, form: PersonalTextView
  ) throws -> [UInt8] {
    guard EventCodec.holdsPersonalText(payload) else { return payload }
    let vault = EventVault(keyring, command: command)
    return try EventCodec.write(event, form == .clear ? .clear(vault) : .withheld, vault)
  }

  /// Whether a payload of the log holds sealed text, or text that was erased before it was recorded. Within a JSON string
  /// the quotation marks would be escaped, and no other fields are called that, so the bytes can't mean anything else.
  package static func holdsPersonalText(_ payload: [UInt8]) -> Bool {
    contains(payload, sealedMark) || contains(payload, erasedMark)
  }

  private static func contains(_ payload: [UInt8], _ mark: StaticString) -> Bool {
    payload.withUnsafeBytes { payload in
      guard let start = payload.baseAddress else { return false }
      let length = mark.utf8CodeUnitCount
      var place = 0
      while place + length <= payload.count,
        let found = memchr(start + place, Int32(mark.utf8Start[0]), payload.count - length - place + 1)
      {
        if memcmp(found, mark.utf8Start, length) == 0 { return true }
        place = UnsafeRawPointer(found) - start + 1
      }
      return false
    }
  }

  private static let sealedMark: StaticString = #","sealed":""#
  private static let erasedMark: StaticString = #","erased":true"#

  private static func write(_ event: Event, _ form: PersonalTextForm, _ vault: EventVault) throws -> [UInt8] {
    var writer = RecordWriter(reserving: 512, form: form)
    event.write(to: &writer)
    if let failure = writer.failure { throw failure }
    guard vault.missing.isEmpty else { throw MissingPersonalKeys(vault.missing) }
    return writer.json.bytes
  }
}
