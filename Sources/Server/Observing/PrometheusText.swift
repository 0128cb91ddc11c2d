/// Prometheus' text exposition format, version 0.0.4.
struct PrometheusText {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private(set) var bytes: [UInt8] = []

  init() {
    bytes.reserveCapacity(16_384)
  }

  mutating func family(_ name: String, help: String?, kind: String) {
    if let help {
      line("# HELP \(name) \(PrometheusText.escaped(help, quotes: false))")
    }
    line("# TYPE \(name) \(kind)")
  }

  mutating func sample(_ name: String, _ labels: [PrometheusMetrics.Label], _ value: String) {
    guard !labels.isEmpty else { return line("\(name) \(value)") }
    let list = labels.map { "\($0.name)=\"\(PrometheusText.escaped($0.value, quotes: true))\"" }.joined(separator: ",")
    line("\(name){\(list)} \(value)")
  }

  private mutating func line(_ text: String) {
    bytes.append(contentsOf: text.utf8)
    bytes.append(UInt8(ascii: "\n"))
  }

  /// A metric's name: letters, digits, underscores and colons, no digit first.
  static func name(_ text: String) -> String { made(text, colons: true) }

  /// A label's name: letters, digits and underscores, no digit first.
  static func labelName(_ text: String) -> String { made(text, colons: false) }

  private static func made(_ text: String, colons: Bool) -> String {
    var name = ""
    for scalar in text.unicodeScalars {
      let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
      let isDigit = ("0"..."9").contains(scalar)
      if isDigit, name.isEmpty { name.append("_") }
      name.unicodeScalars.append(isLetter || isDigit || (colons && scalar == ":") ? scalar : "_")
    }
    return name.isEmpty ? "_" : name
  }

  /// As Go's strconv prints it where that differs from Swift: infinities, and whole numbers without a fraction.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
    return "\(value)"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
