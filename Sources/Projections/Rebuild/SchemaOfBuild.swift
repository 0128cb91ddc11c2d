import EventStore
import Ledger
import Postgres

/// A rebuild makes tables by the functions that are in the database and fills them by the code of its build, so the two
/// must be of one release.
enum SchemaOfBuild {
  /// Within the caller's transaction, until whose end nobody migrates.
  /// - Throws: `RebuildFault.otherSchema`.
  static func expect(_ session: Session) throws {
    try session.simple("lock table public.kauri_migrations in share mode")
    let rows = try session.execute("select number, name, checksum from public.kauri_migrations order by number")
    var expected = Dictionary(Schema.migrations.map { ($0.number, $0) }, uniquingKeysWith: { $1 })
    for row in 0..<rows.count {
      let file = try rows.text(row, 1)
      guard let migration = expected.removeValue(forKey: Int(try rows.int4(row, 0))), migration.file == file,
        try rows.bytes(row, 2) == migration.checksum
      else { throw RebuildFault.otherSchema(file: file, isApplied: true) }
    }
    guard let missing = expected.values.min(by: { $0.number < $1.number }) else { return }
    throw RebuildFault.otherSchema(file: missing.file, isApplied: false)
  }
}
