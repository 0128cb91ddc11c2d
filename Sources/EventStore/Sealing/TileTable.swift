public import Postgres

/// The tree's tiles in the database.
public enum TileTable {
  /// New tiles, one array a column.
  private static let insert =
    "insert into tiles (level, index, hashes) select unnest($1::smallint[]), unnest($2::bigint[]), unnest($3::bytea[])"

  /// One tile that goes on. Where it doesn't end as expected the statement fails, and nothing of the batch is committed.
  private static let extend = "select extend_tile($1, $2, $3, $4)"

  /// Queues the statements that write what tiles gained. A batch extends one tile a level at most.
  static func write(_ runs: [TileRun], into pipeline: inout Pipeline) throws(PostgresError) {
    var levels = ArrayBuilder.int2(reserving: runs.count)
    var indexes = ArrayBuilder.int8(reserving: runs.count)
    var hashes = ArrayBuilder.bytea(reserving: runs.count, bytesEach: TileID.width * TreeHash.length)
    for run in runs {
      if run.start > 0 {
        try pipeline.execute(
          extend,
          [
            .int2(Int16(run.tile.level)), .int8(Int64(run.tile.index)), .int4(Int32(run.start * TreeHash.length)),
            .bytea(run.hashes),
          ])
      } else {
        levels.append(Int16(run.tile.level))
        indexes.append(Int64(run.tile.index))
        hashes.append(run.hashes)
      }
    }
    guard levels.count > 0 else { return }
    try pipeline.execute(insert, [levels.parameter, indexes.parameter, hashes.parameter])
  }

  /// Reads tiles, by their names, in one statement. Those that aren't there are left out.
  ///
  /// - Parameter skippingBroken: leaves those out too that aren't whole hashes, for whoever names what is missing.
  /// - Throws: `TileFault` for one that isn't whole hashes; what the session throws.
  public static func read(
    _ tiles: [TileID], _ session: Session, skippingBroken: Bool = false
  ) throws -> [TileID: [TreeHash]] {
    guard !tiles.isEmpty else { return [:] }
    var levels = ArrayBuilder.int2(reserving: tiles.count)
    var indexes = ArrayBuilder.int8(reserving: tiles.count)
    for tile in tiles {
      levels.append(Int16(tile.level))
      indexes.append(Int64(tile.index))
    }
    // The lateral reads each by the primary key, whatever the planner thinks of how many there are.
    let rows = try session.execute(
      """
      select t.level, t.index, t.hashes from unnest($1::smallint[], $2::bigint[]) as w(level, index)
      cross join lateral (select * from tiles where level = w.level and index = w.index offset 0) t
      """, [levels.parameter, indexes.parameter])
    var read: [TileID: [TreeHash]] = [:]
    for row in 0..<rows.count {
      let tile = TileID(level: Int(try rows.int2(row, 0)), index: UInt64(try rows.int8(row, 1)))
      guard let hashes = [TreeHash](concatenated: try rows.bytes(row, 2)[...]) else {
        if skippingBroken { continue }
        throw TileFault(tile: tile)
      }
      read[tile] = hashes
    }
    return read
  }
}
