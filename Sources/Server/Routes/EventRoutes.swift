import Commands
import EventStore
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore
import Projections

/// The log itself, by pages or live. It is everybody's data at once, so it shows nobody's personal text. One stream of
/// it is somebody's, and reading that is recorded as any read of a customer's data is.
struct EventRoutes {
  let reads: Reads
  let feed: HeadFeed

  static let eventStream = "text/event-stream"
  private static let after = QueryParameter(
    "after", AnswerSchemas.position, "Only events after this log position; 0 when it isn't given.")
  private static let incarnation = QueryParameter(
    "incarnation", .integer(1...Int64(Int32.max)),
    "The history of the log that was read up to `after`, as its pages say it: a restore of the book begins another.")
  private static let stream = QueryParameter(
    "stream",
    .string(pattern: "^(\(StreamKind.allCases.map(\.rawValue).joined(separator: "|")))/[0-9a-fA-F-]{36}$"),
    "Only events of this stream, as `kind/uuid`.")
  private static let type = QueryParameter(
    "type", .string(minLength: 1), "Only events of these types, with commas between them.")

  var routes: [Route] {
    [
      Route(
        .get, "/v1/events", access: .bank,
        query: [Self.after, Self.incarnation, Self.stream, Self.type, .limit, .atLeast],
        .read(
          "listEvents", .log,
          "The log. With Accept: text/event-stream it is followed live, until the token expires: then the last event is "
            + "`end`, without an id. A stream takes no `limit`.",
          headers: [
            Operation.Parameter(
              name: "Last-Event-ID",
              about: "The id of the last event that a follower has seen: only events after it. It goes before `after` "
                + "and `incarnation`.",
              schema: .string(pattern: "^([1-9][0-9]{0,9}:)?[0-9]{1,19}$"))
          ], answer: .reference("Events"), others: [Operation.Content(type: Self.eventStream, schema: .string())],
          problems: [.historyChanged, .invalidHeader, .notAcceptable]),
        respond: events)
    ]
  }

  /// Which events are wanted.
  private struct Wanted: Sendable {
    var after: LogPlace
    var stream: StreamID?
    var types: Set<String>
  }

  @Sendable private func events(_ call: Call) async throws -> Response {
    let wanted = try wanted(call)
    let limit = try call.query.limit()
    let atLeast = try call.atLeast()
    if try EventRoutes.wantsStream(call.request.headers) {
      guard call.query[.limit] == nil else {
        throw Problem(.invalidParameter, "limit is how many events a page has; a stream has no end.")
      }
      return try await follow(from: wanted, atLeast: atLeast, call)
    }
    let page = try await reads.reader.events(
      after: wanted.after, limit: limit, stream: wanted.stream, types: wanted.types, atLeast: atLeast)
    _ = try await recordRead(call, of: wanted.stream, page.value.events)
    var json = JSONWriter(reserving: 256 + page.value.events.count * 640)
    json.beginObject()
    json.key("events")
    json.beginArray()
    for event in page.value.events { try EventRoutes.write(event, reads.texts, to: &json) }
    json.endArray()
    json.field("next_after", integer: max(page.value.through, wanted.after.position))
    json.field("incarnation", integer: page.value.incarnation)
    json.field("position", integer: page.position)
    json.endObject()
    return Reply.json(json.bytes, position: page.position)
  }

  /// Whether the client would rather have a stream than a page. A stream is for those who name it: what takes anything
  /// gets a page.
  ///
  /// - Throws: `not_acceptable` where it takes neither.
  private static func wantsStream(_ headers: HTTPFields) throws(Problem) -> Bool {
    let accepted = AcceptedTypes(headers[values: .accept])
    let (page, stream) = (accepted.rank(of: Reply.json), accepted.rank(of: eventStream))
    guard max(page, stream) > .refused else {
      throw Problem(.notAcceptable, "The log comes as \(Reply.json) or \(eventStream).")
    }
    return stream > page || stream == page && stream.precision == 2
  }

  /// Records that the caller sees what one stream says of customers, before it is shown.
  ///
  /// - Parameter known: the customers whose reading by this request has been recorded.
  /// - Returns: those, and the others that the events are about.
  /// - Throws: a problem of status 503 when it can't be recorded.
  private func recordRead(
    _ call: Call, of stream: StreamID?, _ events: [AppendedEvent], known: Set<CustomerID> = []
  ) async throws -> Set<CustomerID> {
    guard let stream, DataAccess.records(try call.actor.role) else { return known }
    var customers = try await reads.customers(concernedBy: events)
    if let owner = try await reads.owner(of: stream) { customers.insert(owner) }
    customers.subtract(known)
    _ = try await reads.access.view(call, of: customers, object: stream.id)
    return known.union(customers)
  }

  private func wanted(_ call: Call) throws(Problem) -> Wanted {
    var types: Set<String> = []
    if let text = call.query[Self.type] {
      let known = Set(Event.kinds.map { $0.type.description })
      types = Set(text.split(separator: ",").map(String.init))
      guard !types.isEmpty, types.isSubset(of: known) else {
        throw Problem(.invalidParameter, "type names an event that doesn't exist.")
      }
    }
    var stream: StreamID?
    if let text = call.query[Self.stream] {
      let parts = text.split(separator: "/", maxSplits: 1)
      guard parts.count == 2, let kind = StreamKind(rawValue: String(parts[0])), let id = Identifier(parts[1]) else {
        throw Problem(.invalidParameter, "stream is written as kind/uuid.")
      }
      stream = StreamID(kind, id)
    }
    var place = LogPlace(
      try call.query.integer(Self.after) ?? 0, incarnation: try call.query.integer(Self.incarnation).map { Int($0) })
    // A follower that comes back asks with the address that it began with, and says here how far it has come.
    if let text = call.request.headers[.lastEventID] {
      guard let seen = LogPlace(text) else { throw Problem(.invalidHeader, "Last-Event-ID is the id of an event.") }
      place = seen
    }
    return Wanted(after: place, stream: stream, types: types)
  }

  static func write(
    _ event: AppendedEvent, _ texts: any PersonalTextReading, to json: inout JSONWriter
  ) throws {
    let origin = event.origin
    json.beginObject()
    json.field("position", integer: origin.position)
    json.field("stream", "\(origin.stream.kind.rawValue)/\(origin.stream.id)")
    json.field("stream_version", integer: origin.version)
    json.field("type", event.event.type)
    json.field("command_id", origin.commandID)
    json.field("actor", origin.actor.description)
    json.field("correlation_id", origin.correlation)
    json.field("causation_id", origin.causation)
    json.field("recorded_at", origin.moment)
    json.field("book_date", origin.bookDate)
    json.field("data", raw: try texts.render(event, .withheld))
    json.endObject()
  }
}

// MARK: - Live

extension EventRoutes {
  /// Server-sent events (HTML standard, section 9.2). A page is read only when the reader has taken the one before, so
  /// that a slow one costs no memory; a client that reconnects goes on where it was.
  private func follow(from wanted: Wanted, atLeast: Int64?, _ call: Call) async throws -> Response {
    var wanted = wanted
    // Before the head goes out: whoever has read another history is told so, and whoever waits for a position in vain.
    let first = try await reads.reader.events(
      after: wanted.after, limit: 1, stream: nil, types: [], atLeast: atLeast)
    wanted.after.incarnation = first.value.incarnation
    let follower = try feed.join(try call.actor, until: try call.expires)
    call.scope.whenClosed { [weak follower] in follower?.end() }
    let start = wanted
    let known = try await recordOpening(call, from: wanted)
    let body = ResponseBody { writer in
      try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
      try await send(from: start, to: &writer, follower, call, known)
      if follower.hasExpired { try await writer.write(ByteBuffer(string: EventRoutes.expired)) }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok, headers: [.contentType: EventRoutes.eventStream, .logPosition: String(first.position)], body: body)
  }

  /// The last thing that a stream says whose caller's token has expired. It is an event, for comments don't reach
  /// those who listen, and has no id, so that its listener goes on where it was: with a new token, or it is refused.
  private static let expired = #"""
    event: end
    data: {"code":"unauthenticated","detail":"the token has expired"}


    """#

  /// Records the read of what a stream of one customer holds by now, while the answer may still be that it can't be.
  private func recordOpening(_ call: Call, from wanted: Wanted) async throws -> Set<CustomerID> {
    guard wanted.stream != nil, DataAccess.records(try call.actor.role) else { return [] }
    let page = try await page(wanted)
    return try await recordRead(call, of: wanted.stream, page.value.events)
  }

  private func page(_ wanted: Wanted) async throws -> Answer<LogPage> {
    try await reads.reader.events(
      after: wanted.after, limit: 500, stream: wanted.stream, types: wanted.types, atLeast: nil)
  }

  private func send(
    from start: Wanted, to writer: inout any ResponseBodyWriter, _ follower: HeadFeed.Follower, _ call: Call,
    _ recorded: Set<CustomerID>
  ) async throws {
    var wanted = start
    var known = recorded
    var spoke = ContinuousClock.now
    while !follower.isOver {
      let answer: Answer<LogPage>
      do {
        answer = try await page(wanted)
        if !answer.value.events.isEmpty {
          known = try await recordRead(call, of: wanted.stream, answer.value.events, known: known)
        }
      } catch {
        // The head has gone out already: all that can be told is the end, and the client comes back by itself.
        return
      }
      let page = answer.value
      if !page.events.isEmpty {
        try await writer.write(ByteBuffer(bytes: try EventRoutes.frames(page, reads.texts)))
        spoke = .now
      } else if ContinuousClock.now - spoke >= feed.heartbeat {
        try await writer.write(ByteBuffer(string: ": still here\n\n"))
        spoke = .now
      }
      wanted.after.position = max(wanted.after.position, page.through)
      if wanted.after.position >= answer.position { await follower.wait(after: wanted.after.position) }
    }
  }

  private static func frames(_ page: LogPage, _ texts: any PersonalTextReading) throws -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(page.events.count * 768)
    for event in page.events {
      let place = LogPlace(event.origin.position, incarnation: page.incarnation)
      bytes.append(contentsOf: "id: \(place)\nevent: \(event.event.type)\ndata: ".utf8)
      var json = JSONWriter(reserving: 640)
      // Compact JSON has no line ends, which would end the field.
      try write(event, texts, to: &json)
      bytes.append(contentsOf: json.bytes)
      bytes.append(contentsOf: "\n\n".utf8)
    }
    return bytes
  }
}
