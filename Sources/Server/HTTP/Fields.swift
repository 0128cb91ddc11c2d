import HTTPTypes

extension HTTPField.Name {
  /// The name is a token of RFC 9110 by inspection; were it not, the field would go by a name that no client knows.
  private static func named(_ name: String) -> HTTPField.Name { HTTPField.Name(name) ?? .via }

  static let idempotencyKey = named("Idempotency-Key")
  static let idempotencyReplayed = named("Idempotency-Replayed")
  static let logPosition = named("Log-Position")
  static let requestID = named("X-Request-Id")
  static let traceParent = named("traceparent")
  static let lastEventID = named("Last-Event-ID")
  static let prefer = named("Prefer")
  static let preferenceApplied = named("Preference-Applied")
}
