/// One name on a sanctions list, as its publisher has it. Lists are public, so nothing here is sealed.
public struct SanctionsEntry: Hashable, Sendable {
  /// The publisher's own id, unique in its list.
  public var id: String
  public var name: String
  public var aliases: [String]
  public var countries: [String]
  public var datesOfBirth: [String]
  public var program: String?
  public var remarks: String?

  public init(
    id: String, name: String, aliases: [String] = [], countries: [String] = [], datesOfBirth: [String] = [],
    program: String? = nil, remarks: String? = nil
  ) {
    self.id = id
    self.name = name
    self.aliases = aliases
    self.countries = countries
    self.datesOfBirth = datesOfBirth
    self.program = program
    self.remarks = remarks
  }

  public init(from value: JSONValue) throws(JSONFault) {
    var object = try value.object()
    try self.init(from: &object)
    try object.finish()
  }

  init(from object: inout JSONObject) throws(JSONFault) {
    id = try object.required("id").nonEmptyString(maxLength: FieldLimit.code)
    name = try object.required("name").nonEmptyString(maxLength: FieldLimit.text)
    aliases = try object.strings("aliases", maxCount: FieldLimit.namesPerEntry)
    countries = try object.strings("countries", maxCount: FieldLimit.namesPerEntry)
    datesOfBirth = try object.strings("dates_of_birth", maxCount: FieldLimit.namesPerEntry)
    program = try object.optional("program")?.string(maxLength: FieldLimit.text)
    remarks = try object.optional("remarks")?.string(maxLength: 4 * FieldLimit.text)
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("id", id)
    writer.json.field("name", name)
    writer.json.field("aliases", strings: aliases)
    writer.json.field("countries", strings: countries)
    writer.json.field("dates_of_birth", strings: datesOfBirth)
    writer.json.field("program", program)
    writer.json.field("remarks", remarks)
  }
}

/// A whole list as published; the log records what it added, changed and removed. Entries are kept in the order of
/// their ids, so that the same list is the same content whatever order it came in.
public struct ImportSanctionsList: InstructionContent {
  public static let name: StaticString = "ImportSanctionsList"

  public var list: String
  public var version: ListVersion
  public var entries: [SanctionsEntry]

  public init(list: String, version: ListVersion, entries: [SanctionsEntry]) {
    self.list = list
    self.version = version
    self.entries = entries.sorted { $0.id < $1.id }
  }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    let named = try object.required("list")
    list = try named.nonEmptyString(maxLength: FieldLimit.code)
    if context.source == .client { try named.refuseUnlessASCII(list) }
    let number = try object.required("version")
    version = try ListVersion(from: number)
    if context.source == .client { try number.refuseUnlessASCII(version.text) }
    let array = try object.required("entries")
    entries = []
    var seen: Set<String> = []
    for value in try array.array() {
      let entry = try SanctionsEntry(from: value)
      if context.source == .client {
        var fields = try value.object()
        try fields.required("id").refuseUnlessASCII(entry.id)
      }
      guard seen.insert(entry.id).inserted else { throw value.fault("repeats the id \"\(entry.id)\"") }
      entries.append(entry)
    }
    guard entries.count <= FieldLimit.entriesPerList else {
      throw array.fault("must hold at most \(FieldLimit.entriesPerList) entries")
    }
    entries.sort { $0.id < $1.id }
  }

  public func write(to writer: inout RecordWriter) {
    writer.json.field("list", list)
    writer.json.field("version", version.text)
    writer.json.key("entries")
    writer.json.beginArray()
    for entry in entries {
      writer.json.beginObject()
      entry.write(to: &writer)
      writer.json.endObject()
    }
    writer.json.endArray()
  }
}

extension JSONValue {
  /// What a list and its entries are known by. Publishers use ASCII, and of other texts several spellings are one to
  /// Unicode, and to Swift, that are two to a database.
  fileprivate func refuseUnlessASCII(_ text: String) throws(JSONFault) {
    guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw fault("must be printable ASCII") }
  }
}

/// A list's version: a whole number, a date, or dotted parts. Runs of digits compare as numbers, everything else by
/// character.
public struct ListVersion: Hashable, Comparable, Sendable {
  public let text: String

  public init(_ text: String) { self.text = text }

  init(from value: JSONValue) throws(JSONFault) {
    if value.kind == .number {
      let number = try value.int64()
      guard number >= 0 else { throw value.fault("must be zero or more") }
      text = String(number)
    } else {
      text = try value.nonEmptyString(maxLength: FieldLimit.code)
    }
  }

  public static func < (left: ListVersion, right: ListVersion) -> Bool {
    let order = compare(Array(left.text.utf8), Array(right.text.utf8))
    return order < 0
  }

  private static func compare(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var (l, r) = (left[...], right[...])
    while let a = l.first, let b = r.first {
      if isDigit(a), isDigit(b) {
        let order = compareNumbers(takeDigits(&l), takeDigits(&r))
        if order != 0 { return order }
      } else if a != b {
        return a < b ? -1 : 1
      } else {
        l.removeFirst()
        r.removeFirst()
      }
    }
    return l.count - r.count
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func takeDigits(_ bytes: inout ArraySlice<UInt8>) -> [UInt8] {
    let digits = bytes.prefix(while: isDigit)
    bytes = bytes.dropFirst(digits.count)
    return Array(digits.drop { $0 == 0x30 })
  }

  private static func compareNumbers(_ left: [UInt8], _ right: [UInt8]) -> Int {
    if left.count != right.count { return left.count - right.count }
    for (a, b) in zip(left, right) where a != b { return a < b ? -1 : 1 }
    return 0
  }
}

/// What an analyst concluded about a customer and a list's entry.
public struct MatchFinding: Hashable, Sendable {
  public var customerID: CustomerID
  public var list: String?
  public var entryID: String?
  public var reason: PersonalText?

  public init(customerID: CustomerID, list: String? = nil, entryID: String? = nil, reason: PersonalText? = nil) {
    self.customerID = customerID
    self.list = list
    self.entryID = entryID
    self.reason = reason
  }

  init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    customerID = try object.required("customer_id").identifier()
    list = try object.optional("list")?.nonEmptyString(maxLength: FieldLimit.code)
    entryID = try object.optional("entry_id")?.nonEmptyString(maxLength: FieldLimit.code)
    reason = try object.personalText("reason", in: context)
  }

  func write(to writer: inout RecordWriter) {
    writer.json.field("customer_id", customerID)
    writer.json.field("list", list)
    writer.json.field("entry_id", entryID)
    writer.field("reason", personal: reason)
  }
}

/// Proposes that the customer is the one on the list; once a second person agrees, its money stops.
public struct ConfirmMatch: InstructionContent {
  public static let name: StaticString = "ConfirmMatch"
  public var finding: MatchFinding

  public init(finding: MatchFinding) { self.finding = finding }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    finding = try MatchFinding(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { finding.write(to: &writer) }
}

/// Proposes that the customer is somebody else than the one on the list; a second person decides.
public struct ClearMatch: InstructionContent {
  public static let name: StaticString = "ClearMatch"
  public var finding: MatchFinding

  public init(finding: MatchFinding) { self.finding = finding }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    finding = try MatchFinding(from: &object, in: context)
  }

  public func write(to writer: inout RecordWriter) { finding.write(to: &writer) }
}
