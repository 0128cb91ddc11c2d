/// A statement that a session has had the server parse, or will when it is next used. It belongs to its session.
public final class Statement {
  public let sql: String
  /// The parameters' types; where fewer are given than the statement has, the server works the rest out.
  public let types: [OID]
  let owner: ObjectIdentifier
  /// Its name on the server; nil when the server doesn't know it.
  var name: String?
  var lastUsed = 0
  /// A COMMIT of a failed transaction answers ROLLBACK and no error; the session makes it one.
  let isCommit: Bool

  init(_ sql: String, _ types: [OID], owner: ObjectIdentifier) {
    self.sql = sql
    self.types = types
    self.owner = owner
    isCommit = Statement.isCommit(sql)
  }

  package static func isCommit(_ sql: String) -> Bool {
    guard sql.utf8.count <= 64 else { return false }
    let words = sql.lowercased().split { $0.isWhitespace || $0 == ";" }
    return words.first == "commit" && words.dropFirst().first != "prepared" || words == ["end"]
  }
}

/// A session's prepared statements, by their text and their parameters' types.
struct StatementCache {
  private struct Key: Hashable {
    let sql: String
    let types: [OID]
  }

  let limit: Int
  private var statements: [Key: Statement] = [:]
  private var clock = 0
  private var names = 0
  /// Names that the server still knows and nobody uses.
  private(set) var abandoned: [String] = []

  init(limit: Int) { self.limit = max(limit, 1) }

  mutating func statement(_ sql: String, _ types: [OID], owner: ObjectIdentifier) -> Statement {
    clock += 1
    let key = Key(sql: sql, types: types)
    if let known = statements[key] {
      known.lastUsed = clock
      return known
    }
    if statements.count >= limit, let oldest = statements.min(by: { $0.value.lastUsed < $1.value.lastUsed }) {
      statements[oldest.key] = nil
      forget(oldest.value)
    }
    let statement = Statement(sql, types, owner: owner)
    statement.lastUsed = clock
    statements[key] = statement
    return statement
  }

  mutating func nextName() -> String {
    names += 1
    return "k\(names)"
  }

  /// The statement is to be prepared anew when it is next used.
  mutating func forget(_ statement: Statement) {
    if let name = statement.name { abandoned.append(name) }
    statement.name = nil
  }

  mutating func takeAbandoned() -> [String] {
    defer { abandoned = [] }
    return abandoned
  }
}
