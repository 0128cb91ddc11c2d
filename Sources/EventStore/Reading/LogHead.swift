public import Ledger
public import Postgres

/// Where the log ends, and what the next batch has to know.
public struct LogHead: Hashable, Sendable {
  /// Of the last event; 0 when there is none.
  public var position: Int64
  /// Random, new with every batch: two histories can reach the same position, they can't share this.
  public var batchID: Identifier
  /// The clock that the last command was decided by.
  public var lastMoment: Moment
  /// Raised when a failover or a restore lost commits.
  public var incarnation: Int
  /// The rules that decide; 0 before the book is opened.
  public var ruleSet: Int
  /// The live generation of each read model that has had more than its first.
  public var generations: [String: Int]

  /// The columns of `log_head` that `init(_:row:)` reads, in its order.
  public static let columns = "position, batch_id, last_moment, incarnation, rule_set, generations"

  /// Reads `columns` from the start of a row.
  public init(_ rows: Rows, row: Int = 0) throws {
    position = try rows.int8(row, 0)
    let (high, low) = try rows.uuid(row, 1)
    batchID = Identifier(high: high, low: low)
    lastMoment = Moment(microseconds: try rows.timestamptz(row, 2))
    incarnation = Int(try rows.int4(row, 3))
    ruleSet = Int(try rows.int4(row, 4))
    generations = try LogHead.generations(rows.text(row, 5))
  }

  /// Reads the column of that name, as text.
  package static func generations(_ text: String) throws -> [String: Int] {
    var generations: [String: Int] = [:]
    for (model, generation) in try JSONDocument(Array(text.utf8)).root.object() {
      generations[model] = Int(try generation.int64())
    }
    return generations
  }
}
