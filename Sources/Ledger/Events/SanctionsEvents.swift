/// A newer version of a list is in force. The events after it say what it added, changed and removed.
public struct SanctionsListImported: EventContent {
  public static let type: StaticString = "SanctionsListImported"
  public var list: String
  public var version: ListVersion
  /// Entries in the list from here on.
  public var entries: Int
  public var added: Int
  public var changed: Int
  public var removed: Int

  public init(list: String, version: ListVersion, entries: Int, added: Int, changed: Int, removed: Int) {
    self.list = list
    self.version = version
    self.entries = entries
    self.added = added
    self.changed = changed
    self.removed = removed
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    list = try object.required("list").string(maxLength: FieldLimit.code)
    version = ListVersion(try object.required("version").string(maxLength: FieldLimit.code))
    entries = Int(try object.required("entries").int64())
    added = Int(try object.required("added").int64())
    changed = Int(try object.required("changed").int64())
    removed = Int(try object.required("removed").int64())
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("list", list)
    writer.json.field("version", version.text)
    writer.json.field("entries", integer: Int64(entries))
    writer.json.field("added", integer: Int64(added))
    writer.json.field("changed", integer: Int64(changed))
    writer.json.field("removed", integer: Int64(removed))
  }

  public func stream(command: CommandID) -> StreamID { StreamID(sanctionsList: list) }
}

/// A name is on the list from here on.
public struct SanctionsEntryAdded: EventContent {
  public static let type: StaticString = "SanctionsEntryAdded"
  public var list: String
  public var entry: SanctionsEntry

  public init(list: String, entry: SanctionsEntry) {
    self.list = list
    self.entry = entry
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    list = try object.required("list").string(maxLength: FieldLimit.code)
    entry = try SanctionsEntry(from: &object)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("list", list)
    entry.write(to: &writer)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(sanctionsList: list) }
}

/// What the list says of a name is different from here on.
public struct SanctionsEntryChanged: EventContent {
  public static let type: StaticString = "SanctionsEntryChanged"
  public var list: String
  public var entry: SanctionsEntry

  public init(list: String, entry: SanctionsEntry) {
    self.list = list
    self.entry = entry
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    list = try object.required("list").string(maxLength: FieldLimit.code)
    entry = try SanctionsEntry(from: &object)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("list", list)
    entry.write(to: &writer)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(sanctionsList: list) }
}

/// A name is no longer on the list.
public struct SanctionsEntryRemoved: EventContent {
  public static let type: StaticString = "SanctionsEntryRemoved"
  public var list: String
  public var entryID: String

  public init(list: String, entryID: String) {
    self.list = list
    self.entryID = entryID
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    list = try object.required("list").string(maxLength: FieldLimit.code)
    entryID = try object.required("id").string(maxLength: FieldLimit.code)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("list", list)
    writer.json.field("id", entryID)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(sanctionsList: list) }
}

/// What an analyst wants decided about a customer and a list's entry.
public enum MatchDecision: String, Hashable, Sendable, CaseIterable {
  case confirm, clear
}

/// An analyst concluded something about a customer and a list; a second person decides.
public struct SanctionsMatchProposed: EventContent {
  public static let type: StaticString = "SanctionsMatchProposed"
  public var finding: MatchFinding
  public var decision: MatchDecision

  public init(finding: MatchFinding, decision: MatchDecision) {
    self.finding = finding
    self.decision = decision
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    finding = try MatchFinding(from: &object, in: context)
    decision = try object.required("decision").choice(MatchDecision.self)
  }

  public func write(to writer: inout RecordWriter) {
    finding.write(to: &writer)
    writer.json.field("decision", decision.rawValue)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.customer, finding.customerID) }
}

/// The customer is the one on the list: its money stops.
public struct SanctionsMatchConfirmed: EventContent {
  public static let type: StaticString = "SanctionsMatchConfirmed"
  public var finding: MatchFinding
  public var approval: ApprovalNote

  public init(finding: MatchFinding, approval: ApprovalNote) {
    self.finding = finding
    self.approval = approval
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    finding = try MatchFinding(from: &object, in: context)
    approval = try ApprovalNote(from: try object.required("approval"), in: context)
  }

  public func write(to writer: inout RecordWriter) {
    finding.write(to: &writer)
    writer.field(approval: approval)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.customer, finding.customerID) }
}

/// The customer is somebody else than the one on the list.
public struct SanctionsMatchCleared: EventContent {
  public static let type: StaticString = "SanctionsMatchCleared"
  public var finding: MatchFinding
  public var approval: ApprovalNote

  public init(finding: MatchFinding, approval: ApprovalNote) {
    self.finding = finding
    self.approval = approval
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    finding = try MatchFinding(from: &object, in: context)
    approval = try ApprovalNote(from: try object.required("approval"), in: context)
  }

  public func write(to writer: inout RecordWriter) {
    finding.write(to: &writer)
    writer.field(approval: approval)
  }

  public func stream(command: CommandID) -> StreamID { StreamID(.customer, finding.customerID) }
}
