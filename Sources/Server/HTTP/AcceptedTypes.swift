import HTTPTypes

/// The media types that a client takes, and which of them it likes better (RFC 9110, section 12.5.1).
struct AcceptedTypes {
  /// How well a type is taken: by its weight in thousandths, and then by how exactly it was named.
  struct Rank: Comparable {
    let weight: Int
    /// 0 for `*/*`, 1 for `type/*`, 2 for the type by its name.
    let precision: Int

    static let refused = Rank(weight: 0, precision: 0)

    static func < (left: Rank, right: Rank) -> Bool {
      (left.weight, left.precision) < (right.weight, right.precision)
    }
  }

  private let ranges: [(name: String, rank: Rank)]

  /// - Parameter values: the fields `Accept`. None, or empty ones, take everything.
  init(_ values: [String]) {
    let members = values.flatMap { $0.split(separator: ",") }.map { AcceptedTypes.trimmed($0) }.filter { !$0.isEmpty }
    ranges = members.isEmpty ? [("*/*", Rank(weight: 1_000, precision: 0))] : members.map { AcceptedTypes.range($0) }
  }

  /// - Parameter type: `type/subtype` in small letters.
  func rank(of type: String) -> Rank {
    let kind = type.prefix { $0 != "/" }
    // What is said of a type most exactly is what counts, its refusal too.
    for name in [type, "\(kind)/*", "*/*"] {
      let ranks = ranges.filter { $0.name == name }.map(\.rank)
      if let best = ranks.max() { return best.weight > 0 ? best : .refused }
    }
    return .refused
  }

  /// Parameters of a type don't matter here: nothing comes in two of them.
  private static func range(_ member: Substring) -> (name: String, rank: Rank) {
    let parts = member.split(separator: ";", omittingEmptySubsequences: false).map { trimmed($0).lowercased() }
    let name = parts[0]
    let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { thousandths($0.dropFirst(2)) } ?? 1_000
    let precision = name == "*/*" ? 0 : name.hasSuffix("/*") ? 1 : 2
    return (name, Rank(weight: weight, precision: precision))
  }

  /// A weight from 0 to 1 with up to three digits behind the point; what isn't one counts as none given.
  private static func thousandths(_ text: Substring) -> Int {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let digits = parts.count == 2 ? parts[1] : ""
    guard parts[0] == "0", digits.utf8.count <= 3, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return 1_000
    }
    return Int(digits + String(repeating: "0", count: 3 - digits.utf8.count)) ?? 1_000
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var rest = text.drop { $0 == " " || $0 == "\t" }
    while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
    return rest
  }
}
