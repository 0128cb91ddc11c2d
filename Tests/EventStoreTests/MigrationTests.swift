import Crypto
import EventStore
import Foundation
import LocalStack
import Postgres
import Testing

extension OnAServer {
  @Suite struct MigrationTests {
    @Test func aFreshDatabaseGetsEverythingAndASecondRunNothing() async throws {
      let database = try await Database.empty()
      let first = try await database.asOwner { try Migrator().migrate($0) }
      #expect(first.applied == Schema.migrations.map(\.file))
      #expect(first.present == 0)
      let second = try await database.asOwner { try Migrator().migrate($0) }
      #expect(second.applied.isEmpty)
      #expect(second.present == Schema.migrations.count)
      let rows = try await database.asOwner { session -> [String] in
        let rows = try session.execute(
          "select name || ' ' || encode(checksum, 'hex') from kauri_migrations order by number")
        return try (0..<rows.count).map { try rows.text($0, 0) }
      }
      let expected = Schema.migrations.map { migration in
        "\(migration.file) \(SHA256.hash(data: Data(migration.sql.utf8)).map { String(format: "%02x", $0) }.joined())"
      }
      #expect(rows == expected)
    }

    @Test func startersAtOnceAreSafe() async throws {
      let database = try await Database.empty()
      let reports = try await withThrowingTaskGroup(of: MigrationReport.self) { group in
        for _ in 0..<4 { group.addTask { try await database.asOwner { try Migrator().migrate($0) } } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(reports.map(\.applied.count).sorted() == [0, 0, 0, Schema.migrations.count])
    }

    @Test func onlyTheOwnerMigrates() async throws {
      let database = try await Database.empty()
      for role in ["server", "superuser"] {
        let migrate: @Sendable (Session) throws -> MigrationReport = { try Migrator().migrate($0) }
        let fault = await #expect(throws: MigrationFault.self) {
          try await role == "server" ? database.asServer(migrate) : database.asSuperuser(migrate)
        }
        #expect(fault?.description.hasPrefix("migrations run as the role kauri_owner, not as ") == true)
      }
    }

    @Test func theWholeSchemaBelongsToTheOwner() async throws {
      let database = try await Database.migrated()
      let others = try await database.asOwner { session in
        try session.execute(
          """
          select (select count(*) from pg_class where relnamespace = 'public'::regnamespace
              and relowner <> 'kauri_owner'::regrole)
            + (select count(*) from pg_proc where pronamespace = 'public'::regnamespace
              and proowner <> 'kauri_owner'::regrole)
          """
        ).int8(0, 0)
      }
      #expect(others == 0)
    }

    // MARK: History

    /// A schema of two small steps, and what may and may not become of it.
    static let steps = [
      Migration(number: 1, file: "0001-one.sql", sql: "create table one ();\n"),
      Migration(number: 3, file: "0003-three.sql", sql: "create table three ();\n"),
    ]

    struct Change: Sendable, CustomTestStringConvertible {
      let testDescription: String
      let steps: [Migration]
      let fault: String
    }

    static let changes = [
      Change(
        testDescription: "changed",
        steps: [Migration(number: 1, file: "0001-one.sql", sql: "create table one (); \n"), steps[1]],
        fault: "0001-one.sql was changed after it had been applied"),
      Change(
        testDescription: "renamed",
        steps: [Migration(number: 1, file: "0001-uno.sql", sql: steps[0].sql), steps[1]],
        fault: "0001-one.sql was changed after it had been applied"),
      Change(
        testDescription: "removed", steps: [steps[1]],
        fault: "0001-one.sql was applied to this database, and this build doesn't have it"),
      Change(
        testDescription: "late",
        steps: steps + [Migration(number: 2, file: "0002-two.sql", sql: "create table two ();\n")],
        fault: "0002-two.sql comes before 0003-three.sql"),
      Change(
        testDescription: "newer database", steps: [steps[0]],
        fault: "a newer build has migrated this database: it has 0003-three.sql"),
    ]

    @Test(arguments: changes) func historyIsNotRewritten(_ change: Change) async throws {
      let database = try await Database.empty()
      _ = try await database.asOwner { try Migrator(migrations: Self.steps).migrate($0) }
      let fault = await #expect(throws: MigrationFault.self) {
        try await database.asOwner { try Migrator(migrations: change.steps).migrate($0) }
      }
      #expect(fault?.description.hasPrefix(change.fault) == true, "\(String(describing: fault))")
      let again = try await database.asOwner { try Migrator(migrations: Self.steps).migrate($0) }
      #expect(again.present == 2, "a refused run changes nothing")
    }

    @Test func aStepThatFailsLeavesNothingAndCanBeTriedAgain() async throws {
      let database = try await Database.empty()
      let broken = Migration(number: 4, file: "0004-four.sql", sql: "create table four (); select 1 / 0;\n")
      let fault = await #expect(throws: MigrationFault.self) {
        try await database.asOwner { try Migrator(migrations: Self.steps + [broken]).migrate($0) }
      }
      #expect(fault?.description.hasPrefix("0004-four.sql can't be applied: ") == true)
      let repaired = Migration(number: 4, file: "0004-four.sql", sql: "create table four ();\n")
      let report = try await database.asOwner { try Migrator(migrations: Self.steps + [repaired]).migrate($0) }
      #expect(report.applied == ["0004-four.sql"] && report.present == 2)
    }

    @Test func theMissingRoleOfTheServerIsTold() async throws {
      let database = try await Database.empty()
      let steps = Schema.migrations.map { migration in
        Migration(
          number: migration.number, file: migration.file,
          sql: migration.sql.replacing("'kauri_server'", with: "'kauri_server_that_is_not'"))
      }
      let fault = await #expect(throws: MigrationFault.self) {
        try await database.asOwner { try Migrator(migrations: steps).migrate($0) }
      }
      guard case .failed("0090-grants.sql", let cause as PostgresError) = fault else {
        Issue.record("\(String(describing: fault))")
        return
      }
      #expect(cause.sqlState == "42704")
      #expect(cause.message == "the role kauri_server, which the server connects as, is missing")
      #expect(cause.hint?.contains("create role kauri_server login") == true)
    }
  }
}

@Suite struct EmbeddedSchemaTests {
  /// Fails when somebody changed `schema/` and forgot `scripts/embed-schema`.
  @Test func isWhatStandsInTheFiles() throws {
    let repository = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    let folder = repository.appending(path: "schema")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false)).filter {
      $0.hasSuffix(".sql")
    }
    let expected = try files.sorted().map { file in
      Migration(
        number: try #require(Int(file.prefix(4))), file: file,
        sql: try String(contentsOf: folder.appending(path: file), encoding: .utf8))
    }
    #expect(Schema.migrations.map(\.file) == expected.map(\.file))
    for (embedded, stored) in zip(Schema.migrations, expected) {
      #expect(embedded == stored, "run scripts/embed-schema")
    }
    #expect(Set(Schema.migrations.map(\.number)).count == Schema.migrations.count)
  }
}
