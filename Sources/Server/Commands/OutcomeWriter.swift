import Commands
import EventStore
import HTTPTypes
import Ledger

/// Writes what commands led to. One is used for a whole batch, so that its buffers are made once.
struct OutcomeWriter {
  private var json: JSONWriter
  private var scratch: [UInt8] = []
  private let texts: any PersonalTextReading
  /// Who gets it, for not everybody is shown all that stands in the log.
  private let reader: Actor
  /// In which form the reader gets personal text.
  private let view: (AppendedEvent) -> PersonalTextView
  /// Subjects whose keys weren't in memory.
  private var missing: Set<Identifier> = []

  private init(
    _ texts: any PersonalTextReading, for reader: Actor, reserving capacity: Int,
    _ view: @escaping (AppendedEvent) -> PersonalTextView
  ) {
    self.texts = texts
    self.reader = reader
    self.view = view
    json = JSONWriter(reserving: capacity)
    scratch.reserveCapacity(64)
  }

  /// What `body` writes. Keys are nearly always in memory; where some aren't, they are loaded all at once and it is
  /// written anew.
  static func bytes(
    _ texts: any PersonalTextReading, for reader: Actor, reserving capacity: Int = 1_024,
    view: @escaping (AppendedEvent) -> PersonalTextView = { $0.viewOfItsActor },
    _ body: (inout OutcomeWriter) throws -> Void
  ) async throws -> [UInt8] {
    var writer = OutcomeWriter(texts, for: reader, reserving: capacity, view)
    try body(&writer)
    if writer.missing.isEmpty { return writer.json.bytes }
    try await texts.load(writer.missing)
    writer = OutcomeWriter(texts, for: reader, reserving: capacity, view)
    try body(&writer)
    guard writer.missing.isEmpty else { throw MissingPersonalKeys(writer.missing) }
    return writer.json.bytes
  }

  /// The status that an outcome is answered with.
  static func status(of verdict: Verdict) -> HTTPResponse.Status {
    switch verdict {
    case .accepted: .created
    case .declined: .unprocessableContent
    case .refused: .forbidden
    }
  }

  /// One object: what the command led to, and for anything but an acceptance the members of a problem document with it.
  ///
  /// - Parameter inBatch: whether the line has to say by itself what a response's head would say.
  mutating func write(
    _ recorded: CommandOutcome, replayed: Bool = false, inBatch: Bool = false, receipt: Receipt? = nil
  ) throws {
    let outcome = recorded.shown(to: reader)
    json.beginObject()
    switch outcome.verdict {
    case .accepted:
      if inBatch { json.field("status", integer: HTTPResponse.Status.created.code) }
    case .declined(let code):
      problem(Problem.type(code.rawValue), code.title, OutcomeWriter.status(of: outcome.verdict), code.rawValue)
      // It stands in the log: the same key is answered the same for ever.
      json.field("retryable", false)
    case .refused:
      problem(
        Problem.type(ProblemCode.forbidden.rawValue), ProblemCode.forbidden.title, .forbidden,
        ProblemCode.forbidden.rawValue)
      json.field("retryable", false)
    }
    json.field("command_id", outcome.commandID)
    json.field("command", outcome.command)
    json.field("outcome", outcome.verdict.word)
    json.field("position", integer: outcome.position)
    if inBatch, replayed { json.field("replayed", true) }
    // A refusal says no more than that: what stands in the log about it isn't the caller's to see.
    if outcome.verdict != .refused {
      switch (outcome.verdict, outcome.events.last) {
      case (.declined, let last?): json.field(checks: last.event.checks)
      // Nobody reads the same fourteen names on each of eight thousand lines; GET /v1/commands/{id} has them.
      case (.accepted, let last?) where !inBatch: json.field(checks: last.event.passedChecks)
      default: break
      }
      try write(outcome.events)
    }
    if let receipt {
      json.key("receipt")
      receipt.write(to: &json)
    }
    json.endObject()
  }

  /// One object: why there is no outcome.
  mutating func write(_ problem: Problem, line: Int) {
    json.beginObject()
    json.field("line", integer: line)
    problem.write(to: &json)
    json.endObject()
  }

  mutating func endLine() { json.endLine() }

  private mutating func problem(_ type: String, _ title: String, _ status: HTTPResponse.Status, _ code: String) {
    json.field("type", type)
    json.field("title", title)
    json.field("status", integer: status.code)
    json.field("code", code)
  }

  private mutating func write(_ events: [AppendedEvent]) throws {
    json.key("events")
    json.beginArray()
    for event in events {
      json.beginObject()
      json.field("position", integer: event.origin.position)
      write(event.origin.stream)
      json.field("type", event.event.type)
      json.field("data", raw: try payload(of: event))
      json.endObject()
    }
    json.endArray()
  }

  private mutating func payload(of event: AppendedEvent) throws -> [UInt8] {
    do {
      return try texts.render(event, view(event))
    } catch let error as MissingPersonalKeys {
      missing.formUnion(error.subjects)
      return []
    }
  }

  /// `kind/uuid`, put together in a buffer that is used again: every event of a batch has one.
  private mutating func write(_ stream: StreamID) {
    scratch.removeAll(keepingCapacity: true)
    scratch.append(UInt8(ascii: "\""))
    scratch.append(contentsOf: stream.kind.rawValue.utf8)
    scratch.append(UInt8(ascii: "/"))
    stream.id.write(to: &scratch)
    scratch.append(UInt8(ascii: "\""))
    json.field("stream", raw: scratch)
  }
}

extension Verdict {
  /// As the contract calls it.
  var word: String {
    switch self {
    case .accepted: "accepted"
    case .declined: "declined"
    case .refused: "refused"
    }
  }
}

extension Event {
  /// What a decline looked at.
  var checks: [Check] {
    switch self {
    case .transferDeclined(let declined): declined.checks
    case .journalDeclined(let declined): declined.checks
    case .commandDeclined(let declined): declined.checks
    case .approvalRejected(let rejected): rejected.checks
    default: []
    }
  }
}

extension AppendedEvent {
  /// In which form whoever gave the command gets the event's personal text: his own in clear, and withheld what
  /// somebody else wrote in a command that he approved or rejected.
  var viewOfItsActor: PersonalTextView { event.approvedCommand == nil ? .clear : .withheld }
}
