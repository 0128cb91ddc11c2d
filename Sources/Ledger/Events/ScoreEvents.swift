/// What every score event says.
public struct ScoreTerms: Hashable, Sendable {
  public var subject: ResolvedSubject
  /// 0 to 1000.
  public var score: Int
  public var model: String
  public var scoredAt: Moment
  /// A newer score was held already: this one is recorded and decides nothing.
  public var superseded: Bool

  public init(_ report: ScoreReport, subject: ResolvedSubject, superseded: Bool) {
    self.subject = subject
    score = report.score
    model = report.model
    scoredAt = report.scoredAt
    self.superseded = superseded
  }

  /// What the command said.
  public var report: ScoreReport {
    ScoreReport(subject: subject.reference, score: score, model: model, scoredAt: scoredAt)
  }

  init(from object: inout JSONObject) throws(JSONFault) {
    subject = try ResolvedSubject(from: &object)
    score = Int(try object.required("score").integer(in: 0...1000))
    model = try object.required("model").string(maxLength: FieldLimit.code)
    scoredAt = try object.required("scored_at").moment()
    superseded = try object.optional("superseded")?.bool() ?? false
  }

  func write(to writer: inout RecordWriter) {
    subject.write(to: &writer)
    writer.json.field("score", integer: Int64(score))
    writer.json.field("model", model)
    writer.json.field("scored_at", scoredAt)
    if superseded { writer.json.field("superseded", true) }
  }
}

/// A fraud score came back from analytics.
public struct FraudScoreRecorded: EventContent {
  public static let type: StaticString = "FraudScoreRecorded"
  public var terms: ScoreTerms

  public init(terms: ScoreTerms) { self.terms = terms }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    terms = try ScoreTerms(from: &object)
  }

  public func write(to writer: inout RecordWriter) { terms.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { terms.subject.stream }
}

/// A customer risk score came back from analytics.
public struct RiskScoreRecorded: EventContent {
  public static let type: StaticString = "RiskScoreRecorded"
  public var terms: ScoreTerms

  public init(terms: ScoreTerms) { self.terms = terms }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    terms = try ScoreTerms(from: &object)
  }

  public func write(to writer: inout RecordWriter) { terms.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { terms.subject.stream }
}

/// A money-laundering score came back from analytics.
public struct AmlScoreRecorded: EventContent {
  public static let type: StaticString = "AmlScoreRecorded"
  public var terms: ScoreTerms

  public init(terms: ScoreTerms) { self.terms = terms }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    terms = try ScoreTerms(from: &object)
  }

  public func write(to writer: inout RecordWriter) { terms.write(to: &writer) }

  public func stream(command: CommandID) -> StreamID { terms.subject.stream }
}
