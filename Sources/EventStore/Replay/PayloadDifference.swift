import Ledger

/// Where two payloads differ, for people: the first member whose value isn't the same, with both values.
struct PayloadDifference: Equatable {
  /// The member's JSON pointer (RFC 6901); empty when the payloads can't be compared member by member.
  var pointer: String
  var expected: String
  var found: String

  /// - Returns: nil when the bytes are the same.
  init?(expected: [UInt8], found: [UInt8]) {
    guard expected != found else { return nil }
    let limits = JSONLimits(depth: 64, elementsPerArray: .max, stringLength: .max, nameLength: .max)
    if let one = try? JSONDocument(expected, limits: limits), let other = try? JSONDocument(found, limits: limits),
      let difference = PayloadDifference.first(one.root, other.root, at: "")
    {
      self = difference
    } else {
      // The same members in another spelling: only the bytes tell.
      let place = zip(expected, found).prefix { $0 == $1 }.count
      self.init(
        pointer: "", expected: PayloadDifference.text(expected[...], from: place),
        found: PayloadDifference.text(found[...], from: place))
    }
  }

  private init(pointer: String, expected: String, found: String) {
    self.pointer = pointer
    self.expected = expected
    self.found = found
  }

  private static func text(_ bytes: ArraySlice<UInt8>, from place: Int) -> String {
    let start = max(bytes.startIndex, place - 20)
    return "byte \(place) of …\(String(decoding: bytes[min(start, bytes.endIndex)...].prefix(80), as: UTF8.self))"
  }

  private static func first(_ one: JSONValue, _ other: JSONValue, at pointer: String) -> PayloadDifference? {
    if one.rawBytes == other.rawBytes { return nil }
    switch (one.kind, other.kind) {
    case (.object, .object): return firstMember(one, other, at: pointer)
    case (.array, .array): return firstElement(one, other, at: pointer)
    default:
      return PayloadDifference(pointer: pointer, expected: text(one), found: text(other))
    }
  }

  private static func firstMember(_ one: JSONValue, _ other: JSONValue, at pointer: String) -> PayloadDifference? {
    guard let members = try? one.object(), let others = try? other.object() else { return nil }
    var found: [String: JSONValue] = [:]
    for (name, value) in others { found[name] = value }
    for (name, value) in members {
      guard let twin = found.removeValue(forKey: name) else {
        return PayloadDifference(pointer: "\(pointer)/\(name)", expected: text(value), found: "nothing")
      }
      if let difference = first(value, twin, at: "\(pointer)/\(name)") { return difference }
    }
    for (name, value) in others where found[name] != nil {
      return PayloadDifference(pointer: "\(pointer)/\(name)", expected: "nothing", found: text(value))
    }
    return nil
  }

  private static func firstElement(_ one: JSONValue, _ other: JSONValue, at pointer: String) -> PayloadDifference? {
    guard let elements = try? one.array(), let others = try? other.array() else { return nil }
    let (expected, found) = (Array(elements), Array(others))
    for index in 0..<min(expected.count, found.count) {
      if let difference = first(expected[index], found[index], at: "\(pointer)/\(index)") { return difference }
    }
    guard expected.count != found.count else { return nil }
    return PayloadDifference(
      pointer: pointer, expected: "\(expected.count) elements", found: "\(found.count) elements")
  }

  private static func text(_ value: JSONValue) -> String { String(decoding: value.rawBytes, as: UTF8.self) }
}
