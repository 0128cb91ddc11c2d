import Ledger

/// The tables of ids that rows give, before they are put in order.
struct SegmentTables: Sendable {
  /// Commands, by the first of their rows.
  private(set) var commands: [SegmentEntry] = []
  /// Streams that aren't named after their command, by each of their rows.
  private(set) var streams: [SegmentEntry] = []

  /// - Parameter number: of the row, counted from the segment's first.
  mutating func append(_ row: LogRow, number: Int) {
    let number = UInt32(number)
    if row.commandIndex == 0 { commands.append(SegmentEntry(id: row.commandID, row: number)) }
    if row.streamID != row.commandID { streams.append(SegmentEntry(id: row.streamID, row: number)) }
  }

  /// Puts the entries in the order that the file has them in.
  mutating func sort() {
    commands.sort()
    streams.sort()
  }

  func entries(of name: SegmentTableName) -> [SegmentEntry] {
    switch name {
    case .commands: commands
    case .streams: streams
    }
  }
}

/// Which of the two tables of ids.
enum SegmentTableName: String, CaseIterable, Sendable {
  case commands
  case streams
}

extension SegmentIndex {
  func table(_ name: SegmentTableName) -> Table {
    switch name {
    case .commands: commands
    case .streams: streams
    }
  }
}

extension [SegmentEntry] {
  /// The numbers of the rows that an id has, where the entries are in order.
  func rows(of id: Identifier) -> [Int] {
    var low = startIndex
    var high = endIndex
    while low < high {
      let middle = (low + high) / 2
      if self[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return self[low...].prefix { $0.id == id }.map { Int($0.row) }
  }
}

extension Segment {
  /// Where a table in the file isn't what the rows give: each entry that is on one side only.
  ///
  /// - Parameters:
  ///   - expected: what the rows give, in order.
  ///   - body: called with an entry and whether it is in the file (and in no row) or in a row (and not in the file).
  /// - Returns: whether the file has its entries in order, as whoever looks for one takes for granted.
  func compare(
    _ expected: [SegmentEntry], with name: SegmentTableName, _ body: (_ entry: SegmentEntry, _ isInFile: Bool) -> Void
  ) throws(ArchiveFault) -> Bool {
    var found = try entries(of: index.table(name))
    if found == expected { return true }
    let isInOrder = zip(found, found.dropFirst()).allSatisfy { $0 < $1 }
    if !isInOrder { found.sort() }
    var rest = expected[...]
    for entry in found {
      while let next = rest.first, next < entry {
        body(next, false)
        rest.removeFirst()
      }
      if rest.first == entry { rest.removeFirst() } else { body(entry, true) }
    }
    for entry in rest { body(entry, false) }
    return isInOrder
  }

  /// Entries as they stand in the file, whatever they say.
  private func entries(of table: SegmentIndex.Table) throws(ArchiveFault) -> [SegmentEntry] {
    var entries: [SegmentEntry] = []
    entries.reserveCapacity(table.count)
    let step = SegmentIndex.Table.entryLength << 12
    for start in stride(from: table.offset, to: table.end, by: step) {
      var reader = NumberReader(bytes: try file.read(start..<min(table.end, start + step)))
      while let high = reader.number(UInt64.self), let low = reader.number(UInt64.self),
        let row = reader.number(UInt32.self)
      {
        entries.append(SegmentEntry(id: Identifier(high: high, low: low), row: row))
      }
    }
    return entries
  }
}
