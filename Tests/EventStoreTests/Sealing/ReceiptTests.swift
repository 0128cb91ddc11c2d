import EventStore
import Ledger
import Testing

@Suite struct ReceiptTests {
  private static let key = CheckpointKey()

  /// A log of 40 rows; the receipt is for three of them, of one command.
  private static let receipt: Receipt = {
    var tree = GrownTree()
    var rows: [LogRow] = []
    for position in 1...40 as ClosedRange<Int64> {
      var row = LeafEncodingTests.row
      row.position = position
      row.commandID = Identifier(high: 1, low: (20...22).contains(position) ? 20 : UInt64(position))
      row.commandIndex = (20...22).contains(position) ? Int32(position - 20) : 0
      row.payload = Array("{\"n\":\"\(position)\"}".utf8)
      rows.append(row)
      tree.append(LeafEncoding.hash(of: row))
    }
    let checkpoint = Checkpoint(origin: "kauri.test/1", size: 40, root: tree.frontier.root)
    let entries = (20...22).compactMap { position -> Receipt.Entry? in
      let proof = try? SealedLog.inclusion(of: Int64(position), size: 40) { _ in tree.tiles }
      return proof.map {
        Receipt.Entry(row: LeafEncoding.bytes(of: rows[position - 1]), leaf: $0.leaf, proof: $0.hashes)
      }
    }
    return Receipt(position: 20, entries: entries, size: 40, checkpoint: (try? key.sign(checkpoint).note) ?? "")
  }()

  @Test func aGoodReceiptHolds() throws {
    let proved = try Self.receipt.verify(Self.key.publicKey)
    #expect(proved.rows.map(\.position) == [20, 21, 22] && proved.checkpoint.size == 40)
    #expect(String(decoding: proved.rows[1].payload, as: UTF8.self) == #"{"n":"21"}"#)
  }

  @Test func itGoesThroughJSON() throws {
    var json = JSONWriter()
    Self.receipt.write(to: &json)
    #expect(try Receipt(JSONDocument(json.bytes).root) == Self.receipt)
    let text = String(decoding: json.bytes, as: UTF8.self)
    for broken in [
      text.replacing(#""tree_size""#, with: #""size""#), text.replacing(#"{"position""#, with: #"{"x":1,"position""#),
      text.replacing(#""leaf_hash":""#, with: #""leaf_hash":"A"#), text.replacing(#""row":""#, with: #""row":"*"#),
      #"{"position":20,"tree_size":40,"checkpoint":"","events":[]}"#,
    ] {
      #expect(throws: JSONFault.self, "\(broken.prefix(80))") { try Receipt(JSONDocument(Array(broken.utf8)).root) }
    }
  }

  /// One bit changed anywhere: in every row, leaf, hash of a proof, and in the checkpoint.
  @Test func anyFlippedBitIsFound() throws {
    var generator = Seed.generator()
    func expectRefused(_ change: (inout Receipt) -> Void, _ what: String) {
      var broken = Self.receipt
      change(&broken)
      #expect(throws: ReceiptFault.self, "\(what)") { try broken.verify(Self.key.publicKey) }
    }
    for entry in Self.receipt.entries.indices {
      for place in Self.receipt.entries[entry].row.indices {
        let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
        expectRefused({ $0.entries[entry].row[place] ^= bit }, "row \(entry), byte \(place)")
      }
      expectRefused({ $0.entries[entry].leaf = Self.flip($0.entries[entry].leaf, &generator) }, "leaf \(entry)")
      for place in Self.receipt.entries[entry].proof.indices {
        expectRefused(
          { $0.entries[entry].proof[place] = Self.flip($0.entries[entry].proof[place], &generator) }, "proof \(place)")
      }
      expectRefused({ $0.entries[entry].proof.removeLast() }, "a proof cut short")
    }
    expectRefused({ $0.position += 1 }, "position")
    expectRefused({ $0.size += 1 }, "size")
    expectRefused({ $0.position = .max }, "position")
    expectRefused({ $0.entries.swapAt(0, 1) }, "order")
    expectRefused({ $0.checkpoint = $0.checkpoint.replacing("\n40\n", with: "\n41\n") }, "the checkpoint's size")
  }

  @Test func aPartOfACommandBeginsWithItsFirstEvent() throws {
    var receipt = Self.receipt
    receipt.entries.removeLast(2)
    #expect(try receipt.verify(Self.key.publicKey).rows.map(\.position) == [20])
    #expect(throws: ReceiptFault.checkpoint(.unknownSigner)) { try receipt.verify(CheckpointKey().publicKey) }
    receipt = Self.receipt
    receipt.entries.removeFirst(2)
    receipt.position = 22
    #expect(throws: ReceiptFault.otherIndex(position: 22, expected: 0, found: 2)) {
      try receipt.verify(Self.key.publicKey)
    }
  }

  private static func flip(_ hash: TreeHash, _ generator: inout SplitMix) -> TreeHash {
    var bytes = hash.bytes
    bytes[Int.random(in: 0..<32, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    return TreeHash(bytes) ?? hash
  }
}
