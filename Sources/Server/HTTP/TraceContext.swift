import Ledger

/// A place in a distributed trace, as the header `traceparent` gives it (W3C Trace Context, section 3.2).
struct TraceContext: Hashable, Sendable {
  /// Sixteen bytes, never all zero. It becomes the correlation id of the commands that the request gives.
  let traceID: Identifier
  /// Eight bytes, never all zero.
  let parentID: UInt64
  let flags: UInt8

  /// - Returns: nil for anything but a valid header; the standard has the receiver go on without a trace then.
  init?(_ header: String) {
    let text = Array(header.utf8)
    guard text.count >= 55, text[2] == TraceContext.dash, text[35] == TraceContext.dash,
      text[52] == TraceContext.dash, let version = TraceContext.number(text[0..<2]), version != 0xFF,
      version == 0 ? text.count == 55 : text.count == 55 || text[55] == TraceContext.dash,
      let high = TraceContext.number(text[3..<19]), let low = TraceContext.number(text[19..<35]),
      let parent = TraceContext.number(text[36..<52]), let flags = TraceContext.number(text[53..<55]),
      high != 0 || low != 0, parent != 0
    else { return nil }
    traceID = Identifier(high: high, low: low)
    parentID = parent
    self.flags = UInt8(truncatingIfNeeded: flags)
  }

  private init(traceID: Identifier, parentID: UInt64, flags: UInt8) {
    self.traceID = traceID
    self.parentID = parentID
    self.flags = flags
  }

  /// This server's own span in the trace.
  func child() -> TraceContext {
    TraceContext(traceID: traceID, parentID: .random(in: 1...UInt64.max), flags: flags)
  }

  /// The thirty-two hexadecimal digits that logs know a trace by.
  var traceText: String {
    TraceContext.text(traceID.high, digits: 16) + TraceContext.text(traceID.low, digits: 16)
  }

  var header: String {
    "00-\(traceText)-\(TraceContext.text(parentID, digits: 16))-\(TraceContext.text(UInt64(flags), digits: 2))"
  }

  private static let dash = UInt8(ascii: "-")

  /// The standard allows lower-case digits only.
  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    return value
  }

  private static func text(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}
