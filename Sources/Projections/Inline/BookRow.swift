import Ledger
import Postgres

/// The row of `book`.
enum BookRow {
  static func load(_ live: LiveTables, _ session: Session) throws -> Book? {
    let rows = try session.execute("select book_id, terms, version, position from \(live.book)")
    guard rows.count > 0 else { return nil }
    let id = try rows.identifier(0, 0)
    let terms = try rows.json(0, 1) { value in
      var object = try value.object()
      let terms = try OpenBook(from: &object, in: ReadingContext(command: id, source: .log))
      try object.finish()
      return terms
    }
    return Book(
      id: id, timeZone: terms.timeZone, currency: terms.currency, policies: terms.policies, ruleSet: terms.ruleSet,
      version: try rows.int8(0, 2), position: try rows.int8(0, 3))
  }

  static func write(_ book: Book, _ live: LiveTables, into pipeline: inout Pipeline) throws {
    let terms = OpenBook(
      bookID: book.id, timeZone: book.timeZone, currency: book.currency, policies: book.policies, ruleSet: book.ruleSet)
    var writer = RecordWriter()
    writer.json.beginObject()
    terms.write(to: &writer)
    writer.json.endObject()
    try pipeline.execute(
      """
      insert into \(live.book) (book_id, terms, version, position) values ($1, $2, $3, $4)
      on conflict (one) do update set terms = excluded.terms, version = excluded.version, position = excluded.position
      """,
      [
        .uuid(book.id), .jsonb(String(decoding: writer.json.bytes, as: UTF8.self)), .int8(book.version),
        .int8(book.position),
      ])
  }
}
