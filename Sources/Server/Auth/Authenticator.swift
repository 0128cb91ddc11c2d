import HTTPTypes
public import EventStore
public import Ledger
import Synchronization

/// Tells who sends a request, by its bearer token (RFC 6750).
public final class Authenticator: Sendable {
  private struct State: ~Copyable {
    var keys: KeySet?
    var cache: TokenCache
  }

  private let state: Mutex<State>
  private let verifier: TokenVerifier
  private let now: @Sendable () -> Moment

  /// - Parameters:
  ///   - keys: nil until they have been loaded; until then nobody is let in.
  ///   - capacity: verified tokens remembered, at most.
  public init(
    keys: KeySet?, expectations: TokenExpectations, capacity: Int = 65_536,
    now: @escaping @Sendable () -> Moment = { .now }
  ) {
    state = Mutex(State(keys: keys, cache: TokenCache(capacity: capacity)))
    verifier = TokenVerifier(expectations)
    self.now = now
  }

  public var hasKeys: Bool { state.withLock { $0.keys != nil } }

  /// Tokens that are remembered.
  package var remembered: Int { state.withLock { $0.cache.count } }

  /// Takes up new keys. What was verified with the old ones is forgotten: a key may have been withdrawn.
  public func replace(_ keys: KeySet) {
    state.withLock { state in
      state.keys = keys
      state.cache.removeAll()
    }
  }

  /// - Throws: `unauthenticated`, with a `WWW-Authenticate` that says why.
  package func caller(of header: String?) throws(Problem) -> Actor { try bearer(of: header).actor }

  /// Who sends the request, and until when the token says so.
  ///
  /// - Throws: as `caller(of:)` does.
  func bearer(of header: String?) throws(Problem) -> VerifiedToken {
    guard let header else { throw refusal(nil) }
    // The scheme's name is case-insensitive (RFC 9110, section 11.1).
    guard header.utf8.count > 7, header.prefix(7).lowercased() == "bearer " else { throw refusal(nil) }
    let token = Array(header.utf8.dropFirst(7).drop { $0 == UInt8(ascii: " ") })
    let hash = TokenHash(token)
    let now = now()
    let (known, keys) = state.withLock { ($0.cache.find(hash), $0.keys) }
    if let known {
      guard known.expires > now else {
        state.withLock { $0.cache.remove(hash) }
        throw refusal(.expired)
      }
      return known
    }
    guard let keys else { throw refusal(.unknownKey) }
    do {
      let verified = try verifier.verify(token, with: keys, at: now)
      state.withLock { $0.cache.insert(verified, hash) }
      return verified
    } catch {
      throw refusal(error)
    }
  }

  private func refusal(_ fault: TokenFault?) -> Problem {
    let challenge = fault.map { #"Bearer realm="kauri", error="invalid_token", error_description="\#($0.rawValue)""# }
    return Problem(
      .unauthenticated, fault.map { "The request can't be let in: \($0.rawValue)." },
      headers: [.wwwAuthenticate: challenge ?? #"Bearer realm="kauri""#])
  }
}
