import Crypto
import FoundationEssentials
import LocalStack

/// A request that must be refused, and how.
struct BadInput {
  let about: String
  let request: [UInt8]
  let status: Int
  var code: String?
  /// The place of the fault in the content.
  var pointer: String?
}

extension ContractServer {
  private static let debtor = "01900000-0000-7000-8000-0000000000a1"
  private static let creditor = "01900000-0000-7000-8000-0000000000b1"

  private func transfer(_ amount: String, _ more: String = "") -> [UInt8] {
    let accounts = #""debit_account_id":"\#(Self.debtor)","credit_account_id":"\#(Self.creditor)""#
    return Array(#"{\#(accounts),"currency":"NZD","amount":\#(amount)\#(more)}"#.utf8)
  }

  private func transfer(reference: [UInt8]) -> [UInt8] {
    transfer("1", #","reference":""#).dropLast() + reference + Array(#""}"#.utf8)
  }

  /// Contents of a transfer that aren't what the contract says.
  var badContents: [BadInput] {
    let texts: [(about: String, bytes: [UInt8], pointer: String)] = [
      ("nothing", [], ""), ("no JSON", Array("hello".utf8), ""),
      ("half an object", Array(#"{"amount""#.utf8), "/amount"),
      ("two documents", transfer("1") + transfer("1"), ""), ("a list", Array("[]".utf8), ""),
      ("an unknown field", transfer("1", #","fee":"1""#), "/fee"),
      ("a key twice", transfer("1", #","amount":"2""#), "/amount"),
      ("a key twice, escaped", transfer("1", #","\u0061mount":"2""#), "/amount"),
      ("NUL, escaped", transfer(reference: Array(#"a\u0000b"#.utf8)), "/reference"),
      ("NUL", transfer(reference: [0x61, 0, 0x62]), "/reference"),
      ("half a surrogate pair", transfer(reference: Array(#"\ud800"#.utf8)), "/reference"),
      ("a byte that is never UTF-8", transfer(reference: [0xFF]), "/reference"),
      ("an over-long form", transfer(reference: [0xC0, 0x80]), "/reference"),
      ("a surrogate in UTF-8", transfer(reference: [0xED, 0xA0, 0x80]), "/reference"),
      ("a text that ends within a character", transfer(reference: [0xF0, 0x9F, 0x98]), "/reference"),
      ("lists of lists", Array(String(repeating: "[", count: 100_000).utf8), String(repeating: "/0", count: 32)),
      (
        "objects of objects", Array(String(repeating: #"{"a":"#, count: 50_000).utf8),
        String(repeating: "/a", count: 32)
      ),
    ]
    let amounts = [
      "0", "-1", "1.0", "0.01", "1e2", "-0", "9223372036854775808", "123456789012345678901234567890", "true", "[]",
      "{}", #""""#, #"" 1""#, #""1.0""#, #""-5""#, #""+5""#, #""1e2""#, #""01""#, #""NaN""#, #""0x1F""#, #""١""#,
      #""9223372036854775808""#, "null",
    ]
    let contents = texts + amounts.map { ("the amount \($0)", transfer($0), "/amount") }
    return contents.map { about, bytes, pointer in
      BadInput(
        about: about, request: post(bytes, to: Self.transferPath, Self.json + Self.key), status: 400,
        code: "invalid_request", pointer: pointer)
    }
  }

  /// Requests that are wrong before their content is looked at.
  var badRequests: [BadInput] {
    let good = transfer("1")
    let (key, length) = (Self.key, "Content-Length: \(good.count)\r\n")
    func bad(_ about: String, _ status: Int, _ code: String?, _ fields: String) -> BadInput {
      BadInput(about: about, request: post(good, to: Self.transferPath, fields), status: status, code: code)
    }
    func bare(_ about: String, _ status: Int, _ code: String?, _ method: String, _ path: String) -> BadInput {
      BadInput(about: about, request: request(method, path, "", token: token), status: status, code: code)
    }
    return [
      bad("no Idempotency-Key", 400, "missing_idempotency_key", Self.json),
      bad("an Idempotency-Key that is no UUID", 400, "invalid_header", Self.json + "Idempotency-Key: 1\r\n"),
      bad("two Idempotency-Keys", 400, "invalid_header", Self.json + key + Self.key),
      bad("an If-Match that is no version", 400, "invalid_header", Self.json + key + "If-Match: x\r\n"),
      bad("no Content-Type", 415, "unsupported_media_type", key),
      bad("another Content-Type", 415, "unsupported_media_type", key + "Content-Type: text/plain\r\n"),
      bad("a compressed content", 415, "unsupported_media_type", Self.json + key + "Content-Encoding: gzip\r\n"),
      bad(
        "a header of 30 KB", 431, "headers_too_large",
        Self.json + key + "X-Long: \(String(repeating: "x", count: 30_000))\r\n"),
      bad("two lengths", 400, "invalid_request", Self.json + key + "Content-Length: 1\r\n"),
      bad("a length and chunks", 400, "invalid_request", Self.json + key + "Transfer-Encoding: chunked\r\n"),
      bare("an unknown route", 404, "not_found", "GET", "/v1/secrets"),
      bare("a route beside the root", 404, "not_found", "GET", "/v1/accounts/../../etc/passwd"),
      bare("an unknown command", 404, "unknown_command", "POST", "/v1/commands/MintMoney"),
      bare("a method that isn't there", 405, "method_not_allowed", "DELETE", "/v1/accounts/\(Self.debtor)"),
      bare("a URI of 10 KB", 414, "uri_too_long", "GET", "/v1/\(String(repeating: "x", count: 10_000))"),
      bare("a parameter that isn't there", 400, "invalid_parameter", "GET", "/v1/events?before=1"),
      bare("a broken escape", 400, "invalid_parameter", "GET", "/v1/events?after=%ZZ"),
      bare("an id that is none", 404, "not_found", "GET", "/v1/accounts/%00"),
      BadInput(about: "no HTTP", request: Array("hello\r\n\r\n".utf8), status: 400, code: "invalid_request"),
      BadInput(
        about: "a header without a name",
        request: Array("POST \(Self.transferPath) HTTP/1.1\r\nHost: kauri\r\n: x\r\n\(length)\r\n".utf8) + good,
        status: 400, code: "invalid_request"),
    ]
      + ["Idempotency-Key: 01900000-0000-7000-8000-00000000beef", #"If-Match: "1""#].map { field in
        BadInput(
          about: "a batch with \(field)",
          request: post(good, to: "/v1/commands", "Content-Type: application/x-ndjson\r\n\(field)\r\n"), status: 400,
          code: "invalid_header")
      }
  }

  /// Tokens that nobody who may sign has signed for now.
  func badTokens() async throws -> [BadInput] {
    let identity = try LocalIdentity.load(from: directory)
    let other = try LocalIdentity.prepare(in: "\(directory)/forger")
    let subject = "01900000-0000-7000-8000-000000000001"
    let parts = token.split(separator: ".").map(String.init)
    let claims = parts[1]
    // An algorithm that anybody can do, with the public key for a secret (RFC 8725, section 2.1).
    let symmetric = Self.base64URL(#"{"alg":"HS256","typ":"JWT","kid":"\#(identity.keyID)"}"#) + "." + claims
    let code = HMAC<SHA256>.authenticationCode(
      for: Data(symmetric.utf8), using: SymmetricKey(data: Data(identity.jwks.utf8)))
    var tokens: [(about: String, token: String?)] = [
      ("no token", nil), ("a token that is none", "x"), ("an empty token", ".."),
      ("an expired token", try await identity.mint(.operator, subject: subject, lifetime: .seconds(-120))),
      ("another's signature", try await other.mint(.operator, subject: subject, lifetime: .seconds(60))),
      (
        "another's signature under the key's name",
        "\(parts[0]).\(claims).\(Self.base64URL(String(repeating: "s", count: 64)))"
      ),
      ("claims that weren't signed", "\(parts[0]).\(Self.base64URL(#"{"sub":"x","role":"operator"}"#)).\(parts[2])"),
      ("no signature", "\(parts[0]).\(claims)."),
      ("a public key for a secret", symmetric + "." + Self.base64URL(Data(code))),
    ]
    for name in ["none", "None", "NONE", ""] {
      let header = Self.base64URL(#"{"alg":"\#(name)","typ":"JWT","kid":"\#(identity.keyID)"}"#)
      tokens.append(("the algorithm \(name)", "\(header).\(claims)."))
      tokens.append(("the algorithm \(name), signed", "\(header).\(claims).\(parts[2])"))
    }
    return tokens.map { about, token in
      let fields = Self.json + Self.key + "Content-Length: \(transfer("1").count)\r\n"
      return BadInput(
        about: about, request: request("POST", Self.transferPath, fields, token: token) + transfer("1"), status: 401,
        code: "unauthenticated")
    }
  }

  private static func base64URL(_ text: String) -> String { base64URL(Data(text.utf8)) }

  private static func base64URL(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}
