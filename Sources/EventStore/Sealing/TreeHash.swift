import Crypto
import Ledger

/// A node of the log's Merkle tree: 32 bytes of SHA-256 (FIPS 180-4). How a leaf is hashed and how a node is, the two
/// prefixes included that keep one from passing for the other, is RFC 6962, section 2.1.
public struct TreeHash: Hashable, Sendable {
  /// Bytes.
  public static let length = 32

  /// The bytes as they lie in memory: a value, because millions of them are made in a run.
  private var words: (UInt64, UInt64, UInt64, UInt64)

  /// The root of a log without events: the hash of nothing.
  public static let empty = TreeHash(hashing: UnsafeRawBufferPointer(start: nil, count: 0))

  /// - Returns: nil unless there are exactly 32 bytes.
  public init?(_ bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    guard bytes.count == TreeHash.length else { return nil }
    words = bytes.withUnsafeBytes { $0.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self) }
  }

  /// From base64, as proofs and checkpoints have it.
  ///
  /// - Returns: nil for anything but the canonical base64 of 32 bytes.
  public init?(base64 text: String) {
    guard let bytes = Base64.decode(text) else { return nil }
    self.init(bytes)
  }

  /// SHA-256 of `bytes` and nothing else.
  init(hashing bytes: UnsafeRawBufferPointer) {
    var hasher = SHA256()
    hasher.update(bufferPointer: bytes)
    words = hasher.finalize().withUnsafeBytes { $0.loadUnaligned(as: (UInt64, UInt64, UInt64, UInt64).self) }
  }

  /// The leaf of an entry: SHA-256(0x00 ‖ entry).
  public static func leaf(_ entry: [UInt8]) -> TreeHash {
    ([0x00] + entry).withUnsafeBytes { TreeHash(hashing: $0) }
  }

  /// The node above two others: SHA-256(0x01 ‖ left ‖ right).
  public static func node(_ left: TreeHash, _ right: TreeHash) -> TreeHash {
    withUnsafeTemporaryAllocation(byteCount: 1 + 2 * TreeHash.length, alignment: 8) { entry in
      entry.storeBytes(of: 0x01, as: UInt8.self)
      entry.storeBytes(of: left.words, toByteOffset: 1, as: (UInt64, UInt64, UInt64, UInt64).self)
      entry.storeBytes(
        of: right.words, toByteOffset: 1 + TreeHash.length, as: (UInt64, UInt64, UInt64, UInt64).self)
      return TreeHash(hashing: UnsafeRawBufferPointer(entry))
    }
  }

  public var bytes: [UInt8] {
    withUnsafeBytes(of: words) { Array($0) }
  }

  public var base64: String { Base64.encode(bytes) }

  func append(to bytes: inout [UInt8]) {
    withUnsafeBytes(of: words) { bytes.append(contentsOf: $0) }
  }

  public static func == (left: TreeHash, right: TreeHash) -> Bool { left.words == right.words }

  /// A part will do: nobody can choose a hash.
  public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

extension TreeHash: CustomStringConvertible {
  /// In hexadecimal digits, as `sha256sum` gives it.
  public var description: String {
    String(
      decoding: bytes.flatMap { [TreeHash.digits[Int($0 >> 4)], TreeHash.digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static let digits = Array("0123456789abcdef".utf8)
}
