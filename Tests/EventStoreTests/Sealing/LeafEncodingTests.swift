import Crypto
import EventStore
import Foundation
import Ledger
import Testing

@Suite struct LeafEncodingTests {
  static let row = LogRow(
    position: 42, streamKind: "transfer",
    streamID: Identifier(high: 0x0190_1111_2222_7333, low: 0x8444_5555_6666_7777), streamVersion: 1,
    type: "TransferPosted", schemaVersion: 1, payload: Array(#"{"amount":"1250"}"#.utf8),
    commandID: Identifier(high: 0x0190_1111_2222_7333, low: 0x8444_5555_6666_7777), commandIndex: 0,
    actor: "operator:ana", causationID: nil,
    correlationID: Identifier(high: 0x0190_aaaa_bbbb_7ccc, low: 0x8ddd_eeee_ffff_0000),
    moment: 1_790_000_000_000_001, bookDate: 20_717, ruleSet: 1)

  /// The worked bytes of `docs/log-format.md`, read off the page: what it shows is what this build hashes.
  @Test func thePageShowsTheseBytes() throws {
    let page = try Self.page()
    let shown = try hexadecimal(block(after: "<!-- worked row -->", of: page))
    #expect(shown == LeafEncoding.bytes(of: Self.row))
    #expect(try LeafEncoding.row(from: shown) == Self.row)
    let leaf = try hexadecimal(block(after: "<!-- worked leaf -->", of: page))
    #expect(leaf == LeafEncoding.hash(of: Self.row).bytes)
    #expect(leaf == Array(SHA256.hash(data: [0] + shown)))
  }

  /// The note that the page shows is one that this build believes, and would sign.
  @Test func thePageShowsThisCheckpoint() throws {
    let page = try Self.page()
    let key = try #require(CheckpointPublicKey(line: String(try block(after: "<!-- worked key -->", of: page))))
    let note = String(try block(after: "<!-- worked checkpoint -->", of: page))
    let checkpoint = try key.verify(note: note)
    #expect(checkpoint.size == 1 && checkpoint.root == LeafEncoding.hash(of: Self.row))
    #expect(checkpoint.origin == Checkpoint.origin(book: Given.account, incarnation: 1))
    let seed = (0..<32).map { UInt8($0) }
    let expected = try Curve25519.Signing.PrivateKey(rawRepresentation: seed).publicKey.rawRepresentation
    #expect(key.bytes == Array(expected))
  }

  private static func page() throws -> String {
    try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/log-format.md"),
      encoding: .utf8)
  }

  @Test func everyColumnIsInTheBytesAndComesBack() throws {
    var rows = Self.variants
    rows.append(Self.row)
    let encoded = rows.map { LeafEncoding.bytes(of: $0) }
    #expect(Set(encoded).count == rows.count, "no two rows have the same bytes")
    #expect(Set(rows.map { LeafEncoding.hash(of: $0) }).count == rows.count)
    var hasher = LeafHasher()
    for (row, bytes) in zip(rows, encoded) {
      #expect(try LeafEncoding.row(from: bytes) == row)
      #expect(hasher.hash(of: row) == TreeHash.leaf(bytes))
    }
  }

  /// One column changed in each.
  static let variants: [LogRow] = {
    let other = Identifier(high: 1, low: 2)
    let changes: [(inout LogRow) -> Void] = [
      { $0.position = .max }, { $0.streamKind = "hold" }, { $0.streamID = other }, { $0.streamVersion = -1 },
      { $0.type = "HoldPlaced" }, { $0.schemaVersion = .min }, { $0.payload = [] }, { $0.payload.append(0) },
      { $0.commandID = other }, { $0.commandIndex = 7 }, { $0.actor = "operator:añ" }, { $0.causationID = other },
      { $0.correlationID = nil }, { $0.correlationID = .zero }, { $0.moment = -1 }, { $0.bookDate = .min },
      { $0.ruleSet = 2 },
      // What one column loses its neighbour gains.
      { ($0.streamKind, $0.type) = ("transfe", "rTransferPosted") },
      { ($0.causationID, $0.correlationID) = ($0.correlationID, $0.causationID) },
    ]
    return changes.map { change in
      var row = row
      change(&row)
      return row
    }
  }()

  @Test func whatIsNotARowIsRefusedWhereItBegins() throws {
    let bytes = LeafEncoding.bytes(of: Self.row)
    for length in 0..<bytes.count {
      #expect(throws: LeafEncodingFault.self) { try LeafEncoding.row(from: Array(bytes.prefix(length))) }
    }
    #expect(throws: LeafEncodingFault(offset: bytes.count, reason: "something follows the last column")) {
      try LeafEncoding.row(from: bytes + [0])
    }
    var newer = bytes
    newer[0] = 2
    #expect(throws: LeafEncodingFault(offset: 0, reason: "the version isn't 1")) {
      try LeafEncoding.row(from: newer)
    }
    // Whatever one byte becomes, it is refused, or it is the bytes of the row that it reads as.
    for place in bytes.indices {
      var changed = bytes
      changed[place] = 0xFF
      guard changed != bytes, let row = try? LeafEncoding.row(from: changed) else { continue }
      #expect(row != Self.row && LeafEncoding.bytes(of: row) == changed)
    }
  }

  @Test func rowsAreEqualByteForByte() {
    var row = Self.row
    // The Kelvin sign, which Unicode takes for a K.
    row.actor = "operator:\u{212A}ea"
    var other = row
    other.actor = "operator:Kea"
    #expect(row.actor == other.actor && row != other)
    for variant in Self.variants { #expect(variant != Self.row) }
  }

  private func block(after mark: String, of page: String) throws -> Substring {
    let start = try #require(page.range(of: mark)).upperBound
    let open = try #require(page[start...].range(of: "```\n")).upperBound
    return page[open..<(try #require(page[open...].range(of: "```")).lowerBound)]
  }

  /// What stands before each `;` of a block, as bytes.
  private func hexadecimal(_ block: Substring) throws -> [UInt8] {
    let digits = block.split(separator: "\n").flatMap { line in
      line.prefix { $0 != ";" }.filter { !$0.isWhitespace }
    }
    #expect(digits.count.isMultiple(of: 2))
    return try stride(from: 0, to: digits.count, by: 2).map { place in
      try #require(UInt8(String(digits[place...place + 1]), radix: 16))
    }
  }
}
