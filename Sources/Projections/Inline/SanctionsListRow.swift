import Ledger
import Postgres

/// Rows of `sanctions_lists` and `sanctions_entries`.
enum SanctionsListRow {
  static let listColumns = "list, list_version, version, position"

  /// For one set of live generations.
  struct Statements: Sendable {
    let selectLists: String
    let selectEntries: String
    let writeList: String
    let writeEntries: String
    let removeEntries: String

    init(_ live: LiveTables) {
      selectLists = "select \(listColumns) from \(live.sanctionsLists) where list = any($1::text[])"
      selectEntries = """
        select list, entry from \(live.sanctionsEntries) where list = any($1::text[]) and not removed
        """
      writeList = """
        insert into \(live.sanctionsLists) (list, list_version, entries, version, position)
        values ($1, $2, $3, $4, $5)
        on conflict (list) do update set list_version = excluded.list_version, entries = excluded.entries,
          version = excluded.version, position = excluded.position
        """
      writeEntries = """
        insert into \(live.sanctionsEntries) (list, entry_id, entry, removed, position)
        select $1, unnest($2::text[]), unnest($3::text[])::jsonb, $4, unnest($5::bigint[])
        on conflict (list, entry_id) do update set entry = excluded.entry, removed = excluded.removed,
          position = excluded.position
        """
      removeEntries = """
        update \(live.sanctionsEntries) e set removed = true, position = gone.position
        from unnest($2::text[], $3::bigint[]) as gone (entry_id, position)
        where e.list = $1 and e.entry_id = gone.entry_id and not e.removed
        """
    }
  }

  /// Queues two statements: the lists, and their entries in force.
  static func select(_ names: Set<String>, _ statements: Statements, into pipeline: inout Pipeline) throws {
    try pipeline.execute(statements.selectLists, [.texts(names)])
    try pipeline.execute(statements.selectEntries, [.texts(names)])
  }

  static func readLists(_ rows: Rows, into state: inout BookState) throws {
    for row in 0..<rows.count {
      let name = try rows.text(row, 0)
      state.lists[name] = SanctionsList(
        name: name, list: ListVersion(try rows.text(row, 1)), version: try rows.int8(row, 2),
        position: try rows.int8(row, 3))
    }
  }

  static func readEntries(_ rows: Rows, into state: inout BookState) throws {
    for row in 0..<rows.count {
      let entry = try entry(rows, row, 1)
      state.lists[try rows.text(row, 0)]?.entries[entry.id] = entry
    }
  }

  static func entry(_ rows: Rows, _ row: Int, _ column: Int) throws -> SanctionsEntry {
    try rows.json(row, column) { try SanctionsEntry(from: $0) }
  }

  static func write(
    _ touched: BookState.Touched, of state: borrowing BookState, _ statements: Statements,
    into pipeline: inout Pipeline
  ) throws {
    for (name, entries) in touched.lists.sorted(by: { $0.key < $1.key }) {
      guard let list = state.lists[name] else { continue }
      try write(list, statements, into: &pipeline)
      let ordered = entries.keys.sorted()
      let inForce = ordered.compactMap { list.entries[$0] }
      if !inForce.isEmpty { try write(inForce, removed: false, of: list, entries, statements, into: &pipeline) }
      let gone = ordered.filter { list.entries[$0] == nil }
      // What was added and removed in one batch has no row yet, and gets one: a row stands for every entry there ever
      // was, however its events were batched.
      let known = touched.removedEntries[name] ?? [:]
      let said = gone.compactMap { known[$0] }
      if !said.isEmpty { try write(said, removed: true, of: list, entries, statements, into: &pipeline) }
      let unsaid = gone.filter { known[$0] == nil }
      if !unsaid.isEmpty { try remove(unsaid, from: list, entries, statements, into: &pipeline) }
    }
  }

  private static func write(
    _ list: SanctionsList, _ statements: Statements, into pipeline: inout Pipeline
  ) throws {
    try pipeline.execute(
      statements.writeList,
      [
        .text(list.name), .text(list.list.text), .int4(Int32(clamping: list.entries.count)), .int8(list.version),
        .int8(list.position),
      ])
  }

  /// - Parameter positions: of the events that say so, by entry: the same however the events were batched.
  private static func write(
    _ entries: [SanctionsEntry], removed: Bool, of list: SanctionsList, _ positions: [String: Int64],
    _ statements: Statements, into pipeline: inout Pipeline
  ) throws {
    var ids = ArrayBuilder.text(reserving: entries.count)
    var places = ArrayBuilder.int8(reserving: entries.count)
    var contents = ArrayBuilder.text(reserving: entries.count, bytesEach: 256)
    for entry in entries {
      ids.append(entry.id)
      places.append(positions[entry.id] ?? list.position)
      var writer = RecordWriter()
      writer.json.beginObject()
      entry.write(to: &writer)
      writer.json.endObject()
      contents.append(utf8: writer.json.bytes)
    }
    try pipeline.execute(
      statements.writeEntries,
      [.text(list.name), ids.parameter, contents.parameter, .bool(removed), places.parameter])
  }

  private static func remove(
    _ ids: [String], from list: SanctionsList, _ positions: [String: Int64], _ statements: Statements,
    into pipeline: inout Pipeline
  ) throws {
    var places = ArrayBuilder.int8(reserving: ids.count)
    for id in ids { places.append(positions[id] ?? list.position) }
    try pipeline.execute(statements.removeEntries, [.text(list.name), .texts(ids), places.parameter])
  }
}
