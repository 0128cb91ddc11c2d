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
    /// Generations after the live one that somebody began to fill, oldest first.
    var unfinished: [Unfinished]
    /// Generations that are neither live nor unfinished and still have tables.
    var old: [Generation]
    /// Whether a comparison that was killed left its own behind.
    var hasComparison = false
  }

  /// A generation that somebody began to fill.
  struct Unfinished: Sendable {
    var generation: Generation
    /// The form of its tables.
    var shape: Int
    /// The last event that is in them.
    var position: Int64
    /// Who filled them; nil when nobody knows.
    var build: String?
    /// Whether they were compared with the live ones and found different.
    var differs: Bool

    /// Whether a rebuild by this build may go on with it. What was found different is made anew: the reason may be in
    /// the very rows that are there. Tables without an event in them hold nothing that would be lost.
    func isContinued(by build: String?, shape: Int) -> Bool {
      guard let build, position > 0 else { return false }
      return self.build == build && self.shape == shape && !differs
    }
  }

  func inventory(_ reader: LogReader, _ session: Session) throws -> Inventory {
    let live = Generation(liveIn: try reader.head(session), of: model.name)
    let rows = try session.execute(
      """
      select generation, shape, position, build, differs from projections
      where model = $1 order by generation
      """, [.text(model.name)])
    var inventory = Inventory(live: live, unfinished: [], old: [])
    for row in 0..<rows.count {
      let generation = Generation(Int(try rows.int4(row, 0)))
      if generation == .comparison {
        inventory.hasComparison = true
      } else if generation.number > live.number {
        inventory.unfinished.append(
          Unfinished(
            generation: generation, shape: Int(try rows.int4(row, 1)), position: try rows.int8(row, 2),
            build: try rows.textOrNil(row, 3), differs: try rows.bool(row, 4)))
      }
    }
    for number in 1..<max(1, live.number) where try hasTables(Generation(number), session) {
      inventory.old.append(Generation(number))
    }
    return inventory
  }

  /// Finds what an earlier run left that this build may go on with, and drops all that it may not, within the caller's
  /// transaction. Of a model that decisions read that is all: its fold was in memory.
  func resumable(_ inventory: Inventory, by build: String?, _ session: Session) throws -> Generation? {
    let last = model.isInline ? nil : inventory.unfinished.last
    let left = last.flatMap { $0.isContinued(by: build, shape: model.shape) ? $0.generation : nil }
    for other in inventory.unfinished where other.generation != left { try drop(other.generation, session) }
    return left
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
  ///
  /// Epochs begin at the transaction's number, which no later one has: whoever held the lease of tables of that name
  /// before these were made doesn't hold this one's.
  func make(_ generation: Generation, by build: String?, _ session: Session) throws {
    let suffix = generation.table("")
    try session.execute("select make_\(model.name)($1::text)", [.text(suffix)])
    try session.execute(
      """
      insert into projections (model, generation, shape, build, epoch)
      values ($1, $2, $3, $4, pg_current_xact_id()::text::bigint)
      """,
      [
        .text(model.name), .int4(Int32(clamping: generation.number)), .int4(Int32(clamping: model.shape)),
        .text(build),
      ])
  }

  /// Notes that a generation was found different, so that no rebuild goes on with it.
  /// - Throws: `LeaseLost`.
  static func noteDifference(_ lease: ProjectionLease, _ session: Session) throws {
    let rows = try session.execute(
      "update projections set differs = true where model = $1 and generation = $2 and epoch = $3",
      [.text(lease.key.model), .int4(Int32(clamping: lease.key.generation.number)), .int8(lease.epoch)])
    guard rows.affected == 1 else { throw LeaseLost() }
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

  /// Tries once.
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
