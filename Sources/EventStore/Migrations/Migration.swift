import Crypto

/// One step of the schema: a file of `schema/`, as it was when this build was made.
public struct Migration: Hashable, Sendable {
  /// From the file's name; steps are applied in its order.
  public let number: Int
  /// The file's name, `0001-log-head.sql`.
  public let file: String
  /// The whole file.
  public let sql: String

  public init(number: Int, file: String, sql: String) {
    self.number = number
    self.file = file
    self.sql = sql
  }

  /// SHA-256 of the file, as `sha256sum` gives it: 32 bytes.
  public var checksum: [UInt8] {
    Array(SHA256.hash(data: Array(sql.utf8)))
  }
}

/// What a run of the migrations did.
public struct MigrationReport: Hashable, Sendable {
  /// Files that were applied by this run, in order.
  public var applied: [String]
  /// Files that had been applied before.
  public var present: Int
}

/// Why the schema can't be brought up to date. Nothing of the step that failed remains.
public enum MigrationFault: Error, Sendable {
  /// Migrations run as the role that owns the schema, or nobody could run the next ones.
  case wrongRole(current: String, wanted: String)
  /// The file was changed after it had been applied.
  case changed(file: String)
  /// The file was applied, and this build no longer has it, though it has later ones.
  case removed(file: String)
  /// The file comes before one that has been applied: the schema only grows at its end.
  case late(file: String, applied: String)
  /// A newer build has been here: the database has the file, and this build ends before it.
  case newerDatabase(file: String)
  /// A statement of the file failed.
  case failed(file: String, any Error)
}

extension MigrationFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .wrongRole(let current, let wanted): "migrations run as the role \(wanted), not as \(current)"
    case .changed(let file):
      "\(file) was changed after it had been applied to this database; undo that, and make the change in a new file"
    case .removed(let file): "\(file) was applied to this database, and this build doesn't have it"
    case .late(let file, let applied):
      "\(file) comes before \(applied), which has been applied; give it a number after that one's"
    case .newerDatabase(let file):
      "a newer build has migrated this database: it has \(file), which this build doesn't know"
    case .failed(let file, let error): "\(file) can't be applied: \(error)"
    }
  }
}
