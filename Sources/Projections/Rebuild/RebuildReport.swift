/// How far a rebuild is.
public struct RebuildProgress: Hashable, Sendable {
  public enum Phase: String, Sendable, CaseIterable {
    /// The new generation's tables are made.
    case making
    /// The log is read from the start, or from where a killed rebuild stopped.
    case filling
    /// What was appended meanwhile is read, in shorter and shorter rounds.
    case catchingUp = "catching_up"
    /// The tables of both generations are compared, at one and the same position.
    case comparing
    /// The head is about to be locked for the switch.
    case switching
    /// The new generation is live.
    case switched
    /// Old generations are dropped.
    case dropping
  }

  public var model: String
  /// The one that is made, or dropped.
  public var generation: Int
  public var phase: Phase
  /// Events up to here are in the new generation.
  public var position: Int64
  /// Where this phase will be done.
  public var target: Int64
}

/// One value, or one whole row, that the old and the new generation don't agree on.
public struct RowDifference: Hashable, Sendable {
  /// The table's name in the first generation.
  public var table: String
  /// The primary key, by its columns.
  public var key: [(column: String, value: String)]
  /// Nil where one of the generations hasn't got the row at all.
  public var column: String?
  /// As text; nil for NULL, and where there is no row.
  public var old: String?
  public var new: String?
  public var kind: Kind

  public enum Kind: String, Hashable, Sendable {
    /// Both have the row, and differ in `column`.
    case changed
    /// Only the old generation has the row.
    case onlyOld = "only_old"
    /// Only the new generation has the row.
    case onlyNew = "only_new"
  }

  public static func == (left: RowDifference, right: RowDifference) -> Bool {
    left.table == right.table && left.column == right.column && left.old == right.old && left.new == right.new
      && left.kind == right.kind && left.key.elementsEqual(right.key, by: ==)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(table)
    hasher.combine(column)
    for (column, value) in key {
      hasher.combine(column)
      hasher.combine(value)
    }
  }
}

/// What two generations differ in.
public struct Differences: Hashable, Sendable {
  /// Those that are shown, a bounded number.
  public var shown: [RowDifference] = []
  /// Rows that differ, by table, whether they are shown or not. One that several rounds find counts once, while there are
  /// no more than `keysMaximum` of its table.
  public var rows: [String: Int64] = [:]
  /// The keys of those that were counted, by table, `keysMaximum` of each at most.
  var counted: [String: Set<[String]>] = [:]

  /// Rows of one table that are known by their keys, at most.
  static let keysMaximum = 10_000

  init(shown: [RowDifference] = [], rows: [String: Int64] = [:]) {
    self.shown = shown
    self.rows = rows
  }

  public var isEmpty: Bool { rows.values.allSatisfy { $0 == 0 } }
  public var total: Int64 { rows.values.reduce(0, +) }

  mutating func add(_ other: Differences, showing maximum: Int) {
    shown += other.shown.filter { !shown.contains($0) }.prefix(max(0, maximum - shown.count))
    for (table, number) in other.rows {
      let (known, found) = (counted[table] ?? [], other.counted[table] ?? [])
      rows[table, default: 0] += number - Int64(known.intersection(found).count)
      let room = max(0, Differences.keysMaximum - known.count)
      counted[table] = known.union(found.subtracting(known).prefix(room))
    }
  }
}

/// What a rebuild came to.
public struct RebuildReport: Sendable {
  public var model: String
  public var oldGeneration: Int
  public var newGeneration: Int
  /// Where an earlier run was taken up; nil when this one began at the log's start.
  public var continuedFrom: Int64?
  /// The last event in the new generation.
  public var position: Int64
  public var differences: Differences
  /// Whether the new generation is live now.
  public var switched: Bool
  /// How long the head was locked for the switch.
  public var locked: Duration = .zero
  /// The whole run.
  public var duration: Duration = .zero
  /// Events that were read in one go, up to where the log ended then, and how long that took.
  public var filled: Int64 = 0
  public var filling: Duration = .zero
}

/// Why a rebuild can't be done. What it had made so far is left, and the next one resumes it.
public enum RebuildFault: Error, Hashable, Sendable {
  /// Somebody else rebuilds the model; the lock is held by the Postgres backend of this process id.
  case running(model: String, backend: Int32?)
  /// The log isn't in the database as a whole: a part of it was archived, or is lost.
  case incompleteLog(missing: Int64)
  /// The database's schema isn't this build's: it lacks the migration, or it has one that this build doesn't know.
  case otherSchema(file: String, isApplied: Bool)
  /// The live generation stands still, so there is no position at which the new one could be compared with it.
  case notFollowed(model: String, position: Int64, wanted: Int64)
  /// The writers were faster than the rebuild, or never let it have the head.
  case notCaughtUp(model: String)
  /// Somebody took the new generation's checkpoint away.
  case overtaken(model: String)
}

extension RebuildFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .running(let model, let backend):
      "another rebuild of \(model) is running" + (backend.map { " (its lock is held by Postgres backend \($0))" } ?? "")
    case .incompleteLog(let missing):
      "event \(missing) is not in this database: a read model can only be made of the whole log"
    case .otherSchema(let file, isApplied: false):
      "the database lacks \(file), which this build's tables need: run kauri migrate of this build first"
    case .otherSchema(let file, isApplied: true):
      "the database has \(file), which is not this build's: rebuild with the build that migrated it"
    case .notFollowed(let model, let position, let wanted):
      "the live tables of \(model) stand at position \(position) and don't reach \(wanted): is any server, or kauri "
        + "project, running?"
    case .notCaughtUp(let model): "\(model) could not catch up with the log; try again when there is less to do"
    case .overtaken(let model): "another process has taken over the new generation of \(model)"
    }
  }
}
