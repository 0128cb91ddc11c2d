import EventStore
import Postgres
import Synchronization

/// The tables that were live when somebody last looked, for questions that are one statement.
///
/// Such a statement brings the head's generations along with its rows, both of one snapshot: when they are what was
/// known, the rows are the live ones; when not, it is asked once more of the tables that are live now.
final class KnownTables: Sendable {
  private struct Known {
    /// The head's column, as text.
    var generations = "{}"
    var tables = LiveTables()
  }

  private let state = Mutex(Known())

  func ask<Value>(_ session: Session, _ question: (LiveTables) throws -> LiveAnswer<Value>) throws -> Value {
    while true {
      let known = state.withLock { $0 }
      let generations: String
      do {
        let answer = try question(known.tables)
        if answer.generations == known.generations { return answer.value }
        generations = answer.generations
      } catch let error as PostgresError where error.isMissingTable {
        generations = try session.execute("select generations::text from log_head").text(0, 0)
        // What is live is there; if it is not, looking again won't find it.
        if generations == known.generations { throw error }
      }
      let tables = LiveTables(try LogHead.generations(generations))
      state.withLock { $0 = Known(generations: generations, tables: tables) }
    }
  }
}

/// What one statement found, and which generations its snapshot had live.
struct LiveAnswer<Value> {
  let value: Value
  let generations: String

  init(_ value: Value, generations: String) {
    self.value = value
    self.generations = generations
  }
}

extension LogHead {
  /// The live tables of the read models that decisions read.
  var tables: LiveTables { LiveTables(generations) }
}

extension PostgresError {
  /// A table isn't there: SQLSTATE 42P01.
  var isMissingTable: Bool { sqlState == "42P01" }
}
