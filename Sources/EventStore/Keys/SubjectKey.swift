import Crypto
import FoundationEssentials
import Ledger

/// The key of one subject, ready for use: a customer's, or the book's own.
struct SubjectKey: Sendable {
  /// The length of the random key that everything else is derived from, in bytes.
  static let length = 32

  private let sealing: SymmetricKey
  /// Keyed already; a copy takes the data of one nonce.
  private let nonces: HMAC<SHA256>

  init(_ secret: SymmetricKey) {
    sealing = secret.derived("kauri personal text sealing 1")
    nonces = HMAC(key: secret.derived("kauri personal text nonces 1"))
  }

  /// Encrypts `text` with AES-256-GCM and gives nonce, ciphertext and tag.
  ///
  /// The nonce is a keyed hash of the place and of the text itself, so that the same decision gives the same bytes, and
  /// two texts never share a nonce, not even those that two branches of history have in the same place. The field's
  /// name is authenticated with the text: a sealed name can't be passed off as a reference.
  func seal(_ text: String, field: StaticString, command: CommandID, index: Int) throws -> [UInt8] {
    let text = Array(text.utf8)
    var place: [UInt8] = []
    place.reserveCapacity(32 + field.utf8CodeUnitCount + text.count)
    place.append(bigEndian: command.high)
    place.append(bigEndian: command.low)
    place.append(bigEndian: UInt64(truncatingIfNeeded: index))
    place.append(bigEndian: UInt64(field.utf8CodeUnitCount))
    field.withUTF8Buffer { place.append(contentsOf: $0) }
    place.append(contentsOf: text)
    var hash = nonces
    hash.update(data: place)
    let nonce = try AES.GCM.Nonce(data: Array(hash.finalize().prefix(12)))
    let box = try AES.GCM.seal(text, using: sealing, nonce: nonce, authenticating: field.bytes)
    var sealed: [UInt8] = []
    sealed.reserveCapacity(text.count + 28)
    sealed.append(contentsOf: box.nonce)
    sealed.append(contentsOf: box.ciphertext)
    sealed.append(contentsOf: box.tag)
    return sealed
  }

  /// Decrypts what `seal` made, or gives nil when it wasn't made with this key, for this field, or has been changed
  /// since.
  func open(_ sealed: [UInt8], field: StaticString) -> String? {
    guard let box = try? AES.GCM.SealedBox(combined: sealed),
      let text = try? AES.GCM.open(box, using: sealing, authenticating: field.bytes)
    else { return nil }
    return String(validating: text, as: UTF8.self)
  }
}

extension SymmetricKey {
  /// Another key for another purpose (HKDF-SHA-256, RFC 5869), from which neither this one nor one for a third purpose
  /// follows.
  func derived(_ purpose: StaticString) -> SymmetricKey {
    HKDF<SHA256>.deriveKey(inputKeyMaterial: self, info: purpose.bytes, outputByteCount: 32)
  }
}

extension StaticString {
  var bytes: [UInt8] { withUTF8Buffer { Array($0) } }
}

extension [UInt8] {
  mutating func append(bigEndian value: UInt64) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }
}
