import Crypto
import FoundationEssentials
import JWTKit
import Ledger
import Server
import Testing

/// What a token of these tests says.
struct TestClaims: JWTPayload {
  var sub: String
  var role: String
  var iss = "test-issuer"
  var aud: [String] = ["kauri"]
  var exp: Double?
  var nbf: Double?

  init(_ role: String, _ subject: String, expires: Double = 3_600) {
    self.role = role
    sub = subject
    exp = Date().timeIntervalSince1970 + expires
  }

  func verify(using algorithm: some JWTAlgorithm) throws {}
}

/// Keys that the test's server trusts, and tokens signed with them.
struct TestKeys: Sendable {
  let ed25519 = Curve25519.Signing.PrivateKey()
  let p256 = ES256PrivateKey()

  /// The public halves, as the server reads them.
  func keySet() async throws -> KeySet { try await KeySet(json: Array(jwks().utf8)) }

  func jwks() throws -> String {
    let x = TestKeys.base64URL(ed25519.publicKey.rawRepresentation)
    let point = try #require(p256.publicKey.parameters)
    let (px, py) = (TestKeys.url(point.x), TestKeys.url(point.y))
    return """
      {"keys":[
        {"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"ed","x":"\(x)"},
        {"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"p256","x":"\(px)","y":"\(py)"},
        {"kty":"RSA","kid":"rsa","n":"AQAB","e":"AQAB"}
      ]}
      """
  }

  func token(_ claims: TestClaims, kid: String = "ed") async throws -> String {
    let signers = JWTKeyCollection()
    if kid == "p256" {
      await signers.add(ecdsa: p256, kid: JWKIdentifier(string: kid))
    } else {
      await signers.add(eddsa: EdDSA.PrivateKey(backing: ed25519), kid: JWKIdentifier(string: kid))
    }
    return try await signers.sign(claims, kid: JWKIdentifier(string: kid))
  }

  func token(_ role: String, _ subject: String) async throws -> String { try await token(TestClaims(role, subject)) }

  static func base64URL(_ data: Data) -> String { url(data.base64EncodedString()) }

  /// The URL's alphabet, without padding.
  static func url(_ text: String) -> String {
    text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}
