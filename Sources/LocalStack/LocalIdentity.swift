import Crypto
import FoundationEssentials
import JWTKit

/// The keys and the bearer tokens of a local stack. Only the servers that `kauri dev` starts honour them.
///
/// | file in the data directory | what | mode |
/// | --- | --- | --- |
/// | `keys/signing.jwk` | the private Ed25519 key, made once | 0600 |
/// | `keys/jwks.json` | its public half, for `kauri serve --jwks` | 0644 |
/// | `keys/master.key` | 32 random bytes that wrap the customers' keys, made once, never overwritten | 0600 |
/// | `keys/checkpoint.key` | the Ed25519 key that checkpoints are signed with, made once, never overwritten | 0600 |
/// | `checkpoint.pub` | its public half, for `kauri verify-receipt --key` | 0644 |
/// | `tokens/operator` … | a token each, made anew at every start | 0600 |
public struct LocalIdentity: Sendable {
  /// What a token's bearer may do.
  public enum Role: String, Sendable, CaseIterable {
    /// Sees and debits what is theirs; the subject is the customer's id.
    case customer
    /// The bank's staff.
    case `operator`
    /// Another system, such as the one that writes scores back.
    case service
    /// Reads everything, changes nothing.
    case auditor
  }

  /// Whom the tokens' files speak for, with subjects that never change.
  public static let standingSubjects: [(name: String, role: Role, subject: String)] = [
    ("operator", .operator, "01900000-0000-7000-8000-000000000001"),
    ("operator2", .operator, "01900000-0000-7000-8000-000000000002"),
    ("service", .service, "01900000-0000-7000-8000-000000000003"),
    ("auditor", .auditor, "01900000-0000-7000-8000-000000000004"),
  ]
  /// The tokens' `iss`.
  public static let issuer = "kauri-local"
  /// The tokens' `aud`.
  public static let audience = "kauri"

  /// The stack's data directory.
  public let directory: String
  /// The file with the public key, as RFC 7517's JWK Set.
  public var jwksFile: String { "\(directory)/keys/jwks.json" }
  /// The file with the master key.
  public var masterKeyFile: String { "\(directory)/keys/master.key" }
  /// The file with the key that checkpoints are signed with.
  public var checkpointKeyFile: String { "\(directory)/keys/checkpoint.key" }
  /// The file with its public half, for whoever checks receipts and checkpoints.
  public var checkpointPublicKeyFile: String { "\(directory)/checkpoint.pub" }
  /// The signing key's id: its thumbprint (RFC 7638).
  public let keyID: String

  private let key: Curve25519.Signing.PrivateKey
  private var keyFile: String { Self.keyFile(directory) }

  /// Makes sure that a book which is there already has its master key: with a new one, none of its personal text could
  /// ever be opened again. Makes nothing.
  ///
  /// - Throws: ``LocalStackError`` when the key is missing.
  static func requireMasterKey(in directory: String) throws {
    let path = "\(directory)/keys/master.key"
    guard !Files.exists(path) else { return }
    throw LocalStackError.failed(
      "\(path) is missing: put it back",
      detail: "a new key couldn't open the personal text in this book. Nothing was changed")
  }

  /// Takes up the keys in a data directory, and makes those that are missing.
  ///
  /// - Throws: ``LocalStackError`` when a key can't be written, or one that is there can't be read.
  public static func prepare(in directory: String) throws -> LocalIdentity {
    try Files.makeDirectory("\(directory)/keys", mode: 0o700)
    if !Files.exists(keyFile(directory)) {
      let file = try PrivateKeyFile(Curve25519.Signing.PrivateKey()).encoded()
      try Files.write(file, to: keyFile(directory), mode: 0o600)
    }
    let identity = try load(from: directory)
    try Files.write(identity.jwks + "\n", to: identity.jwksFile, mode: 0o644)
    if !Files.exists(identity.masterKeyFile) {
      let masterKey = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
      try Files.write(masterKey, to: identity.masterKeyFile, mode: 0o600)
    }
    try identity.prepareCheckpointKey()
    return identity
  }

  private func prepareCheckpointKey() throws {
    if !Files.exists(checkpointKeyFile) {
      let key = Curve25519.Signing.PrivateKey().rawRepresentation
      try Files.write(Array(key), to: checkpointKeyFile, mode: 0o600)
    }
    guard let bytes = try? Data(contentsOf: URL(filePath: checkpointKeyFile)),
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
    else {
      throw LocalStackError.failed("the checkpoint key \(checkpointKeyFile) can't be used", detail: "it isn't 32 bytes")
    }
    let line = "ed25519 \(Data(key.publicKey.rawRepresentation).base64EncodedString())\n"
    try Files.write(line, to: checkpointPublicKeyFile, mode: 0o644)
  }

  /// Takes up the keys that ``prepare(in:)`` has made. Makes nothing.
  ///
  /// - Throws: ``LocalStackError`` when there are none.
  public static func load(from directory: String) throws -> LocalIdentity {
    guard let text = Files.read(keyFile(directory)) else {
      throw LocalStackError.failed(
        "no local keys in \(directory)", detail: "kauri dev makes them; start it there once")
    }
    return LocalIdentity(directory: directory, key: try PrivateKeyFile.decoded(text, from: keyFile(directory)))
  }

  private init(directory: String, key: Curve25519.Signing.PrivateKey) {
    self.directory = directory
    self.key = key
    // RFC 7638 section 3: the required members only, in lexicographic order, without white space.
    let canonical = #"{"crv":"Ed25519","kty":"OKP","x":"\#(Self.base64URL(key.publicKey.rawRepresentation))"}"#
    self.keyID = Self.base64URL(Data(SHA256.hash(data: Data(canonical.utf8))))
  }

  /// The public key, as RFC 7517's JWK Set.
  public var jwks: String {
    let x = Self.base64URL(key.publicKey.rawRepresentation)
    return #"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"\#(keyID)","x":"\#(x)"}]}"#
  }

  /// Mints a token that is good from now on.
  ///
  /// - Parameter lifetime: how long, to the second.
  public func mint(_ role: Role, subject: String, lifetime: Duration) async throws -> String {
    // Whole seconds, which every verifier can read.
    let now = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down))
    let claims = LocalClaims(
      sub: SubjectClaim(value: subject), role: role.rawValue, iss: IssuerClaim(value: Self.issuer),
      aud: AudienceClaim(value: Self.audience), iat: IssuedAtClaim(value: now),
      exp: ExpirationClaim(value: now.addingTimeInterval(Double(lifetime.components.seconds))),
      jti: IDClaim(value: UUID().uuidString.lowercased()))
    let signers = JWTKeyCollection()
    await signers.add(eddsa: EdDSA.PrivateKey(backing: key), kid: JWKIdentifier(string: keyID))
    return try await signers.sign(claims, kid: JWKIdentifier(string: keyID))
  }

  /// Mints the standing tokens, good for thirty days, and writes each to its file.
  ///
  /// - Returns: each file's path by the subject's name.
  @discardableResult
  public func writeTokens() async throws -> [String: String] {
    try Files.makeDirectory("\(directory)/tokens", mode: 0o700)
    var files: [String: String] = [:]
    for (name, role, subject) in Self.standingSubjects {
      let path = "\(directory)/tokens/\(name)"
      let token = try await mint(role, subject: subject, lifetime: .seconds(30 * 86_400))
      try Files.write(token, to: path, mode: 0o600)
      files[name] = path
    }
    return files
  }

  private static func keyFile(_ directory: String) -> String { "\(directory)/keys/signing.jwk" }

  fileprivate static func base64URL(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}

/// What a local token says.
private struct LocalClaims: JWTPayload {
  let sub: SubjectClaim
  let role: String
  let iss: IssuerClaim
  let aud: AudienceClaim
  let iat: IssuedAtClaim
  let exp: ExpirationClaim
  let jti: IDClaim

  func verify(using algorithm: some JWTAlgorithm) throws {
    try exp.verifyNotExpired()
    try aud.verifyIntendedAudience(includes: LocalIdentity.audience)
  }
}

/// An Ed25519 private key as RFC 8037's JWK.
private struct PrivateKeyFile: Codable {
  var kty = "OKP"
  var crv = "Ed25519"
  let x: String
  let d: String

  init(_ key: Curve25519.Signing.PrivateKey) {
    x = LocalIdentity.base64URL(key.publicKey.rawRepresentation)
    d = LocalIdentity.base64URL(key.rawRepresentation)
  }

  func encoded() throws -> String {
    String(decoding: try JSONEncoder().encode(self), as: UTF8.self) + "\n"
  }

  static func decoded(_ text: String, from path: String) throws -> Curve25519.Signing.PrivateKey {
    guard let file = try? JSONDecoder().decode(PrivateKeyFile.self, from: Data(text.utf8)),
      let bytes = file.keyBytes, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
    else { throw LocalStackError.failed("\(path) isn't a private Ed25519 key", detail: "") }
    return key
  }

  private var keyBytes: Data? {
    let padding = String(repeating: "=", count: (4 - d.count % 4) % 4)
    return Data(base64Encoded: d.replacing("-", with: "+").replacing("_", with: "/") + padding)
  }
}
