/// The fields of an object, taken by name, with an account of which were taken.
///
/// A decoder takes each field that it knows and then calls `finish()`, which refuses those that nobody asked for.
/// Fields may come in any order; asked for in the order that they have, each is found at once.
public struct JSONObject: Sequence, Sendable {
  private let tape: JSONTape
  private let index: UInt32
  private let root: UInt32
  private let base: UInt32
  /// The token of the name that is tried first, and its place among the names.
  private var expected: UInt32
  private var expectedPlace: UInt32 = 0
  /// A bit for each field that was asked for.
  private var taken: UInt64 = 0

  init(_ value: JSONValue) {
    tape = value.tape
    index = value.index
    root = value.root
    base = value.base
    expected = value.index + 1
  }

  /// The object itself, for a fault of the whole.
  public var value: JSONValue { value(at: index) }

  /// How many fields there are.
  public var count: Int { tape.tokens[Int(index)].count }
  public var underestimatedCount: Int { count }

  /// The value of a field that has to be there and not be null.
  public mutating func required(_ key: StaticString) throws(JSONFault) -> JSONValue {
    guard let found = find(key), !found.isNull else { throw fault(key, "is required") }
    return found
  }

  /// The value of a field, or nil when it isn't there or is null.
  public mutating func optional(_ key: StaticString) throws(JSONFault) -> JSONValue? {
    guard let found = find(key), !found.isNull else { return nil }
    return found
  }

  /// The fault of a field, which need not be there.
  public func fault(_ key: StaticString, _ reason: String) -> JSONFault {
    var copy = self
    if let found = copy.find(key) { return found.fault(reason) }
    let whole = value.fault(reason)
    var pointer = whole.pointer
    JSONPointer.append("\(key)", to: &pointer)
    return JSONFault(pointer: pointer, offset: whole.offset, reason: reason)
  }

  /// Ends the reading of the object.
  ///
  /// - Throws: when a field wasn't asked for, a fault that points to the first such one.
  public func finish() throws(JSONFault) {
    let count = count
    let all = count == 64 ? UInt64.max : 1 << UInt64(count) - 1
    guard taken != all else { return }
    let unread = (~taken).trailingZeroBitCount
    var name = index + 1
    for _ in 0..<unread { name = tape.tokens[Int(name) + 1].next }
    throw value(at: name + 1).fault("is not a known field")
  }

  private func value(at index: UInt32) -> JSONValue {
    JSONValue(tape: tape, index: index, root: root, base: base)
  }

  private mutating func find(_ key: StaticString) -> JSONValue? {
    let end = tape.tokens[Int(index)].next
    if expected < end, isName(at: expected, key) { return take(expected, expectedPlace) }
    var name = index + 1
    var place: UInt32 = 0
    while name < end {
      if name != expected, isName(at: name, key) { return take(name, place) }
      name = tape.tokens[Int(name) + 1].next
      place += 1
    }
    return nil
  }

  private func isName(at name: UInt32, _ key: StaticString) -> Bool {
    let token = tape.tokens[Int(name)]
    // Most names aren't even as long.
    guard token.flag || Int(token.end - token.start) == key.utf8CodeUnitCount else { return false }
    return key.withUTF8Buffer { key in
      let key = UnsafeRawBufferPointer(key)
      if token.flag { return tape.unescaped(token).withUnsafeBytes { $0.holdsSameBytes(as: key) } }
      return tape.withBytes(token.range) { $0.holdsSameBytes(as: key) }
    }
  }

  private mutating func take(_ name: UInt32, _ place: UInt32) -> JSONValue {
    taken |= 1 << UInt64(place)
    expected = tape.tokens[Int(name) + 1].next
    expectedPlace = place + 1
    return value(at: name + 1)
  }
}

extension JSONObject {
  /// All fields with their names, in the order of the document, for objects whose names the sender chooses.
  public func makeIterator() -> Iterator {
    Iterator(object: value, position: index + 1)
  }

  public struct Iterator: IteratorProtocol, Sendable {
    fileprivate let object: JSONValue
    fileprivate var position: UInt32

    public mutating func next() -> (key: String, value: JSONValue)? {
      guard position < object.token.next else { return nil }
      let tokens = object.tape.tokens
      let name = tokens[Int(position)]
      let value = JSONValue(tape: object.tape, index: position + 1, root: object.root, base: object.base)
      position = tokens[Int(position) + 1].next
      return (object.tape.text(of: name), value)
    }
  }
}
