/// Something that is looked at row by row, in the order of the log, and once more at its end.
protocol LogCheck: Sendable {
  /// The next row.
  mutating func take(_ row: PreparedRow, _ differences: inout LogDifferences)

  /// No more rows come.
  mutating func finish(_ extent: LogExtent, _ differences: inout LogDifferences)
}
