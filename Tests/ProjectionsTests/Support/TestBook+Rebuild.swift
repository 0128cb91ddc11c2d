import EventStore
import LocalStack
import Postgres
import Projections
import Testing

extension TestBook {
  /// As the role that owns the schema.
  var ownerConfiguration: ConnectionConfiguration {
    get throws {
      let cluster = try #require(TestBook.cluster)
      return ConnectionConfiguration(conninfo: cluster.conninfo(user: LocalStack.ownerRole, database: name))
    }
  }

  /// Rebuilds a model. Runs are so short that even a small book takes many.
  @discardableResult
  func rebuild(
    _ model: ReadModel, accepting: Bool = false, build: String? = "this build",
    observe: @escaping @Sendable (RebuildProgress) -> Void = { _ in }
  ) async throws -> RebuildReport {
    let options = RebuildOptions(accepts: accepting, readers: 2, runLength: 17, restMaximum: 1_000, build: build)
    return try await Rebuild(
      model, database: try ownerConfiguration, codec: codec, options: options, observe: observe
    ).run()
  }

  func rebuild(
    _ name: String, accepting: Bool = false, build: String? = "this build"
  ) async throws -> RebuildReport {
    try await rebuild(try #require(ReadModel.named(name)), accepting: accepting, build: build)
  }

  /// Makes every rebuild fail where it writes that a new generation stands after a position.
  func breakOff(after position: Int64) async throws {
    try await administer { session in
      try session.simple(
        """
        create or replace function break_off() returns trigger language plpgsql as
          'begin raise exception ''broken off''; end';
        create trigger break_off before update of position on projections for each row
          when (new.generation > 1 and new.position > \(position)) execute function break_off();
        """)
    }
  }

  func stopBreakingOff() async throws {
    try await administer { try $0.simple("drop trigger break_off on projections") }
  }

  /// Waits until a rebuild waits for a lock.
  func rebuildWaits() async throws {
    try await eventually {
      try await administer { session in
        let rows = try session.execute(
          """
          select from pg_stat_activity
          where datname = $1 and application_name = 'kauri rebuild' and wait_event_type = 'Lock'
          """, [.text(name)])
        return rows.count > 0
      }
    }
  }

  func dropOld(_ name: String) async throws -> [Int] {
    let model = try #require(ReadModel.named(name))
    return try await Rebuild(model, database: try ownerConfiguration, codec: codec).dropOld()
  }

  /// Brings every model that follows the log to its end.
  func catchUpAll() async throws {
    try await catchUp(EntriesModel.self)
    try await catchUp(CustomersOverviewModel.self)
    try await catchUp(DeclinesModel.self)
    try await catchUp(AccessLogModel.self)
  }

  /// The names of all tables that there are, without the log's.
  func tables() async throws -> Set<String> {
    try await administer { session in
      let rows = try session.execute(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'")
      return Set(try (0..<rows.count).map { try rows.text($0, 0) })
    }
  }

  func liveGenerations() async throws -> [String: Int] {
    try await pool.run { [reader] session in try reader.head(session).generations }
  }

  /// Every row of `projections`: the model's name and its generation.
  func checkpoints() async throws -> Set<String> {
    try await administer { session in
      let rows = try session.execute("select model || ' ' || generation from projections")
      return Set(try (0..<rows.count).map { try rows.text($0, 0) })
    }
  }
}
