public import Crypto
public import Ledger

/// The ids of commands that Kauri gives by itself, such as the expiry of a hold.
///
/// They follow from what the command is about, so that several servers, and one that tries again, give the same command
/// and not another. They follow under a key that no client has: whoever could tell the id beforehand could give a
/// command of his own under it, and Kauri's would never be taken.
public struct OwnCommandIDs: Sendable {
  private let hash: HMAC<SHA256>

  public init(key: SymmetricKey) {
    hash = HMAC(key: key)
  }

  /// The id of the expiry of `hold`, a UUID of version 8 (RFC 9562, section 5.8).
  ///
  /// - Parameter attempt: from 0; the next one is for when an id is taken all the same.
  public func expiry(of hold: HoldID, attempt: Int) -> CommandID {
    var hash = hash
    hash.update(data: Array("kauri expires hold \(hold) \(attempt)".utf8))
    let (high, low) = hash.finalize().withUnsafeBytes { bytes in
      (
        bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self).bigEndian,
        bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian
      )
    }
    return Identifier(
      high: high & 0xFFFF_FFFF_FFFF_0FFF | 0x8000, low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
  }
}
