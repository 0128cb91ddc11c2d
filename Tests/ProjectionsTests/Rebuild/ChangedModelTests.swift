import Commands
import EventStore
import Ledger
import Postgres
import Projections
import Testing

extension OnAServer {
  /// A read model that gets a new column, deployed beside servers that don't know it yet: `docs/operations.md`.
  @Suite struct ChangedModelTests {
    /// Declines, as the next release has them: with the actor's role in a column of its own.
    struct DeclinesByRole: AsyncReadModel {
      static let name = DeclinesModel.name
      static let eventTypes = DeclinesModel.eventTypes
      static let shape = 2
      private let model = DeclinesModel()

      init() {}

      var emptyMemory: DeclinesModel.Memory { model.emptyMemory }

      func changes(for event: RecordedEvent) -> [Decline] { model.changes(for: event) }

      func apply(
        _ declines: [Decline], to generation: Generation, remembering memory: inout DeclinesModel.Memory,
        _ session: Session
      ) throws {
        try model.apply(declines, to: generation, remembering: &memory, session)
        var (positions, roles) = (ArrayBuilder.int8(), ArrayBuilder.text())
        for decline in declines {
          positions.append(decline.position)
          roles.append(decline.actor.role.rawValue)
        }
        try session.execute(
          """
          update \(generation.table("declines")) d set role = new.role
          from (select unnest($1::bigint[]) as position, unnest($2::text[]) as role) as new
          where d.position = new.position
          """, [positions.parameter, roles.parameter])
      }
    }

    /// The next release's migration: it touches no table that anybody uses.
    static let migration = """
      create or replace function make_declines(suffix generation_suffix) returns void
      language plpgsql set search_path = public, pg_temp as $$
      begin
        execute format($tables$
          create table declines%1$s (
            position bigint primary key,
            command_id uuid not null,
            command text not null,
            code text not null,
            actor text not null,
            account_id uuid,
            amount bigint,
            currency text,
            moment timestamptz not null,
            book_date date not null,
            role text
          );
          create index declines_account%1$s on declines%1$s (account_id, position) where account_id is not null;
          grant select, insert, update on declines%1$s to kauri_server;
        $tables$, suffix);
      end
      $$;
      """

    @Test("a new column comes with a new generation, while servers of both builds run")
    func newColumn() async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("a new column"))
        try await bank.prepare()
        try await bank.live(commands: 200)
        let owner = try await Connection.connect(try book.ownerConfiguration)
        try await owner.run { try $0.simple(Self.migration) }
        await owner.close()

        // A server of this build, and one of the next: each follows the log for the form that it knows.
        let options = ProjectionOptions(pace: .milliseconds(5), poll: .milliseconds(20), lease: .milliseconds(200))
        let runners: [any ProjectionRunning] = [
          ProjectionRunner<DeclinesModel>(
            pool: book.pool, reader: book.reader, signal: book.signal, options: options, logger: quiet),
          ProjectionRunner<DeclinesByRole>(
            pool: book.pool, reader: book.reader, signal: book.signal, options: options, logger: quiet),
        ]
        let following = Task { await Projections.run(runners) }
        try await expectCaughtUp(book, Generation.first)
        let before = try await book.queries.declines(limit: 1_000).value.elements
        #expect(!before.isEmpty)

        // Columns that both have are compared; the new one is the reason for all this.
        let report = try await book.rebuild(ReadModel(DeclinesByRole.self))
        #expect(report.switched && report.differences.isEmpty, "\(report.differences)")
        // This build's queries go on with the new tables, which have every column that it knows.
        #expect(try await book.queries.declines(limit: 1_000).value.elements == before)

        try await bank.live(commands: 200)
        try await expectCaughtUp(book, Generation(2))
        following.cancel()
        await following.value
        let (rows, without) = try await book.administer { session in
          let counts = try session.execute("select count(*), count(*) filter (where role is null) from declines_2")
          return (try counts.int8(0, 0), try counts.int8(0, 1))
        }
        #expect(rows > Int64(before.count) && without == 0)
        #expect(try await book.queries.declines(limit: 1_000).value.elements.count == Int(rows))
      }
    }

    private func expectCaughtUp(_ book: TestBook, _ generation: Generation) async throws {
      let head = try await book.head()
      try await eventually {
        try await Projections.lag(book.pool).contains {
          $0.model == DeclinesModel.name && $0.generation == generation && $0.position >= head
        }
      }
    }
  }
}
