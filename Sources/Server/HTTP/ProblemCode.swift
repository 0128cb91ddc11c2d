public import HTTPTypes

/// Why a request wasn't answered as it was meant, as a stable word for programs. Why a *command was declined* is
/// Ledger's `RejectionCode`: that is the bank's answer, this is the server's.
public enum ProblemCode: String, Sendable, CaseIterable {
  case invalidRequest = "invalid_request"
  case missingIdempotencyKey = "missing_idempotency_key"
  case invalidHeader = "invalid_header"
  case invalidParameter = "invalid_parameter"
  case unauthenticated
  case forbidden
  case notFound = "not_found"
  case unknownCommand = "unknown_command"
  case methodNotAllowed = "method_not_allowed"
  case notAcceptable = "not_acceptable"
  case requestTimeout = "request_timeout"
  case versionConflict = "version_conflict"
  case notDue = "not_due"
  case bodyTooLarge = "body_too_large"
  case uriTooLong = "uri_too_long"
  case unsupportedMediaType = "unsupported_media_type"
  case idempotencyKeyReused = "idempotency_key_reused"
  case tooManyRequests = "too_many_requests"
  case headersTooLarge = "headers_too_large"
  case internalError = "internal_error"
  case overloaded
  case queueFull = "queue_full"
  case databaseUnavailable = "database_unavailable"
  case unknownRuleSet = "unknown_rule_set"
  case clockAhead = "clock_ahead"
  case bookNotOpen = "book_not_open"
  case logNotSealed = "log_not_sealed"
  case positionNotReached = "position_not_reached"
  case historyChanged = "history_changed"
  case readModelOutdated = "read_model_outdated"
  case checkpointUnavailable = "checkpoint_unavailable"
  case shuttingDown = "shutting_down"

  public var status: HTTPResponse.Status {
    switch self {
    case .invalidRequest, .missingIdempotencyKey, .invalidHeader, .invalidParameter: .badRequest
    case .unauthenticated: .unauthorized
    case .forbidden: .forbidden
    case .notFound, .unknownCommand: .notFound
    case .methodNotAllowed: .methodNotAllowed
    case .notAcceptable: .notAcceptable
    case .requestTimeout: .requestTimeout
    // A position that the log hasn't reached is the caller's idea of the log, not the server's failure.
    case .versionConflict, .notDue, .positionNotReached, .historyChanged: .conflict
    case .bodyTooLarge: .contentTooLarge
    case .uriTooLong: .uriTooLong
    case .unsupportedMediaType: .unsupportedMediaType
    case .idempotencyKeyReused: .unprocessableContent
    case .tooManyRequests: .tooManyRequests
    case .headersTooLarge: .requestHeaderFieldsTooLarge
    case .internalError: .internalServerError
    case .overloaded, .queueFull, .databaseUnavailable, .unknownRuleSet, .clockAhead, .bookNotOpen,
      .logNotSealed, .readModelOutdated, .checkpointUnavailable, .shuttingDown:
      .serviceUnavailable
    }
  }

  /// The same for every occurrence, as RFC 9457 section 3.1.3 asks.
  public var title: String {
    switch self {
    case .invalidRequest: "The request's content is not what the contract says"
    case .missingIdempotencyKey: "Every command needs an Idempotency-Key"
    case .invalidHeader: "A header is not what the contract says"
    case .invalidParameter: "A parameter is not what the contract says"
    case .unauthenticated: "A valid bearer token is needed"
    case .forbidden: "This is not the caller's to see or do"
    case .notFound: "There is no such thing"
    case .unknownCommand: "There is no such command"
    case .methodNotAllowed: "The resource doesn't take this method"
    case .notAcceptable: "There is no representation of the kind asked for"
    case .requestTimeout: "The request took too long to arrive"
    case .versionConflict: "The version is not the one expected"
    case .notDue: "Its time has not come"
    case .bodyTooLarge: "The request's content is too large"
    case .uriTooLong: "The request's URI is too long"
    case .unsupportedMediaType: "The request's content is of a kind that isn't taken here"
    case .idempotencyKeyReused: "The Idempotency-Key belongs to another command"
    case .tooManyRequests: "The caller has too many requests in flight"
    case .headersTooLarge: "The request's headers are too large"
    case .internalError: "The server failed"
    case .overloaded: "The server has too many requests in flight"
    case .queueFull: "Too many commands wait"
    case .databaseUnavailable: "The database can't be reached, or the log is kept busy by another writer"
    case .unknownRuleSet: "Rules are needed that this server doesn't know"
    case .clockAhead: "This server's clock is ahead of the database's"
    case .bookNotOpen: "The book has not been opened"
    case .logNotSealed: "The log has not been sealed to its end"
    case .positionNotReached: "The position asked for has not been reached yet"
    case .historyChanged: "The log is not the one that was read up to there"
    case .readModelOutdated: "A read model has the form of an earlier release"
    case .checkpointUnavailable: "No checkpoint could be signed"
    case .shuttingDown: "The server is stopping"
    }
  }

  /// Whether the same request, sent again as it is, may succeed later: a command under the same Idempotency-Key. What a
  /// command was declined for is never that, for the key's answer stays.
  public var isRetryable: Bool {
    switch self {
    case .requestTimeout, .notDue, .positionNotReached, .tooManyRequests, .internalError: true
    default: status == .serviceUnavailable
    }
  }

  /// When to ask again, in seconds.
  var retryAfter: Int? {
    switch self {
    case .tooManyRequests, .overloaded, .queueFull, .databaseUnavailable, .positionNotReached,
      .checkpointUnavailable:
      1
    case .shuttingDown: 2
    case .unknownRuleSet, .clockAhead, .bookNotOpen, .logNotSealed, .readModelOutdated: 30
    default: nil
    }
  }
}
