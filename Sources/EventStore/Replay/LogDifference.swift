/// One place where the log isn't what it must be.
public struct LogDifference: Hashable, Sendable {
  /// Of the event; 0 for what stands beside the log and not in it.
  public var position: Int64
  /// The column, and within a payload the JSON pointer; or what else was compared.
  public var field: String
  public var expected: String
  public var found: String

  public init(position: Int64, field: String, expected: String, found: String) {
    self.position = position
    self.field = field
    self.expected = LogDifference.short(expected)
    self.found = LogDifference.short(found)
  }

  /// A payload may hold a whole list of names: what is shown of a value is enough to find it.
  private static func short(_ text: String) -> String {
    text.utf8.count <= 400 ? text : "\(text.prefix(397))..."
  }
}

extension LogDifference: CustomStringConvertible {
  public var description: String {
    let place = position > 0 ? "event \(position)" : "beside the log"
    return "\(place): \(field): expected \(expected), found \(found)"
  }
}

/// Differences as they are found: all are counted, the first of them are kept.
public struct LogDifferences: Sendable {
  public let kept: Int
  public private(set) var total = 0
  private var list: [LogDifference] = []

  /// - Parameter kept: how many are kept at most.
  public init(keeping kept: Int = 100) {
    self.kept = kept
  }

  public mutating func add(_ position: Int64, _ field: String, expected: String, found: String) {
    add(LogDifference(position: position, field: field, expected: expected, found: found))
  }

  mutating func add(_ difference: LogDifference) {
    total += 1
    if list.count < kept { list.append(difference) }
  }

  /// Notes a difference if the two aren't the same. Texts are made only then: nearly all are the same, and a log has
  /// millions of them.
  mutating func compare<Value: Equatable>(
    _ position: Int64, _ field: @autoclosure () -> String, expected: Value, found: Value,
    _ text: (Value) -> String = { String(describing: $0) }
  ) {
    if expected != found { add(position, field(), expected: text(expected), found: text(found)) }
  }

  /// Those that were kept, in the order of their positions; what stands beside the log comes last.
  public var sorted: [LogDifference] {
    list.enumerated().sorted { one, other in
      let (a, b) = (one.element.position, other.element.position)
      if a == b { return one.offset < other.offset }
      return a == 0 ? false : b == 0 ? true : a < b
    }.map(\.element)
  }
}
