public import Ledger

/// Lifts payloads of one type of event from one version of their shape to the next. Kept for ever: the log keeps the
/// old payloads.
public struct Upcaster: Sendable {
  /// The event's type in the contract, `TransferPosted`.
  public let type: String
  /// The version that it reads; what it writes is one higher.
  public let version: Int
  let lift: @Sendable (_ old: JSONValue, _ new: inout JSONWriter) throws(JSONFault) -> Void

  /// - Parameter lift: writes the new payload, one object in canonical form, from the old one.
  public init(
    type: String, from version: Int,
    _ lift: @escaping @Sendable (_ old: JSONValue, _ new: inout JSONWriter) throws(JSONFault) -> Void
  ) {
    self.type = type
    self.version = version
    self.lift = lift
  }
}

/// Every upcaster there is, by type and version.
public struct UpcasterRegistry: Sendable {
  private struct Key: Hashable {
    let type: String
    let version: Int
  }

  private let upcasters: [Key: Upcaster]

  /// Those of this build. There is none yet: every event still has its first shape.
  public static let standard = UpcasterRegistry([])

  /// - Parameter upcasters: at most one for a type and version; of several the last counts.
  public init(_ upcasters: [Upcaster]) {
    self.upcasters = Dictionary(
      upcasters.map { (Key(type: $0.type, version: $0.version), $0) }, uniquingKeysWith: { $1 })
  }

  /// Whether there is one that lifts `type` from `version`.
  public func contains(_ type: String, from version: Int) -> Bool {
    upcasters[Key(type: type, version: version)] != nil
  }

  /// Lifts a payload version by version.
  func lift(
    _ payload: [UInt8], of type: String, from version: Int, to current: Int
  ) throws(EventCodecFault) -> [UInt8] {
    var payload = payload
    for step in version..<current {
      guard let upcaster = upcasters[Key(type: type, version: step)] else {
        throw .noUpcaster(type: type, version: step)
      }
      do throws(JSONFault) {
        var writer = JSONWriter(reserving: payload.count + 128)
        try upcaster.lift(JSONDocument(payload).root, &writer)
        payload = writer.bytes
      } catch {
        throw .malformed(type: type, version: step, error)
      }
    }
    return payload
  }
}
