/// What a decision does when the fraud score that it should read is stale or missing.
public enum ScoreGapRule: String, Hashable, Sendable, CaseIterable {
  case allow
  case block
  /// Lets amounts through up to the reduced limit of the currency; where none is set, nothing.
  case reducedLimit = "reduced_limit"
}

/// The book's rules that are data: each value stands in the log, in `BookOpened` or in a later `PolicySet`.
public struct Policies: Hashable, Sendable {
  /// A transfer is declined when the debtor's fraud score is above this, 0 to 1000.
  public var fraudScoreMaximum: Int = 700
  /// From this age on, in seconds, a fraud score is stale.
  public var fraudScoreMaximumAge: Int64 = 86_400
  public var staleFraudScore: ScoreGapRule = .allow
  public var missingFraudScore: ScoreGapRule = .allow
  /// Per currency, in minor units: what `reduced_limit` lets through.
  public var reducedLimits: [Currency: MinorUnits] = [:]
  /// From this score on, 0 to 1000, a name counts as a possible match with a sanctions list.
  public var sanctionsMatchThreshold: Int = 850
  /// How long a closed customer's records are kept before they may be erased, in days (NZ AML/CFT Act 2009 section 50:
  /// five years; AU AML/CTF Act 2006 section 107: seven years).
  public var retentionDays: Int = 2_557

  public init() {}

  public mutating func apply(_ change: PolicyChange) {
    switch change {
    case .fraudScoreMaximum(let score): fraudScoreMaximum = score
    case .fraudScoreMaximumAge(let seconds): fraudScoreMaximumAge = seconds
    case .staleFraudScore(let rule): staleFraudScore = rule
    case .missingFraudScore(let rule): missingFraudScore = rule
    case .reducedLimit(let currency, let amount): reducedLimits[currency] = amount
    case .sanctionsMatchThreshold(let score): sanctionsMatchThreshold = score
    case .retentionDays(let days): retentionDays = days
    }
  }

  /// Every policy with its value, in a fixed order: what applying them to nothing would give again.
  public var changes: [PolicyChange] {
    [
      .fraudScoreMaximum(fraudScoreMaximum), .fraudScoreMaximumAge(fraudScoreMaximumAge),
      .staleFraudScore(staleFraudScore), .missingFraudScore(missingFraudScore),
    ]
      + reducedLimits.sorted { $0.key.code < $1.key.code }.map { .reducedLimit($0.key, $0.value) }
      + [.sanctionsMatchThreshold(sanctionsMatchThreshold), .retentionDays(retentionDays)]
  }
}

/// One policy's new value: `{"policy": NAME, "value": VALUE}`, and `currency` for a reduced limit.
public enum PolicyChange: Hashable, Sendable {
  case fraudScoreMaximum(Int)
  case fraudScoreMaximumAge(Int64)
  case staleFraudScore(ScoreGapRule)
  case missingFraudScore(ScoreGapRule)
  case reducedLimit(Currency, MinorUnits)
  case sanctionsMatchThreshold(Int)
  case retentionDays(Int)

  enum Name: String, CaseIterable {
    case fraudScoreMaximum = "fraud_score_maximum"
    case fraudScoreMaximumAge = "fraud_score_maximum_age_seconds"
    case staleFraudScore = "fraud_score_stale"
    case missingFraudScore = "fraud_score_missing"
    case reducedLimit = "fraud_score_reduced_limit"
    case sanctionsMatchThreshold = "sanctions_match_threshold"
    case retentionDays = "retention_days"
  }

  init(from object: inout JSONObject) throws(JSONFault) {
    let name = try object.required("policy").choice(Name.self)
    let value = try object.required("value")
    switch name {
    case .fraudScoreMaximum: self = .fraudScoreMaximum(Int(try value.integer(in: 0...1000)))
    case .fraudScoreMaximumAge: self = .fraudScoreMaximumAge(try value.integer(in: 1...31_536_000))
    case .staleFraudScore: self = .staleFraudScore(try value.choice(ScoreGapRule.self))
    case .missingFraudScore: self = .missingFraudScore(try value.choice(ScoreGapRule.self))
    case .reducedLimit:
      let amount = try value.minorUnits()
      guard amount >= 0 else { throw value.fault("must be zero or more") }
      self = .reducedLimit(try object.required("currency").currency(), amount)
    case .sanctionsMatchThreshold: self = .sanctionsMatchThreshold(Int(try value.integer(in: 0...1000)))
    case .retentionDays: self = .retentionDays(Int(try value.integer(in: 0...36_525)))
    }
  }

  func write(to writer: inout RecordWriter) {
    writer.json.field("policy", name.rawValue)
    switch self {
    case .fraudScoreMaximum(let score), .sanctionsMatchThreshold(let score):
      writer.json.field("value", integer: Int64(score))
    case .fraudScoreMaximumAge(let seconds): writer.json.field("value", integer: seconds)
    case .retentionDays(let days): writer.json.field("value", integer: Int64(days))
    case .staleFraudScore(let rule), .missingFraudScore(let rule): writer.json.field("value", rule.rawValue)
    case .reducedLimit(let currency, let amount):
      writer.json.field("value", amount: amount)
      writer.json.field("currency", currency)
    }
  }

  private var name: Name {
    switch self {
    case .fraudScoreMaximum: .fraudScoreMaximum
    case .fraudScoreMaximumAge: .fraudScoreMaximumAge
    case .staleFraudScore: .staleFraudScore
    case .missingFraudScore: .missingFraudScore
    case .reducedLimit: .reducedLimit
    case .sanctionsMatchThreshold: .sanctionsMatchThreshold
    case .retentionDays: .retentionDays
    }
  }
}

extension JSONValue {
  func integer(in range: ClosedRange<Int64>) throws(JSONFault) -> Int64 {
    let number = try int64()
    guard range.contains(number) else { throw fault("must be from \(range.lowerBound) to \(range.upperBound)") }
    return number
  }
}
