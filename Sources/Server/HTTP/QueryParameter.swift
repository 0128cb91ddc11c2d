/// A parameter that a route takes behind the question mark. One that no route names is refused.
struct QueryParameter: Hashable, Sendable {
  let name: String
  let about: String
  let schema: Schema
  let isRequired: Bool

  init(_ name: String, _ schema: Schema, _ about: String, isRequired: Bool = false) {
    self.name = name
    self.schema = schema
    self.about = about
    self.isRequired = isRequired
  }

  static let limitMaximum = 1_000
  static let limitDefault = 100

  static let atLeast = QueryParameter(
    "at_least", .integer(0...Int64.max),
    "Waits, for a bounded time, until the answer reflects this log position: a command's, to read your own write."
  )
  static let at = QueryParameter(
    "at", .string(pattern: "^([0-9]{1,19}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt].+)$"),
    "Looks back: a log position, or an RFC 3339 date-time. Nothing after it is counted.")
  static let cursor = QueryParameter(
    "cursor", .string(maxLength: 200), "Where the page starts: `next_cursor` of the page before.")
  static let limit = QueryParameter(
    "limit", .integer(1...Int64(limitMaximum)), "Items of a page, at most; \(limitDefault) when it isn't given.")
}

/// The parameters of one request, each known to its route and given once.
struct QueryValues: Sendable {
  private var values: [String: String] = [:]

  /// None.
  init() {}

  /// - Throws: `invalid_parameter` for one that the route doesn't have, that comes twice, or whose encoding is broken.
  init(_ query: String?, of parameters: [QueryParameter]) throws(Problem) {
    if let query, !query.isEmpty {
      for field in query.split(separator: "&", omittingEmptySubsequences: true) {
        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = PercentEncoding.decode(parts[0]), parameters.contains(where: { $0.name == name }) else {
          let known = parameters.map(\.name).joined(separator: ", ")
          throw Problem(
            .invalidParameter,
            known.isEmpty
              ? "This resource takes no query parameters." : "The query parameters taken here are: \(known).")
        }
        guard parts.count == 2, let value = PercentEncoding.decode(parts[1]), !value.utf8.contains(0) else {
          throw Problem(.invalidParameter, "\(name) has no value, or one that isn't UTF-8 text.")
        }
        guard values.updateValue(value, forKey: name) == nil else {
          throw Problem(.invalidParameter, "\(name) is given twice.")
        }
      }
    }
    for parameter in parameters where parameter.isRequired && values[parameter.name] == nil {
      throw Problem(.invalidParameter, "\(parameter.name) is required.")
    }
  }

  subscript(parameter: QueryParameter) -> String? { values[parameter.name] }

  /// An integer parameter within the range that its schema states.
  func integer(_ parameter: QueryParameter) throws(Problem) -> Int64? {
    guard let text = self[parameter] else { return nil }
    guard case .integer(let range) = parameter.schema, let value = Int64(text), range.contains(value),
      text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { throw Problem(.invalidParameter, "\(parameter.name) is \(parameter.schema.expectation).") }
    return value
  }

  /// How many items the page may have.
  func limit() throws(Problem) -> Int {
    try integer(.limit).map { Int($0) } ?? QueryParameter.limitDefault
  }
}
