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
    Iterator(array: array, next: array.index + 1)
  }

  public struct Iterator: IteratorProtocol, Sendable {
    fileprivate let array: JSONValue
    fileprivate var next: UInt32

    public mutating func next() -> JSONValue? {
      guard next < array.token.next else { return nil }
      let element = JSONValue(tape: array.tape, index: next, root: array.root, base: array.base)
      next = array.tape.tokens[Int(next)].next
      return element
    }
  }
}
