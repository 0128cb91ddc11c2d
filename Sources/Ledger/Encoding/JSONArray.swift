/// The elements of an array, in order.
public struct JSONArray: Sequence, Sendable {
  private let array: JSONValue

  init(_ array: JSONValue) {
    self.array = array
  }

  /// How many elements there are.
  public var count: Int { array.token.count }
  public var isEmpty: Bool { count == 0 }
  public var underestimatedCount: Int { count }

  public func makeIterator() -> Iterator {
    Iterator(array: array, position: array.index + 1)
  }

  public struct Iterator: IteratorProtocol, Sendable {
    fileprivate let array: JSONValue
    fileprivate var position: UInt32

    public mutating func next() -> JSONValue? {
      guard position < array.token.next else { return nil }
      let element = JSONValue(tape: array.tape, index: position, root: array.root, base: array.base)
      position = array.tape.tokens[Int(position)].next
      return element
    }
  }
}
