public import Postgres

/// Brings a database's schema to what this build expects. Safe to run at any time and from any number of starters at
/// once.
public struct Migrator: Sendable {
  /// The role that owns the schema.
  public static let ownerRole = "kauri_owner"
  /// The role that serves. It owns nothing and gets what `schema/0090-grants.sql` says.
  public static let serverRole = "kauri_server"

  /// Held by the starter that migrates; a number of this purpose only.
  private static let lock: Int64 = 0x6B61_7572_6900_0001

  private let migrations: [Migration]

  public init() {
    self.init(migrations: Schema.migrations)
  }

  package init(migrations: [Migration]) {
    self.migrations = migrations.sorted { $0.number < $1.number }
  }

  /// Applies what is missing, each file and the note that it was applied in one transaction.
  ///
  /// Waits while another starter migrates. A file that was applied must be what it was: the schema is a history, not a
  /// wish.
  ///
  /// - Parameter session: of the owner's role, with no transaction open.
  /// - Throws: `MigrationFault`; what a lost session throws.
  public func migrate(_ session: Session) throws -> MigrationReport {
    try checkRole(session)
    try session.execute("select pg_advisory_lock($1)", [.int8(Migrator.lock)])
    // Where the session is lost, the server gives the lock back by itself.
    defer { _ = try? session.execute("select pg_advisory_unlock($1)", [.int8(Migrator.lock)]) }
    try session.simple(Migrator.table)
    let applied = try readApplied(session)
    let missing = try compare(applied)
    for migration in missing { try apply(migration, session) }
    return MigrationReport(applied: missing.map(\.file), present: applied.count)
  }

  private static let table = """
    set client_min_messages = warning;
    create table if not exists public.kauri_migrations (
      number integer primary key,
      name text not null,
      checksum bytea not null,
      applied_at timestamptz not null default now()
    );
    reset client_min_messages;
    """

  private struct Applied {
    let number: Int
    let file: String
    let checksum: [UInt8]
  }

  private func checkRole(_ session: Session) throws {
    let current = try session.execute("select current_user::text").text(0, 0)
    guard current == Migrator.ownerRole else {
      throw MigrationFault.wrongRole(current: current, wanted: Migrator.ownerRole)
    }
  }

  private func readApplied(_ session: Session) throws -> [Applied] {
    let rows = try session.execute("select number, name, checksum from public.kauri_migrations order by number")
    return try (0..<rows.count).map { row in
      Applied(number: Int(try rows.int4(row, 0)), file: try rows.text(row, 1), checksum: try rows.bytes(row, 2))
    }
  }

  /// What has to be applied, in order, when what has been applied is as it should be.
  private func compare(_ applied: [Applied]) throws(MigrationFault) -> [Migration] {
    let known = Dictionary(migrations.map { ($0.number, $0) }, uniquingKeysWith: { $1 })
    let newest = migrations.last?.number ?? 0
    for step in applied {
      guard let migration = known[step.number] else {
        throw step.number > newest ? .newerDatabase(file: step.file) : .removed(file: step.file)
      }
      guard migration.file == step.file, migration.checksum == step.checksum else {
        throw .changed(file: step.file)
      }
    }
    let done = Set(applied.map(\.number))
    let missing = migrations.filter { !done.contains($0.number) }
    if let last = applied.last, let first = missing.first, first.number < last.number {
      throw .late(file: first.file, applied: last.file)
    }
    return missing
  }

  private func apply(_ migration: Migration, _ session: Session) throws {
    do {
      try session.transaction {
        try session.simple("set local search_path = public")
        try session.simple(migration.sql)
        try session.execute(
          "insert into public.kauri_migrations (number, name, checksum) values ($1, $2, $3)",
          [.int4(Int32(migration.number)), .text(migration.file), .bytea(migration.checksum)])
      }
    } catch {
      throw MigrationFault.failed(file: migration.file, error)
    }
  }
}
