import Commands
public import EventStore
import Ledger

/// What a command's answer has to say, by the rows that a receipt proves: written by the code that writes answers, from
/// the rows alone. Personal text stands in it as it stands in the log, encrypted.
public struct ProvedAnswer: Sendable {
  /// The answer, one JSON object.
  public let answer: [UInt8]
  /// Each event as `GET /v1/events` has it, one JSON object each: what an answer may say of an event besides its own
  /// members.
  public let events: [[UInt8]]

  /// Why it can't be said what the answer has to say.
  public enum Fault: Error, Hashable, Sendable {
    /// This build doesn't know what the row means.
    case unreadable(position: Int64, reason: String)
    /// The command led to more events, or to fewer.
    case incomplete(expected: Int, found: Int)
  }

  /// - Parameter rows: all rows of one command, in their order.
  /// - Throws: `Fault`.
  public init(_ rows: [LogRow]) async throws {
    // Personal text isn't opened, so no key is needed.
    let codec = EventCodec(keyring: .openingNothing)
    let appended = try rows.map { row in
      do {
        return try row.decoded(codec)
      } catch {
        throw Fault.unreadable(position: row.position, reason: String(describing: error))
      }
    }
    let expected = appended.first?.event.eventsOfItsCommand ?? 1
    guard appended.count == expected, let outcome = CommandOutcome(recorded: appended) else {
      throw Fault.incomplete(expected: expected, found: appended.count)
    }
    let texts = TextsAsHeld()
    // The whole of it: who is shown less gets no receipt.
    answer = try await OutcomeWriter.bytes(texts, for: .kauri) { try $0.write(outcome) }
    events = try appended.map { event in
      var json = JSONWriter(reserving: 640)
      try EventRoutes.write(event, texts, to: &json)
      return json.bytes
    }
  }
}

extension ProvedAnswer.Fault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let position, let reason): "event \(position): \(reason)"
    case .incomplete(let expected, let found): "the command led to \(expected) events, and \(found) are proved"
    }
  }
}

/// Personal text as the log has it.
private struct TextsAsHeld: PersonalTextReading {
  func load(_ subjects: Set<Identifier>) {}

  func render(_ event: AppendedEvent, _ view: PersonalTextView) -> [UInt8] {
    guard EventCodec.holdsPersonalText(event.payload) else { return event.payload }
    var writer = RecordWriter(reserving: 512, form: .asHeld)
    event.event.write(to: &writer)
    return writer.json.bytes
  }

  func open(_ sealed: [UInt8], subject: Identifier, field: StaticString) -> String? { nil }
}
