/// What a request's `Accept` field asks for (RFC 9110, section 12.5.1).
struct AcceptedTypes {
  private struct MediaRange {
    var type: Substring
    /// 0 to 1; 0 for what isn't wanted.
    var quality: Double
  }

  private var ranges: [MediaRange] = []

  /// - Parameter field: nil or blank when everything is welcome.
  init(_ field: String?) {
    for part in (field ?? "").lowercased().split(separator: ",") {
      let pieces = part.split(separator: ";").map { $0.drop { $0 == " " || $0 == "\t" } }
      guard let type = pieces.first?.split(separator: " ").first else { continue }
      let quality = pieces.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
      ranges.append(MediaRange(type: type, quality: quality))
    }
    if ranges.isEmpty { ranges = [MediaRange(type: "*/*", quality: 1)] }
  }

  /// Whether a type is asked for by its own name, and how much.
  func named(_ type: String) -> Double? { ranges.last { $0.type == type }?.quality }

  /// How welcome a type is: the most exact range that it falls into decides; 0 when it isn't.
  func quality(of type: String) -> Double {
    let group = "\(type.prefix { $0 != "/" })/*"
    for wanted in [type, group, "*/*"] {
      if let quality = named(wanted) { return quality }
    }
    return 0
  }
}
