import JWTKit
import Ledger

/// Who a token says its bearer is, and for how long.
struct VerifiedToken: Sendable {
  let actor: Actor
  let expires: Moment
}

/// Why a token isn't honoured. Told to its bearer, for it is his own token; logged nowhere.
enum TokenFault: String, Error {
  case malformed = "the token is not a signed JWT"
  case algorithm = "the token's algorithm is not one that is honoured"
  case unknownKey = "the token names a key that is not known"
  case signature = "the token's signature is not valid"
  case claims = "the token's claims are not what they must be"
  case expired = "the token has expired"
  case notYet = "the token is not valid yet"
  case issuer = "the token's issuer is not the one trusted here"
  case audience = "the token is not meant for this server"
}

/// What tokens must say to be honoured.
public struct TokenExpectations: Sendable {
  public var issuer: String
  public var audience: String

  public init(issuer: String, audience: String) {
    self.issuer = issuer
    self.audience = audience
  }
}

/// Verifies a JSON Web Token (RFC 7519, with the advice of RFC 8725): strictly parsed, signed by a known key with that
/// key's own algorithm, and with claims that fit.
struct TokenVerifier {
  let expectations: TokenExpectations
  /// How far the issuer's clock may be ahead, in microseconds.
  private let leeway: Int64 = 5_000_000
  private static let lengthMaximum = 8_192

  init(_ expectations: TokenExpectations) {
    self.expectations = expectations
  }

  func verify(_ token: [UInt8], with keys: KeySet, at now: Moment) throws(TokenFault) -> VerifiedToken {
    guard token.count <= Self.lengthMaximum else { throw .malformed }
    let parts = token.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
      let signature = Base64URL.decode(parts[2])
    else { throw .malformed }
    let key = try key(for: header, in: keys)
    let signed = token[parts[0].startIndex..<parts[1].endIndex]
    guard (try? key.algorithm.verify(signature, signs: signed)) == true else { throw .signature }
    return try read(payload, at: now)
  }

  private func key(for header: [UInt8], in keys: KeySet) throws(TokenFault) -> KeySet.Key {
    let algorithm: String
    let id: String?
    do {
      var object = try JSONDocument(header).root.object()
      algorithm = try object.required("alg").string()
      id = try object.optional("kid")?.string()
      // What `crit` names must be understood (RFC 7515, section 4.1.11), and no extension is.
      guard try object.optional("crit") == nil else { throw TokenFault.algorithm }
    } catch let fault as TokenFault {
      throw fault
    } catch {
      throw .malformed
    }
    guard algorithm == "EdDSA" || algorithm == "ES256" else { throw .algorithm }
    guard let key = keys.key(id) else { throw .unknownKey }
    guard key.name == algorithm else { throw .algorithm }
    return key
  }

  private func read(_ payload: [UInt8], at now: Moment) throws(TokenFault) -> VerifiedToken {
    let role: Role
    let subject: String
    let expires: Moment
    let starts: Moment?
    do {
      var object = try JSONDocument(payload).root.object()
      guard try object.required("iss").string() == expectations.issuer else { throw TokenFault.issuer }
      guard try audiences(try object.required("aud")).contains(expectations.audience) else { throw TokenFault.audience }
      expires = try moment(try object.required("exp"))
      starts = try object.optional("nbf").map(moment)
      role = try object.required("role").choice(Role.self)
      subject = try object.required("sub").string()
    } catch let fault as TokenFault {
      throw fault
    } catch {
      throw .claims
    }
    guard expires > now else { throw .expired }
    if let starts, starts.microseconds - leeway > now.microseconds { throw .notYet }
    // Kauri acts as itself without a token, and a customer is known by its id.
    guard role != .system, let actor = Actor(role: role, subject: subject), role != .customer || actor.customer != nil
    else { throw .claims }
    return VerifiedToken(actor: actor, expires: expires)
  }

  private func audiences(_ value: JSONValue) throws -> [String] {
    guard value.kind == .array else { return [try value.string()] }
    return try value.array().map { try $0.string() }
  }

  /// A NumericDate: seconds since 1970, perhaps with a fraction (RFC 7519, section 2).
  private func moment(_ value: JSONValue) throws(TokenFault) -> Moment {
    guard value.kind == .number, let seconds = Double(String(decoding: value.rawBytes, as: UTF8.self)),
      abs(seconds) < 253_402_300_800
    else { throw .claims }
    return Moment(microseconds: Int64(seconds * 1_000_000))
  }
}
