import JWTKit
import Ledger

/// Why a file of keys can't be used.
public struct KeySetFault: Error, CustomStringConvertible {
  public let description: String
}

/// The public keys that tokens are verified with, from a JWK Set (RFC 7517): Ed25519 (RFC 8037) and P-256 (RFC 7518).
///
/// A key's algorithm follows from the key and never from a token, so that no token can choose how it is verified.
public struct KeySet: Sendable {
  struct Key: Sendable {
    /// `EdDSA` or `ES256`.
    let name: String
    let algorithm: any JWTAlgorithm
  }

  private let keys: [String: Key]

  /// - Throws: `KeySetFault` when the text isn't a set of public signing keys with ids, or holds none that is known
  ///   here.
  public init(json text: [UInt8]) async throws {
    var keys: [String: Key] = [:]
    do {
      var object = try JSONDocument(text).root.object()
      for value in try object.required("keys").array() {
        guard let (id, key) = try await KeySet.read(value) else { continue }
        guard keys.updateValue(key, forKey: id) == nil else { throw KeySetFault(description: "two keys have one kid") }
      }
    } catch let fault as JSONFault {
      throw KeySetFault(description: "not a JWK Set: \(fault.pointer) \(fault.reason)")
    }
    guard !keys.isEmpty else { throw KeySetFault(description: "no Ed25519 or P-256 signing key in it") }
    self.keys = keys
  }

  /// The key of a token's header; a token without `kid` is taken where there is one key only.
  func key(_ id: String?) -> Key? {
    if let id { return keys[id] }
    return keys.count == 1 ? keys.first?.value : nil
  }

  /// - Returns: nil for a key of another kind or for another use, which a set may well hold.
  private static func read(_ value: JSONValue) async throws -> (id: String, key: Key)? {
    var object = try value.object()
    if let use = try object.optional("use"), try use.string() != "sig" { return nil }
    if try object.optional("d") != nil { throw KeySetFault(description: "a private key is in it") }
    let kind = try object.required("kty").string()
    let curve = try object.optional("crv")?.string()
    let stated = try object.optional("alg")?.string()
    let collection = JWTKeyCollection()
    let name: String
    switch (kind, curve) {
    case ("OKP", "Ed25519"):
      name = "EdDSA"
      await collection.add(eddsa: try EdDSA.PublicKey(x: try object.required("x").string(), curve: .ed25519))
    case ("EC", "P-256"):
      name = "ES256"
      let parameters = (x: try object.required("x").string(), y: try object.required("y").string())
      await collection.add(ecdsa: try ES256PublicKey(parameters: parameters))
    default: return nil
    }
    guard stated == nil || stated == name else {
      throw KeySetFault(description: "a key's alg isn't one that its kind allows")
    }
    return (try object.required("kid").string(), Key(name: name, algorithm: try await collection.getKey()))
  }
}
