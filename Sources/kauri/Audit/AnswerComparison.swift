import Ledger
import Server

/// Where an answer says something else than the rows that its receipt proves.
struct AnswerComparison {
  struct Difference: Hashable {
    /// Into the answer, as a JSON pointer.
    let pointer: String
    /// By the rows.
    let expected: String
    let found: String
  }

  /// What nobody can compare with nothing but the receipt.
  struct Omission: Hashable {
    let pointer: String
    let reason: String
  }

  private(set) var differences: [Difference] = []
  private(set) var omissions: [Omission] = []

  /// Members that only certain answers have; in others they are a claim that the rows contradict.
  private static let members: Set = ["type", "title", "status", "code", "retryable", "checks", "events"]

  /// - Parameter answer: the whole answer, the receipt in it.
  init(of answer: JSONValue, with proved: ProvedAnswer) throws(JSONFault) {
    let limits = JSONLimits(depth: 64, elementsPerArray: .max, stringLength: .max)
    let expected = try Members(JSONDocument(proved.answer, limits: limits).root)
    let found = try Members(answer)
    for (name, value) in expected.all where name != "events" {
      compare(value, found[name], at: "/" + name)
    }
    for (name, value) in found.all where expected[name] == nil && name != "receipt" {
      if Self.members.contains(name) {
        differ("/" + name, "nothing", value)
      } else {
        omit(AnswerComparison.step("", name), "the log's rows say nothing of it")
      }
    }
    guard expected["events"] != nil else { return }
    var events: [JSONValue] = []
    for event in proved.events { events.append(try JSONDocument(event, limits: limits).root) }
    try compare(events: events, found["events"])
  }

  // MARK: Events

  private mutating func compare(events expected: [JSONValue], _ found: JSONValue?) throws(JSONFault) {
    guard let found, found.kind == .array else {
      return differ("/events", "\(expected.count) events", found)
    }
    let claimed = Array(try found.array())
    guard claimed.count == expected.count else {
      differences.append(
        Difference(
          pointer: "/events", expected: try AnswerComparison.list(expected),
          found: try AnswerComparison.list(claimed)))
      return
    }
    for (place, (event, claim)) in zip(expected, claimed).enumerated() {
      try compare(event: event, claim, at: "/events/\(place)")
    }
  }

  /// An answer's event has four members; what else it may say of itself is what `GET /v1/events` says.
  private mutating func compare(event: JSONValue, _ claim: JSONValue, at pointer: String) throws(JSONFault) {
    guard claim.kind == .object else { return differ(pointer, "an event", claim) }
    let (expected, found) = (try Members(event), try Members(claim))
    for (name, value) in expected.all {
      let isRequired = ["position", "stream", "type", "data"].contains(name)
      if isRequired || found[name] != nil { compare(value, found[name], at: "\(pointer)/\(name)") }
    }
    for (name, _) in found.all where expected[name] == nil {
      omit(AnswerComparison.step(pointer, name), "the log's rows say nothing of it")
    }
  }

  /// `2 events: 7 SanctionsListImported, 8 SanctionsEntryAdded`.
  private static func list(_ events: [JSONValue]) throws(JSONFault) -> String {
    var names: [String] = []
    for event in events.prefix(20) {
      guard event.kind == .object else {
        names.append(shown(event))
        continue
      }
      let members = try Members(event)
      let (position, type) = (members["position"].map(shown), try? members["type"]?.string())
      names.append("\(position ?? "no position") \(type ?? "no type")")
    }
    if events.count > 20 { names.append("…") }
    return "\(events.count) events: \(names.joined(separator: ", "))"
  }

  // MARK: Values

  private mutating func compare(_ expected: JSONValue, _ found: JSONValue?, at pointer: String) {
    guard let found else { return differ(pointer, expected, nil) }
    if let personal = SealedText(expected) { return compare(personal, found, at: pointer) }
    guard expected.kind == found.kind else { return differ(pointer, expected, found) }
    switch expected.kind {
    case .object:
      guard let expected = try? Members(expected), let found = try? Members(found) else { return }
      for (name, value) in expected.all { compare(value, found[name], at: AnswerComparison.step(pointer, name)) }
      for (name, value) in found.all where expected[name] == nil {
        differ(AnswerComparison.step(pointer, name), "nothing", value)
      }
    case .array:
      guard let wanted = try? Array(expected.array()), let given = try? Array(found.array()) else { return }
      guard wanted.count == given.count else { return differ(pointer, expected, found) }
      for (place, (expected, found)) in zip(wanted, given).enumerated() {
        compare(expected, found, at: "\(pointer)/\(place)")
      }
    case .null: break
    case .boolean, .number, .string:
      // In compact form a value has one spelling, but for how a number is written, and no number here has two.
      if expected.compactBytes != found.compactBytes { differ(pointer, expected, found) }
    }
  }

  /// The row has the text encrypted, which gives away its length and nothing else.
  private mutating func compare(_ personal: SealedText, _ found: JSONValue, at pointer: String) {
    if personal.value.compactBytes == found.compactBytes { return }
    switch (personal.length, SealedText.Shown(found)) {
    case (_, .withheld): omit(pointer, "personal text, withheld in the answer")
    case (nil, .erased): break
    case (_?, .erased): omit(pointer, "personal text, encrypted in the log and erased by the answer's word")
    case (let length?, .text(let text)) where text.utf8.count == length:
      omit(pointer, "personal text, encrypted in the log; its length, \(length) bytes, is right")
    case (let length?, _): differ(pointer, "personal text of \(length) bytes, encrypted in the log", found)
    case (nil, _): differ(pointer, "personal text that was erased before it was recorded", found)
    }
  }

  // MARK: What is found

  private mutating func differ(_ pointer: String, _ expected: JSONValue, _ found: JSONValue?) {
    differ(pointer, AnswerComparison.shown(expected), found)
  }

  private mutating func differ(_ pointer: String, _ expected: String, _ found: JSONValue?) {
    differences.append(
      Difference(pointer: pointer, expected: expected, found: found.map(AnswerComparison.shown) ?? "nothing"))
  }

  private mutating func omit(_ pointer: String, _ reason: String) {
    omissions.append(Omission(pointer: pointer, reason: reason))
  }

  private static func shown(_ value: JSONValue) -> String {
    let text = String(decoding: value.compactBytes, as: UTF8.self)
    return text.count > 240 ? text.prefix(240) + "…" : text
  }

  private static func step(_ pointer: String, _ name: String) -> String {
    "\(pointer)/\(name.replacing("~", with: "~0").replacing("/", with: "~1"))"
  }
}

/// An object's members by name. Names are compared byte for byte, not as Unicode does.
private struct Members {
  private(set) var all: [(name: String, value: JSONValue)] = []
  private var places: [[UInt8]: Int] = [:]

  init(_ value: JSONValue) throws(JSONFault) {
    for (name, value) in try value.object() {
      places[Array(name.utf8)] = all.count
      all.append((name, value))
    }
  }

  subscript(name: String) -> JSONValue? { places[Array(name.utf8)].map { all[$0].value } }
}

/// Personal text as the log has it: encrypted, or erased before it was recorded.
private struct SealedText {
  let value: JSONValue
  /// Of the text in bytes of UTF-8; nil where there is none any more.
  let length: Int?

  /// AES-GCM's nonce and tag, which stand around the text.
  private static let overhead = 28

  /// - Returns: nil for anything else. No field of an event is called as these are.
  init?(_ value: JSONValue) {
    guard let members = try? Members(value) else { return nil }
    if let sealed = members["sealed"], let bytes = try? Base64.decode(sealed.string()), bytes.count >= Self.overhead {
      length = bytes.count - Self.overhead
    } else if (try? members["erased"]?.bool()) == true {
      length = nil
    } else {
      return nil
    }
    self.value = value
  }

  /// What an answer has in its place.
  enum Shown {
    case text(String)
    case withheld, erased, other

    init(_ value: JSONValue) {
      if let text = try? value.string() {
        self = .text(text)
      } else {
        switch String(decoding: value.compactBytes, as: UTF8.self) {
        case #"{"withheld":true}"#: self = .withheld
        case #"{"erased":true}"#: self = .erased
        default: self = .other
        }
      }
    }
  }
}
