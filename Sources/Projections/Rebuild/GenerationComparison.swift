import Ledger
import Postgres

/// Compares the tables of two generations of a model in the database itself, row by row and column by column.
///
/// Columns that only one of the generations has are left out: that is how a model gets a new column.
struct GenerationComparison {
  let model: ReadModel
  let old: Generation
  let new: Generation
  /// Differences that are brought along, at most; all are counted.
  let shownMaximum: Int

  /// - Parameters:
  ///   - rows: which rows of the new generation may differ.
  ///   - position: where the new generation stands, when the old one may be further. A row of the old one that was
  ///     changed after it isn't compared, and says so itself: all tables that decisions read have a column for it.
  ///     `laterRows` has what is left out so. A row that says it was changed after the log's end is different.
  func differences(
    in rows: WrittenRows, at position: Int64? = nil, _ session: Session
  ) throws -> Differences {
    var differences = Differences()
    guard rows != .none else { return differences }
    for table in model.tables {
      let columns = try ComparedColumns(old: old.table(table), new: new.table(table), session)
      let found = try compare(table, columns, rows, position, session)
      differences.add(found, showing: shownMaximum)
    }
    return differences
  }

  /// Which rows of the old generation say that they were changed after `position`: what events changed since, and what
  /// only says so. Compared once more when the new generation stands there too, neither stays unseen.
  ///
  /// What says that it was changed after the log's end isn't among them: `differences` has named it.
  func laterRows(than position: Int64, among rows: WrittenRows, _ session: Session) throws -> WrittenRows {
    var later = WrittenRows.none
    guard rows != .none else { return later }
    for table in model.tables {
      let name = old.table(table)
      var parameters: [Parameter] = [.int8(position)]
      var place = "public.\(name) where position > $1 and position <= (select position from log_head)"
      guard model.isKeyedByOne,
        let key = try ComparedColumns(old: name, new: new.table(table), session).key.first
      else {
        if try session.execute("select exists (select from \(place))", parameters).bool(0, 0) { later = .any }
        continue
      }
      if case .keys(let keys) = rows {
        parameters.append(.uuids(keys))
        place += " and \(key) = any($2::uuid[])"
      }
      let found = try session.execute("select \(key) from \(place)", parameters)
      guard found.count > 0 else { continue }
      later = later.union(.keys(Set(try (0..<found.count).map { try found.identifier($0, 0) })))
    }
    return later
  }

  private func compare(
    _ table: String, _ columns: ComparedColumns, _ rows: WrittenRows, _ position: Int64?, _ session: Session
  ) throws -> Differences {
    var parameters: [Parameter] = [
      .int4(Int32(clamping: shownMaximum)), .int4(Int32(clamping: max(shownMaximum, Differences.keysMaximum))),
    ]
    var (left, right) = ("public.\(old.table(table))", "public.\(new.table(table))")
    if case .keys(let keys) = rows, let key = columns.key.first {
      parameters.append(.uuids(keys))
      (left, right) = (
        "(select * from \(left) where \(key) = any($3::uuid[]))",
        "(select * from \(right) where \(key) = any($3::uuid[]))"
      )
    }
    var condition = columns.isDifferent
    if let position {
      parameters.append(.int8(position))
      let place = "$\(parameters.count)"
      condition +=
        " and (o.position is null or o.position <= \(place) or o.position > (select position from log_head))"
    }
    let result = try session.execute(
      """
      with different as materialized (
        select \(columns.keyTexts) as key, \(columns.isAbsent("o")) as is_new, \(columns.isAbsent("n")) as is_gone,
          \(columns.valueTexts("o")) as old, \(columns.valueTexts("n")) as new
        from \(left) o full join \(right) n on \(columns.join) where \(condition)
      )
      select (select count(*) from different), key, is_new, is_gone, case when place <= $1 then old end,
        case when place <= $1 then new end
      from (select *, row_number() over (order by key) as place from different) as numbered order by place limit $2
      """, parameters)
    var differences = Differences()
    for row in 0..<result.count {
      differences.rows[table] = try result.int8(row, 0)
      let key = try result.texts(row, 1).map { $0 ?? "" }
      if row < Differences.keysMaximum { differences.counted[table, default: []].insert(key) }
      if row < shownMaximum { differences.shown += try RowDifference.all(in: result, row, table, columns) }
    }
    differences.shown = Array(differences.shown.prefix(shownMaximum))
    return differences
  }
}

/// The columns that two generations of a table have in common.
private struct ComparedColumns {
  /// The primary key's.
  let key: [String]
  /// All others.
  let values: [String]

  init(old: String, new: String, _ session: Session) throws {
    let rows = try session.execute(
      """
      select n.attname::text, n.attnum = any(i.indkey)
      from pg_attribute n
      join pg_attribute o on o.attrelid = to_regclass('public.' || $1) and o.attname = n.attname
        and o.attnum > 0 and not o.attisdropped
      join pg_index i on i.indrelid = n.attrelid and i.indisprimary
      where n.attrelid = to_regclass('public.' || $2) and n.attnum > 0 and not n.attisdropped
      order by n.attnum
      """, [.text(old), .text(new)])
    var (key, values): ([String], [String]) = ([], [])
    for row in 0..<rows.count {
      let column = "\"\(try rows.text(row, 0))\""
      if try rows.bool(row, 1) { key.append(column) } else { values.append(column) }
    }
    guard !key.isEmpty else { throw CorruptRow(table: new, key: "", reason: "the table isn't there") }
    self.key = key
    self.values = values
  }

  var join: String { key.map { "o.\($0) = n.\($0)" }.joined(separator: " and ") }

  func isAbsent(_ side: String) -> String { "\(side).\(key[0]) is null" }

  var isDifferent: String {
    var alternatives = [isAbsent("o"), isAbsent("n")]
    if !values.isEmpty {
      let (old, new) = (values.map { "o.\($0)" }, values.map { "n.\($0)" })
      alternatives.append("(\(old.joined(separator: ", "))) is distinct from (\(new.joined(separator: ", ")))")
    }
    return "(\(alternatives.joined(separator: " or ")))"
  }

  var keyTexts: String {
    "array[" + key.map { "coalesce(o.\($0), n.\($0))::text" }.joined(separator: ", ") + "]"
  }

  func valueTexts(_ side: String) -> String {
    "array[" + values.map { "\(side).\($0)::text" }.joined(separator: ", ") + "]::text[]"
  }

  static func name(_ quoted: String) -> String { String(quoted.dropFirst().dropLast()) }
}

extension RowDifference {
  /// The differences of one row of the result.
  fileprivate static func all(
    in rows: Rows, _ row: Int, _ table: String, _ columns: ComparedColumns
  ) throws -> [RowDifference] {
    let texts = try rows.texts(row, 1)
    let key = zip(columns.key, texts).map { (ComparedColumns.name($0), $1 ?? "") }
    if try rows.bool(row, 2) {
      return [RowDifference(table: table, key: key, column: nil, old: nil, new: nil, kind: .onlyNew)]
    }
    if try rows.bool(row, 3) {
      return [RowDifference(table: table, key: key, column: nil, old: nil, new: nil, kind: .onlyOld)]
    }
    let (old, new) = (try rows.texts(row, 4), try rows.texts(row, 5))
    return zip(columns.values, zip(old, new)).compactMap { column, values in
      guard values.0 != values.1 else { return nil }
      return RowDifference(
        table: table, key: key, column: ComparedColumns.name(column), old: values.0, new: values.1, kind: .changed)
    }
  }
}

extension Rows {
  /// An array of texts, NULLs among them.
  fileprivate func texts(_ row: Int, _ column: Int) throws -> [String?] {
    var texts: [String?] = []
    try forEachElement(row, column, of: .text) { bytes in
      texts.append(bytes.map { String(decoding: $0, as: UTF8.self) })
    }
    return texts
  }
}
