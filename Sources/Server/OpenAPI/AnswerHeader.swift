import Ledger

/// A field of an answer's head that clients need, as the contract names it.
enum AnswerHeader: String, CaseIterable, Sendable {
  case allow = "Allow"
  case eTag = "ETag"
  case idempotencyReplayed = "Idempotency-Replayed"
  case location = "Location"
  case logPosition = "Log-Position"
  case preferenceApplied = "Preference-Applied"
  case requestID = "X-Request-Id"
  case retryAfter = "Retry-After"
  case traceParent = "traceparent"
  case wwwAuthenticate = "WWW-Authenticate"

  /// Those that every answer may have.
  static let ofEveryAnswer: [AnswerHeader] = [.requestID, .traceParent]

  var about: String {
    switch self {
    case .allow: "The methods that the path takes."
    case .eTag:
      "The version of the account's or the customer's stream, for If-Match. An answer about the past has none."
    case .idempotencyReplayed: "`true` where it is the answer that the command got when it was first given."
    case .location: "Where to look up what the command led to."
    case .logPosition: "The log position that the answer reflects."
    case .preferenceApplied: "`receipt` where a receipt was asked for and the answer has it."
    case .requestID: "The request's id in the server's logs: the caller's own, or one made for it."
    case .retryAfter: "In how many seconds to ask again."
    case .traceParent: "The server's place in the trace, where the request was part of one."
    case .wwwAuthenticate: "The scheme, Bearer, and what was wrong with the token."
    }
  }

  var schema: Schema {
    switch self {
    case .allow, .location, .wwwAuthenticate: .string()
    case .eTag: .string(pattern: #"^"[0-9]+"$"#)
    case .idempotencyReplayed: .constant("true")
    case .logPosition: AnswerSchemas.position
    case .preferenceApplied: .constant("receipt")
    case .requestID: .string(minLength: 1, maxLength: 128)
    case .retryAfter: .integer(1...Int64(Int32.max))
    case .traceParent: .string(pattern: "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
    }
  }
}
