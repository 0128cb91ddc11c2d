import Ledger

/// Where a page of a list ended. Opaque to clients; it says which list it is of, so that it isn't taken for another's.
struct Cursor {
  enum List: UInt8 {
    case entriesNewestFirst = 1
    case entriesOldestFirst, holds, approvals, customers, declines, accessLog, accounts, sanctionsLists
  }

  /// - Parameter words: what the list's order is by, and what it was asked for.
  static func make(_ list: List, _ words: UInt64...) -> String {
    var bytes = [list.rawValue]
    for word in words { withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) } }
    return encode(bytes)
  }

  /// - Parameter name: what the list's order is by.
  static func make(_ list: List, name: String) -> String { encode([list.rawValue] + name.utf8) }

  private static func encode(_ bytes: [UInt8]) -> String {
    // As base64url (RFC 4648, section 5), which needs no escaping in a URL.
    String(
      Base64.encode(bytes).compactMap { character -> Character? in
        switch character {
        case "+": "-"
        case "/": "_"
        case "=": nil
        default: character
        }
      })
  }

  /// - Returns: as many words as `make` was given.
  static func read(_ text: String, _ list: List, words count: Int) throws(QueryFault) -> [UInt64] {
    let length = 1 + 8 * count
    guard let bytes = decode(text, list, atMost: length), bytes.count == length else { throw .badCursor }
    return (0..<count).map { word in
      bytes[(1 + 8 * word)..<(9 + 8 * word)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
  }

  /// - Returns: the name that `make` was given.
  static func readName(_ text: String, _ list: List) throws(QueryFault) -> String {
    guard let bytes = decode(text, list, atMost: 1 + 4 * FieldLimit.code)?.dropFirst(),
      let name = String(validating: bytes, as: UTF8.self), !bytes.contains(0)
    else { throw .badCursor }
    return name
  }

  private static func decode(_ text: String, _ list: List, atMost maximum: Int) -> [UInt8]? {
    guard text.utf8.count <= 2 * maximum else { return nil }
    var base64 = String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
    while !base64.utf8.count.isMultiple(of: 4) { base64 += "=" }
    guard let bytes = Base64.decode(base64), bytes.count <= maximum, bytes.first == list.rawValue else { return nil }
    return bytes
  }

  static func position(_ word: UInt64) throws(QueryFault) -> Int64 {
    guard let position = Int64(exactly: word) else { throw .badCursor }
    return position
  }
}

extension Page {
  /// A page of `limit` out of rows of which one more was asked for, to know whether there is a next page.
  init(_ rows: [Element], limit: Int, cursor: (Element) -> String) {
    let elements = Array(rows.prefix(limit))
    self.init(elements, next: rows.count > limit ? elements.last.map(cursor) : nil)
  }
}

/// Brings what a caller asked for into the range of a page.
func pageLimit(_ limit: Int) -> Int { min(max(1, limit), EntriesRequest.limitMaximum) }
