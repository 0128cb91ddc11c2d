import Crypto

/// What tokens are remembered by. The token itself isn't kept: whoever reads this memory can't use it.
struct TokenHash: Hashable, Sendable {
  private let words: (UInt64, UInt64, UInt64, UInt64)

  init(_ token: [UInt8]) {
    words = SHA256.hash(data: token).withUnsafeBytes { bytes in
      (
        bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
        bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
      )
    }
  }

  static func == (left: TokenHash, right: TokenHash) -> Bool { left.words == right.words }

  func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
  }
}

/// Tokens that have been verified, in two halves: those used lately, and those before them, which go when the first
/// half is full. So it is bounded, and a token in use is never forgotten.
struct TokenCache {
  private let capacity: Int
  private var young: [TokenHash: VerifiedToken] = [:]
  private var old: [TokenHash: VerifiedToken] = [:]

  /// - Parameter capacity: tokens kept, at most.
  init(capacity: Int) {
    self.capacity = max(2, capacity)
  }

  var count: Int { young.count + old.count }

  mutating func find(_ hash: TokenHash) -> VerifiedToken? {
    if let token = young[hash] { return token }
    guard let token = old.removeValue(forKey: hash) else { return nil }
    insert(token, hash)
    return token
  }

  mutating func insert(_ token: VerifiedToken, _ hash: TokenHash) {
    if young.count >= capacity / 2 {
      old = young
      young = [:]
    }
    young[hash] = token
  }

  mutating func remove(_ hash: TokenHash) {
    young[hash] = nil
    old[hash] = nil
  }

  mutating func removeAll() {
    young = [:]
    old = [:]
  }
}
