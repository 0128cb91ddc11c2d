import EventStore
import Ledger
import Postgres

extension Generation {
  /// The one that is made to be compared with the live one and never to be live: the highest number there is, so that it
  /// is nobody's next, and what an interrupted rebuild left isn't touched by it.
  static let comparison = Generation(999_999_999)
}

/// Makes, finds and drops the tables of a read model's generations. On sessions of the owner's role: the server may
/// neither create nor drop.
struct GenerationTables {
  let model: ReadModel

  /// What there is of a model.
  struct Inventory: Sendable {
    var live: Generation
    /// Generations after the live one that somebody began to fill, oldest first, with the form of their tables.
    var unfinished: [(generation: Generation, shape: Int)]
    /// Generations that are neither live nor unfinished and still have tables.
    var old: [Generation]
    /// Whether a comparison that was killed left its own behind.
    var hasComparison = false
  }

  func inventory(_ reader: LogReader, _ session: Session) throws -> Inventory {
    let live = Generation(liveIn: try reader.head(session), of: model.name)
    let rows = try session.execute(
      "select generation, shape from projections where model = $1 order by generation", [.text(model.name)])
    var inventory = Inventory(live: live, unfinished: [], old: [])
    for row in 0..<rows.count {
      let generation = Generation(Int(try rows.int4(row, 0)))
      if generation == .comparison {
        inventory.hasComparison = true
      } else if generation.number > live.number {
        inventory.unfinished.append((generation, Int(try rows.int4(row, 1))))
      }
    }
    for number in 1..<max(1, live.number) where try hasTables(Generation(number), session) {
      inventory.old.append(Generation(number))
    }
    return inventory
  }

  private func hasTables(_ generation: Generation, _ session: Session) throws -> Bool {
    let rows = try session.execute(
      "select exists (select from unnest($1::text[]) as name where to_regclass('public.' || name) is not null)",
      [.texts(names(generation))])
    return try rows.bool(0, 0)
  }

  /// The tables' names in a generation.
  func names(_ generation: Generation) -> [String] { model.tables.map(generation.table) }

  /// Makes the tables, and the row that says so, within the caller's transaction.
  func make(_ generation: Generation, _ session: Session) throws {
    let suffix = generation.table("")
    try session.execute("select make_\(model.name)($1::text)", [.text(suffix)])
    try session.execute(
      "insert into projections (model, generation, shape) values ($1, $2, $3)",
      [.text(model.name), .int4(Int32(clamping: generation.number)), .int4(Int32(clamping: model.shape))])
  }

  /// Drops a generation that isn't live, within the caller's transaction. Whoever calls it holds the model's lock, so
  /// nobody switches to what is being dropped; the head isn't locked, because a drop may have to wait for a reader.
  func drop(_ generation: Generation, _ session: Session) throws {
    for name in names(generation) { try session.simple("drop table if exists public.\(name)") }
    try session.execute(
      "delete from projections where model = $1 and generation = $2",
      [.text(model.name), .int4(Int32(clamping: generation.number))])
  }
}

/// Keeps two rebuilds of one model apart: held by a session, and given back by the server when the session ends, however
/// it ends.
enum RebuildLock {
  /// The first of the two numbers of the advisory locks of this purpose.
  private static let space: Int32 = 0x6B72_6200

  /// Waits a moment for one who was killed just now and whose session is still ending.
  /// - Throws: `RebuildFault.running`.
  static func take(_ model: ReadModel, _ session: Session) throws {
    let rows = try session.execute(
      """
      select pg_try_advisory_lock($1, hashtext($2)), (select min(l.pid) from pg_locks l
        where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database
          where datname = current_database()) and l.classid = $1::bigint::oid and l.objsubid = 2
          and l.objid = (hashtext($2)::bigint & 4294967295)::oid and l.pid <> pg_backend_pid())
      """, [.int4(space), .text(model.name)])
    guard try rows.bool(0, 0) else { throw RebuildFault.running(model: model.name, backend: try rows.int4OrNil(0, 1)) }
  }
}
