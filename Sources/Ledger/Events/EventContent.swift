/// What a stream of events is about.
public enum StreamKind: String, Hashable, Sendable, CaseIterable {
  case book, customer, account, transfer, journal, hold
  case sanctionsList = "sanctions_list"
  /// A command that changed nothing: a decline, a refusal, a read that was recorded.
  case command
}

/// One stream: the events of one thing, in order of their versions.
public struct StreamID: Hashable, Sendable {
  public var kind: StreamKind
  public var id: Identifier

  public init(_ kind: StreamKind, _ id: Identifier) {
    self.kind = kind
    self.id = id
  }

  /// The stream of a sanctions list, whose id is the 128-bit FNV-1a hash of its name
  /// (draft-eastlake-fnv, section 5).
  public init(sanctionsList name: String) {
    var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
    for byte in name.utf8 { hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013B }
    self.init(
      .sanctionsList,
      Identifier(high: UInt64(truncatingIfNeeded: hash >> 64), low: UInt64(truncatingIfNeeded: hash)))
  }
}

/// What one kind of event says. An event is never changed; a new shape is a new schema version with an upcaster from
/// the old.
public protocol EventContent: Hashable, Sendable {
  /// The event's type in the contract, `TransferPosted`.
  static var type: StaticString { get }
  /// The version of the shape that `write` writes.
  static var schemaVersion: Int { get }

  init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault)
  /// Writes the fields as members of an object that the caller has begun, in canonical form.
  func write(to writer: inout RecordWriter)

  /// The stream that the event belongs to.
  func stream(command: CommandID) -> StreamID
}

extension EventContent {
  public static var schemaVersion: Int { 1 }
}

/// Where an event came from and where it stands: every column of its row but the payload.
public struct EventOrigin: Hashable, Sendable {
  /// From 1, without gaps, in the order of commits.
  public var position: Int64
  public var stream: StreamID
  /// From 1, consecutive in the stream.
  public var version: Int64
  public var commandID: CommandID
  /// From 0, the event's place among those of its command.
  public var index: Int
  public var actor: Actor
  /// The command or event that led to this command, where it isn't a person's own doing.
  public var causation: Identifier?
  /// What ties together everything that one action outside set off; the command's own id where nobody gave another.
  public var correlation: Identifier
  /// The clock that the decision was given.
  public var moment: Moment
  /// The calendar day of `moment` in the book's time zone.
  public var bookDate: CalendarDate
  public var ruleSet: Int

  public init(
    position: Int64, stream: StreamID, version: Int64, commandID: CommandID, index: Int, actor: Actor,
    causation: Identifier?, correlation: Identifier, moment: Moment, bookDate: CalendarDate, ruleSet: Int
  ) {
    self.position = position
    self.stream = stream
    self.version = version
    self.commandID = commandID
    self.index = index
    self.actor = actor
    self.causation = causation
    self.correlation = correlation
    self.moment = moment
    self.bookDate = bookDate
    self.ruleSet = ruleSet
  }
}

/// An event as the log has it.
public struct RecordedEvent: Hashable, Sendable {
  public var origin: EventOrigin
  public var event: Event

  public init(origin: EventOrigin, event: Event) {
    self.origin = origin
    self.event = event
  }
}
