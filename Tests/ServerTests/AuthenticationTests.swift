import Crypto
import FoundationEssentials
import HTTPTypes
import HummingbirdTesting
import JWTKit
import Ledger
import Server
import Testing

@Suite struct AuthenticationTests {
  private static let path = "/v1/sanctions/lists"

  private func answer(_ bank: TestBank, _ header: String?) async throws -> TestAnswer {
    try await buildApplication(bank.parts).test(.router) { client in
      let caller = TestCaller(bank: bank, client: client)
      return try await caller.get(Self.path, as: nil, headers: header.map { [.authorization: $0] } ?? [:])
    }
  }

  private func expectRefused(_ bank: TestBank, _ header: String?, error: Bool = true) async throws {
    let answer = try await answer(bank, header)
    #expect(answer.status == .unauthorized, "\(header ?? "no header")")
    #expect(try answer.code == "unauthenticated")
    let challenge = try #require(answer.headers[.wwwAuthenticate])
    #expect(challenge.hasPrefix("Bearer "))
    #expect(challenge.contains("invalid_token") == error)
  }

  @Test func eitherAlgorithmIsHonoured() async throws {
    let bank = try await TestBank()
    for kid in ["ed", "p256"] {
      let token = try await bank.keys.token(TestClaims("operator", "me"), kid: kid)
      #expect(try await answer(bank, "Bearer \(token)").status == .ok)
      #expect(try await answer(bank, "bearer  \(token)").status == .ok)
    }
  }

  @Test func noTokenIsRefused() async throws {
    let bank = try await TestBank()
    for header in [nil, "", "Basic YTpi", "Bearer", "Token x"] { try await expectRefused(bank, header, error: false) }
    for token in ["x", "a.b", "a.b.c", "a.b.c.d", "..", String(repeating: "a", count: 9_000)] {
      try await expectRefused(bank, "Bearer \(token)")
    }
  }

  @Test func claimsThatDontFitAreRefused() async throws {
    let bank = try await TestBank()
    var cases: [TestClaims] = [
      TestClaims("operator", "me", expires: -1), TestClaims("system", "kauri"), TestClaims("king", "me"),
      TestClaims("customer", "not-an-id"), TestClaims("operator", ""), TestClaims("operator", "a b"),
      TestClaims("operator", String(repeating: "x", count: 200)),
    ]
    var claims = TestClaims("operator", "me")
    claims.iss = "somebody"
    cases.append(claims)
    claims = TestClaims("operator", "me")
    claims.aud = ["another"]
    cases.append(claims)
    claims = TestClaims("operator", "me")
    claims.nbf = Date().timeIntervalSince1970 + 600
    cases.append(claims)
    claims = TestClaims("operator", "me")
    claims.exp = nil
    cases.append(claims)
    for claims in cases { try await expectRefused(bank, "Bearer \(try await bank.keys.token(claims))") }
    claims = TestClaims("operator", "me")
    claims.aud = ["another", "kauri"]
    #expect(try await answer(bank, "Bearer \(try await bank.keys.token(claims))").status == .ok)
  }

  /// What attackers try with the header (RFC 8725, section 2).
  @Test func forgedTokensAreRefused() async throws {
    let bank = try await TestBank()
    let good = try await bank.keys.token("operator", "me")
    let parts = good.split(separator: ".").map(String.init)
    let payload = parts[1]
    func unsigned(_ header: String) -> String { TestKeys.base64URL(Data(header.utf8)) + "." + payload }

    let none = unsigned(#"{"alg":"none","kid":"ed"}"#)
    for token in [none + ".", none + ".AA", unsigned(#"{"alg":"None","kid":"ed"}"#) + "."] {
      try await expectRefused(bank, "Bearer \(token)")
    }
    // HMAC keyed with the public key, which anybody has.
    let secret = SymmetricKey(data: bank.keys.ed25519.publicKey.rawRepresentation)
    let hashed = unsigned(#"{"alg":"HS256","kid":"ed"}"#)
    let code = Data(HMAC<SHA256>.authenticationCode(for: Data(hashed.utf8), using: secret))
    try await expectRefused(bank, "Bearer \(hashed).\(TestKeys.base64URL(code))")
    // One key's signature under the other's algorithm or id, another key, and no such key.
    for header in [
      #"{"alg":"ES256","kid":"ed"}"#, #"{"alg":"EdDSA","kid":"p256"}"#, #"{"alg":"EdDSA","kid":"x"}"#,
      #"{"alg":"EdDSA"}"#, #"{"alg":"EdDSA","kid":"ed","crit":["exp"]}"#, #"{"alg":"EdDSA","alg":"EdDSA","kid":"ed"}"#,
      #"{"alg":"RS256","kid":"rsa"}"#,
    ] {
      let text = unsigned(header)
      let signature = try bank.keys.ed25519.signature(for: Data(text.utf8))
      try await expectRefused(bank, "Bearer \(text).\(TestKeys.base64URL(Data(signature)))")
    }
    let stranger = TestKeys()
    try await expectRefused(bank, "Bearer \(try await stranger.token("operator", "me"))")
    let other = try await bank.keys.token("operator", "somebody-else").split(separator: ".")[1]
    try await expectRefused(bank, "Bearer \(parts[0]).\(other).\(parts[2])")
    var bent = Array(parts[2])
    bent[5] = bent[5] == "A" ? "B" : "A"
    try await expectRefused(bank, "Bearer \(parts[0]).\(parts[1]).\(String(bent))")
    #expect(try await answer(bank, "Bearer \(good)").status == .ok)
  }

  @Test func aTokenIsForgottenWhenItExpires() async throws {
    let clock = TestClock()
    let keys = TestKeys()
    let authenticator = Authenticator(
      keys: try await keys.keySet(), expectations: TokenExpectations(issuer: "test-issuer", audience: "kauri"),
      now: { clock.now })
    let token = try await keys.token(TestClaims("operator", "me", expires: 100))
    #expect(try authenticator.caller(of: "Bearer \(token)").subject == "me")
    #expect(try authenticator.caller(of: "Bearer \(token)").subject == "me")
    clock.advance(seconds: 101)
    #expect(throws: Problem.self) { try authenticator.caller(of: "Bearer \(token)") }
  }

  @Test func newKeysTakeEffectAtOnce() async throws {
    let old = TestKeys()
    let new = TestKeys()
    let authenticator = Authenticator(
      keys: try await old.keySet(), expectations: TokenExpectations(issuer: "test-issuer", audience: "kauri"))
    let token = "Bearer \(try await old.token("operator", "me"))"
    #expect(try authenticator.caller(of: token).subject == "me")
    authenticator.replace(try await new.keySet())
    #expect(throws: Problem.self) { try authenticator.caller(of: token) }
    #expect(try authenticator.caller(of: "Bearer \(try await new.token("operator", "me"))").subject == "me")
  }

  @Test func manyTokensAreRememberedAndNotMore() async throws {
    let keys = TestKeys()
    let authenticator = Authenticator(
      keys: try await keys.keySet(), expectations: TokenExpectations(issuer: "test-issuer", audience: "kauri"),
      capacity: 8)
    for number in 0..<50 {
      let token = try await keys.token("operator", "person-\(number)")
      #expect(try authenticator.caller(of: "Bearer \(token)").subject == "person-\(number)")
    }
    #expect(authenticator.remembered <= 8)
  }

  @Test func setsOfKeysThatCantBeUsed() async throws {
    let x = TestKeys.base64URL(TestKeys().ed25519.publicKey.rawRepresentation)
    let key = #""kty":"OKP","crv":"Ed25519","x":"\#(x)""#
    for text in [
      "", "{}", "[]", #"{"keys":[]}"#, #"{"keys":[{"kty":"RSA","kid":"a"}]}"#, #"{"keys":[{\#(key)}]}"#,
      #"{"keys":[{\#(key),"kid":"a"},{\#(key),"kid":"a"}]}"#, #"{"keys":[{\#(key),"kid":"a","d":"AAAA"}]}"#,
      #"{"keys":[{\#(key),"kid":"a","alg":"HS256"}]}"#, #"{"keys":[{\#(key),"kid":"a","use":"enc"}]}"#,
      #"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA","kid":"a"}]}"#,
    ] {
      await #expect(throws: (any Error).self, "\(text)") { try await KeySet(json: Array(text.utf8)) }
    }
  }
}
