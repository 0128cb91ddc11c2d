import Postgres
import Projections
import Testing

extension OnAServer {
  @Suite struct GenerationDefinitionTests {
    @Test("a later generation's tables are defined as the first one's", arguments: ReadModel.all.map(\.name))
    func sameDefinition(name: String) async throws {
      try await TestBook.with { book in
        let model = try #require(ReadModel.named(name))
        let owner = try await Connection.connect(try book.ownerConfiguration)
        try await owner.run { session in
          try session.execute("select make_\(name)($1::text)", [.text("_7")])
          for table in model.tables {
            let first = try Self.definition(of: table, session)
            let later = try Self.definition(of: "\(table)_7", session)
            #expect(first.count > 4)
            #expect(later.map { $0.replacing("_7", with: "") }.sorted() == first.sorted())
          }
        }
        await owner.close()
      }
    }

    @Test("a suffix is a number and nothing else", arguments: ["_0", "2", "_2; drop table events", "_", "_-1", "x"])
    func badSuffix(suffix: String) async throws {
      try await TestBook.with { book in
        let owner = try await Connection.connect(try book.ownerConfiguration)
        await #expect(throws: PostgresError.self) {
          try await owner.run { session in _ = try session.execute("select make_balances($1::text)", [.text(suffix)]) }
        }
        await owner.close()
      }
    }

    /// Columns, constraints, indexes, storage parameters, owner and privileges, a line each.
    private static func definition(of table: String, _ session: Session) throws -> [String] {
      let rows = try session.execute(
        """
        select 'column ' || attname || ' ' || format_type(atttypid, atttypmod) || ' ' || attnotnull || ' '
          || coalesce(pg_get_expr(adbin, adrelid), '')
        from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
        where attrelid = $1::text::regclass and attnum > 0 and not attisdropped
        union all select 'index ' || pg_get_indexdef(indexrelid) from pg_index where indrelid = $1::text::regclass
        union all select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
        where conrelid = $1::text::regclass
        union all select 'options ' || coalesce(reloptions::text, '') || ' ' || relowner::regrole || ' '
          || coalesce((select string_agg(acl::text, ' ' order by acl::text) from unnest(relacl) as acl), '')
        from pg_class where oid = $1::text::regclass
        """, [.text(table)])
      return try (0..<rows.count).map { try rows.text($0, 0) }
    }
  }
}
