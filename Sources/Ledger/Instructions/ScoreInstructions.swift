/// A score that analytics computed for a customer or an account, on its way back to where decisions read it.
public struct ScoreReport: Hashable, Sendable {
  public static let range = 0...1000

  /// A customer's id, an account's id, or an account number.
  public var subject: AccountReference
  /// 0 (no concern) to 1000.
  public var score: Int
  /// The model and its version.
  public var model: String
  /// When analytics computed it; an older score never replaces a newer one.
  public var scoredAt: Moment

  public init(subject: AccountReference, score: Int, model: String, scoredAt: Moment) {
    self.subject = subject
    self.score = score
    self.model = model
    self.scoredAt = scoredAt
  }

  init(from object: inout JSONObject) throws(JSONFault) {
    subject = try object.required("subject_id").accountReference()
    let value = try object.required("score")
    let score = try value.int64()
    guard score >= 0, score <= 1000 else { throw value.fault("must be from 0 to 1000") }
    self.score = Int(score)
    model = try object.required("model").nonEmptyString(maxLength: FieldLimit.code)
    scoredAt = try object.required("scored_at").moment()
  }

  func write(to writer: inout RecordWriter) {
    writer.field("subject_id", subject)
    writer.json.field("score", integer: Int64(score))
    writer.json.field("model", model)
    writer.json.field("scored_at", scoredAt)
  }
}

/// How likely the subject's payments are to be fraud.
public struct RecordFraudScore: InstructionContent {
  public static let name: StaticString = "RecordFraudScore"
  public var report: ScoreReport

  public init(report: ScoreReport) { self.report = report }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    report = try ScoreReport(from: &object)
  }

  public func write(to writer: inout RecordWriter) { report.write(to: &writer) }
}

/// The subject's overall customer risk.
public struct RecordRiskScore: InstructionContent {
  public static let name: StaticString = "RecordRiskScore"
  public var report: ScoreReport

  public init(report: ScoreReport) { self.report = report }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    report = try ScoreReport(from: &object)
  }

  public func write(to writer: inout RecordWriter) { report.write(to: &writer) }
}

/// How closely the subject's behaviour follows a known pattern of money laundering.
public struct RecordAmlScore: InstructionContent {
  public static let name: StaticString = "RecordAmlScore"
  public var report: ScoreReport

  public init(report: ScoreReport) { self.report = report }

  public init(from object: inout JSONObject, in context: ReadingContext) throws(JSONFault) {
    report = try ScoreReport(from: &object)
  }

  public func write(to writer: inout RecordWriter) { report.write(to: &writer) }
}
