/// The documents of an NDJSON text: one a line, each good or bad by itself.
///
/// All lines share one copy of the text and one tape, so that a line costs no allocation of its own. A value taken from
/// one line therefore keeps the whole text in memory: take out what is needed, then let go.
public struct JSONLines: RandomAccessCollection, Sendable {
  /// One line that isn't blank.
  public struct Line: Sendable {
    /// Its number in the text, from 1, blank lines counted.
    public let number: Int
    /// Its document, or what is wrong with it; offsets count from the start of the line.
    public let document: Result<JSONDocument, JSONFault>
  }

  private struct Entry: Sendable {
    let number: Int
    let base: UInt32
    let root: Result<UInt32, JSONFault>
  }

  private let tape: JSONTape
  private let entries: [Entry]

  /// Reads every line. Lines end with LF or CR LF; the last one may have no end; those of spaces only are passed over.
  ///
  /// - Throws: a fault when there are more lines than `maximumCount`, or more bytes than a tape can count.
  public init(
    _ bytes: [UInt8], maximumCount: Int = 8_192, limits: JSONLimits = .standard
  ) throws(JSONFault) {
    guard bytes.count <= JSONDocument.maximumLength else { throw JSONDocument.tooLong }
    var tokens: [JSONToken] = []
    tokens.reserveCapacity(bytes.count / 10 + 8)
    let entries = bytes.withUnsafeBytes { text in
      JSONLines.scan(text, maximumCount: maximumCount, limits: limits, tokens: &tokens)
    }
    self.entries = try entries.get()
    tape = JSONTape(bytes: bytes, tokens: tokens)
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { entries.count }

  public subscript(position: Int) -> Line {
    let entry = entries[position]
    return Line(
      number: entry.number,
      document: entry.root.map { JSONDocument(tape: tape, rootIndex: $0, base: entry.base) })
  }

  private static func scan(
    _ text: UnsafeRawBufferPointer, maximumCount: Int, limits: JSONLimits, tokens: inout [JSONToken]
  ) -> Result<[Entry], JSONFault> {
    var entries: [Entry] = []
    var start = 0
    var number = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
      number += 1
      if !isBlank(text[start..<end]) {
        guard entries.count < maximumCount else {
          return .failure(JSONFault(pointer: "", offset: start, reason: "has more than \(maximumCount) lines"))
        }
        let root = tokens.count
        // The tokens move into the scanner and back, so that they are never shared and so never copied.
        var scanner = JSONScanner(text, from: start, to: end, limits: limits, tokens: tokens)
        tokens = []
        var result: Result<UInt32, JSONFault> = .success(UInt32(truncatingIfNeeded: root))
        do throws(JSONFault) {
          try scanner.scanDocument()
        } catch {
          scanner.tokens.removeSubrange(root...)
          result = .failure(error)
        }
        swap(&tokens, &scanner.tokens)
        entries.append(Entry(number: number, base: UInt32(truncatingIfNeeded: start), root: result))
      }
      start = end + 1
    }
    return .success(entries)
  }

  private static func isBlank(_ line: Slice<UnsafeRawBufferPointer>) -> Bool {
    line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
  }
}
