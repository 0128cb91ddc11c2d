extension JSONObject {
  /// An optional free text that may be personal.
  mutating func personalText(
    _ key: StaticString, in context: ReadingContext, maxLength: Int = FieldLimit.text
  ) throws(JSONFault) -> PersonalText? {
    guard let value = try optional(key) else { return nil }
    return try value.personalText(in: context, maxLength: maxLength)
  }

  /// The value of a field that has to be there; nil where it is null, which says something else than leaving it out.
  mutating func nullable(_ key: StaticString) throws(JSONFault) -> JSONValue? {
    if let value = try optional(key) { return value }
    guard contains(where: { $0.key == key.description }) else { throw fault(key, "is required; null for none") }
    return nil
  }

  /// An optional list of strings, empty when it is missing.
  mutating func strings(_ key: StaticString, maxCount: Int) throws(JSONFault) -> [String] {
    guard let value = try optional(key) else { return [] }
    var strings: [String] = []
    for element in try value.array() { strings.append(try element.string(maxLength: FieldLimit.text)) }
    guard strings.count <= maxCount else { throw value.fault("must hold at most \(maxCount) strings") }
    return strings
  }
}

extension JSONValue {
  func nonEmptyString(maxLength: Int) throws(JSONFault) -> String {
    let text = try string(maxLength: maxLength)
    guard !text.isEmpty else { throw fault("must not be empty") }
    return text
  }
}

extension JSONWriter {
  /// Writes nothing when the list is empty.
  mutating func field(_ key: StaticString, strings: [String]) {
    guard !strings.isEmpty else { return }
    self.key(key)
    beginArray()
    for text in strings { string(text) }
    endArray()
  }
}
