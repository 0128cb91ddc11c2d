import Crypto
import FoundationEssentials
import LocalStack
import Testing

/// The same process number, written down and read back.
enum JSON {
  static func encode(_ identity: ProcessIdentity) throws -> String {
    String(decoding: try JSONEncoder().encode(identity), as: UTF8.self)
  }

  static func decode(_ text: String) throws -> ProcessIdentity {
    try JSONDecoder().decode(ProcessIdentity.self, from: Data(text.utf8))
  }
}

@Suite struct LocalIdentityTests {
  @Test func secretsAreTheirOwnersAlone() async throws {
    try await Support.withDirectory { directory in
      let identity = try LocalIdentity.prepare(in: directory)
      let tokens = try await identity.writeTokens()
      #expect(tokens.keys.sorted() == ["auditor", "operator", "operator2", "service"])
      for path in tokens.values + ["\(directory)/keys/signing.jwk", identity.masterKeyFile] {
        #expect(Support.mode(of: path) == 0o600, "\(path)")
      }
      for path in ["\(directory)/keys", "\(directory)/tokens"] { #expect(Support.mode(of: path) == 0o700) }
      #expect(try Data(contentsOf: URL(filePath: identity.masterKeyFile)).count == 32)
    }
  }

  @Test func keysAreMadeOnce() async throws {
    try await Support.withDirectory { directory in
      let first = try LocalIdentity.prepare(in: directory)
      let masterKey = try Data(contentsOf: URL(filePath: first.masterKeyFile))
      let second = try LocalIdentity.prepare(in: directory)
      #expect(first.keyID == second.keyID && first.jwks == second.jwks)
      #expect(try Data(contentsOf: URL(filePath: second.masterKeyFile)) == masterKey)
    }
  }

  @Test func withoutKeysThereIsNoToken() async throws {
    try await Support.withDirectory { directory in
      #expect(throws: LocalStackError.self) { try LocalIdentity.load(from: directory) }
      let left = try Files.entries(of: directory)
      #expect(left == ["maker.json"])
    }
  }

  @Test(arguments: LocalIdentity.Role.allCases)
  func aTokenSaysWhoAndVerifiesAgainstTheKeySet(role: LocalIdentity.Role) async throws {
    try await Support.withDirectory { directory in
      let identity = try LocalIdentity.prepare(in: directory)
      let token = try await identity.mint(role, subject: "somebody", lifetime: .seconds(60))
      let parts = token.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      #expect(parts.count == 3)

      let set = try JSONDecoder().decode(KeySet.self, from: Data(contentsOf: URL(filePath: identity.jwksFile)))
      let header = try JSONDecoder().decode([String: String].self, from: base64URL(parts[0]))
      let jwk = try #require(set.keys.first { $0["kid"] == header["kid"] })
      #expect(header["alg"] == "EdDSA" && jwk["d"] == nil)
      let key = try Curve25519.Signing.PublicKey(rawRepresentation: base64URL(jwk["x"] ?? ""))
      let signature = try base64URL(parts[2])
      #expect(key.isValidSignature(signature, for: Data("\(parts[0]).\(parts[1])".utf8)))

      let claims = try JSONDecoder().decode(Claims.self, from: base64URL(parts[1]))
      #expect(claims.sub == "somebody" && claims.role == role.rawValue)
      #expect(claims.iss == "kauri-local" && claims.aud == "kauri")
      #expect(claims.exp - claims.iat == 60)
      #expect(abs(claims.iat - Date().timeIntervalSince1970) < 60)
      #expect(UUID(uuidString: claims.jti) != nil)
    }
  }

  private struct KeySet: Decodable {
    let keys: [[String: String]]
  }

  private struct Claims: Decodable {
    let sub, role, iss, aud, jti: String
    let iat, exp: Double
  }

  private func base64URL(_ text: String) throws -> Data {
    let padding = String(repeating: "=", count: (4 - text.count % 4) % 4)
    return try #require(
      Data(base64Encoded: text.replacing("-", with: "+").replacing("_", with: "/") + padding))
  }
}
