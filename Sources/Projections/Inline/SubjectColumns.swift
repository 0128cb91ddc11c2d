import Ledger

/// The columns that customers and accounts share: limits and scores, as JSON.
extension Limits {
  init(row value: JSONValue) throws {
    self.init()
    for (name, amount) in try value.object() {
      guard let kind = LimitKind(rawValue: name) else { throw amount.fault("is a limit of no known kind") }
      self[kind] = try amount.minorUnits()
    }
  }

  func write(to json: inout JSONWriter) {
    json.beginObject()
    for kind in LimitKind.allCases {
      guard let amount = self[kind] else { continue }
      json.key(kind.rawValue)
      json.amount(amount)
    }
    json.endObject()
  }
}

extension Scores {
  init(row value: JSONValue) throws {
    self.init()
    for (name, score) in try value.object() {
      guard let kind = ScoreKind(rawValue: name) else { throw score.fault("is a score of no known kind") }
      var fields = try score.object()
      self[kind] = Score(
        value: Int(try fields.required("score").int64()), model: try fields.required("model").string(),
        scoredAt: try fields.required("scored_at").moment())
      try fields.finish()
    }
  }

  func write(to json: inout JSONWriter) {
    json.beginObject()
    for kind in ScoreKind.allCases {
      guard let score = self[kind] else { continue }
      json.key(kind.rawValue)
      json.beginObject()
      json.field("score", integer: score.value)
      json.field("model", score.model)
      json.field("scored_at", score.scoredAt)
      json.endObject()
    }
    json.endObject()
  }
}

extension JSONWriter {
  /// What `write` writes.
  static func bytes(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
    var json = JSONWriter()
    write(&json)
    return json.bytes
  }
}
