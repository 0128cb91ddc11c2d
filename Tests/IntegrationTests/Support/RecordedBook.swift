import Commands
import Crypto
import EventStore
import Ledger
import Postgres
import Testing

/// What stands in a book's database, looked at past every server.
struct RecordedBook: Sendable {
  let configuration: ConnectionConfiguration

  init(conninfo: String) {
    configuration = ConnectionConfiguration(conninfo: conninfo, applicationName: "kauri test")
  }

  /// Runs `body` on a session of its own.
  func read<Value: Sendable>(_ body: @Sendable (Session) throws -> Value) async throws -> Value {
    let connection = try await Connection.connect(configuration)
    do {
      let value = try await connection.run(body)
      await connection.close()
      return value
    } catch {
      await connection.close()
      throw error
    }
  }

  /// The whole log.
  func log() async throws -> [AppendedEvent] {
    try await read { session in try Self.log(session) }
  }

  /// Looks at everything there is in one snapshot, so that it may be done under load.
  func audit() async throws -> LogAudit {
    try await read { session in
      try session.transaction("begin isolation level repeatable read read only") {
        var audit = LogAudit(try Self.log(session))
        let rows = try session.execute("select command_id, content_hash, first_position, event_count from commands")
        audit.compare(try StoredCommand.decode(rows))
        audit.compare(try Self.reader.head(session))
        audit.compare(
          try Self.amounts(
            session, "select account_id, posted, held from \(try Self.live("balances", of: "balances", session))"),
          of: "balances")
        audit.add(try SealAudit(session))
        return audit
      }
    }
  }

  /// Looks at everything, and records what isn't as it must be.
  @discardableResult
  func expectSound(sourceLocation: SourceLocation = #_sourceLocation) async throws -> LogAudit {
    let audit = try await audit()
    #expect(audit.faults.isEmpty, sourceLocation: sourceLocation)
    return audit
  }

  /// Waits until the read models that follow the log have caught up, and compares the statements with the log.
  func expectStatements(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    try await eventually("the entries reach the log's end", within: .seconds(60)) {
      try await read { session in
        try session.execute(
          """
          select from projections p, log_head h where model = 'entries' and p.position >= h.position
            and p.generation = coalesce((h.generations ->> 'entries')::integer, 1)
          """
        ).count > 0
      }
    }
    var audit = try await audit()
    let statements = try await read { session in
      let (entries, held) = (
        try Self.live("entries", of: "entries", session), try Self.live("held_changes", of: "entries", session)
      )
      return try Self.amounts(
        session,
        """
        select account_id,
          coalesce((select sum(change) from \(entries) e where e.account_id = b.account_id), 0)::bigint,
          coalesce((select sum(change) from \(held) h where h.account_id = b.account_id), 0)::bigint
        from \(try Self.live("balances", of: "balances", session)) b
        """)
    }
    audit.compare(statements, of: "entries")
    #expect(audit.faults.isEmpty, sourceLocation: sourceLocation)
  }

  /// Events are decoded without any key: personal text stays sealed.
  private static let reader = LogReader(
    codec: EventCodec(keyring: PersonalKeyring(masterKey: SymmetricKey(size: .bits256))))

  private static func log(_ session: Session) throws -> [AppendedEvent] {
    var events: [AppendedEvent] = []
    while true {
      let page = try reader.events(after: events.last?.origin.position ?? 0, limit: 2_000, session)
      if page.isEmpty { return events }
      events += page
    }
  }

  /// What a table is called in its model's live generation.
  private static func live(_ table: String, of model: String, _ session: Session) throws -> String {
    let generation = try reader.head(session).generations[model] ?? 1
    return generation == 1 ? table : "\(table)_\(generation)"
  }

  private static func amounts(_ session: Session, _ sql: String) throws -> [AccountID: NaiveBalances.Amounts] {
    let rows = try session.execute(sql)
    var amounts: [AccountID: NaiveBalances.Amounts] = [:]
    for row in 0..<rows.count {
      let (high, low) = try rows.uuid(row, 0)
      amounts[Identifier(high: high, low: low)] = .init(posted: try rows.int8(row, 1), held: try rows.int8(row, 2))
    }
    return amounts
  }
}

/// Something that a test waited for didn't come about.
struct NotInTime: Error, CustomStringConvertible {
  let what: String
  var description: String { "not in time: \(what)" }
}

/// Waits until a condition holds.
///
/// - Throws: `NotInTime` when it doesn't within `patience`; what the condition throws.
func eventually(
  _ what: String, within patience: Duration, _ condition: () async throws -> Bool
) async throws {
  let until = ContinuousClock.now + patience
  while try await !condition() {
    guard ContinuousClock.now < until else { throw NotInTime(what: what) }
    try await Task.sleep(for: .milliseconds(10))
  }
}
