public import EventStore
public import Ledger
public import Logging
public import Postgres

/// All read models that follow the log.
public enum Projections {
  /// What the sessions of the runners' pool must be set to: a runner that freezes in a transaction is ended within
  /// seconds, nobody waits behind it for longer, and rows are taken by their keys however many there are.
  public static let sessionSettings: [String: String] = InlineTables.sessionSettings.merging(
    ["idle_in_transaction_session_timeout": "5s", "lock_timeout": "3s", "statement_timeout": "30s"]
  ) { $1 }

  /// One runner a model.
  public static func runners(
    pool: Pool, reader: LogReader, signal: HeadSignal, options: ProjectionOptions = ProjectionOptions(),
    owner: Identifier = .random(), logger: Logger = Logger(label: "kauri.projections")
  ) -> [any ProjectionRunning] {
    func runner<Model: AsyncReadModel>(_: Model.Type) -> any ProjectionRunning {
      ProjectionRunner<Model>(
        pool: pool, reader: reader, signal: signal, options: options, owner: owner, logger: logger)
    }
    return [
      runner(EntriesModel.self), runner(CustomersOverviewModel.self), runner(DeclinesModel.self),
      runner(AccessLogModel.self),
    ]
  }

  /// Runs every runner until the task is cancelled.
  public static func run(_ runners: [any ProjectionRunning]) async {
    await withTaskGroup(of: Void.self) { group in
      for runner in runners { group.addTask { await runner.run() } }
    }
  }

  /// How far each live model is behind, in one statement.
  public static func lag(_ pool: Pool) async throws -> [ProjectionLag] {
    try await pool.run { session in
      let rows = try session.execute(
        """
        select p.model, p.generation, p.position, h.position,
          -- The age of the oldest event that isn't in the model yet.
          coalesce(greatest(0, extract(epoch from clock_timestamp() -
            (select moment from events where position = p.position + 1)))::double precision, 0)
        from projections p cross join log_head h
        where p.generation = coalesce((h.generations ->> p.model)::integer, 1)
        order by p.model
        """)
      return try (0..<rows.count).map { row in
        ProjectionLag(
          model: try rows.text(row, 0), generation: Generation(Int(try rows.int4(row, 1))),
          position: try rows.int8(row, 2), head: try rows.int8(row, 3), seconds: try rows.float8(row, 4))
      }
    }
  }
}

/// How far a read model is behind the log.
public struct ProjectionLag: Hashable, Sendable {
  public var model: String
  public var generation: Generation
  /// The last event that is in the model.
  public var position: Int64
  /// The log's last event.
  public var head: Int64
  /// The age of the oldest event that isn't in the model, in seconds; 0 when there is none.
  public var seconds: Double

  /// Events that aren't in the model.
  public var positions: Int64 { head - position }
}
