import Crypto
import Ledger
import Synchronization

/// A segment whose index isn't believed: before anything is found through its tables of ids, they are worked out again
/// from the rows. Where the file has others, what the rows give is used.
final class ProvenSegment: Sendable {
  let segment: Segment
  private let findings = Mutex(Findings.none)

  private enum Findings {
    /// Not looked at yet.
    case none
    /// The tables in the file are those of the rows.
    case confirmed
    /// They aren't, and these are.
    case own(SegmentTables)
  }

  /// Entries that are named of one table, at most.
  private static let namedMaximum = 10

  init(_ segment: Segment) {
    self.segment = segment
  }

  var path: String { segment.path }
  var index: SegmentIndex { segment.index }
  var positions: ClosedRange<Int64> { segment.positions }

  /// Holds the index against the rows, the first time it is called.
  ///
  /// - Returns: what differs; nothing from the second time on.
  func check() throws(ArchiveFault) -> [LogDifference] {
    try findings.withLock { findings throws(ArchiveFault) in
      guard case .none = findings else { return [] }
      var differences = try indexHash()
      let (tables, unreadable) = tables()
      differences += unreadable
      // What can't be read can't be compared, and isn't found by anybody.
      let others = unreadable.isEmpty ? try compare(tables) : []
      differences += others
      findings = others.isEmpty && unreadable.isEmpty ? .confirmed : .own(tables)
      return differences
    }
  }

  private func indexHash() throws(ArchiveFault) -> [LogDifference] {
    let start = segment.indexOffset + LZ4Frame.skippableHeader
    let end = segment.file.size - SegmentIndex.trailerLength
    let stored = try segment.file.read(end..<end + TreeHash.length)
    let hash = try segment.hash(start..<end)
    guard stored != hash else { return [] }
    return [
      LogDifference(
        position: 0, field: "segment \(path): the index's hash", expected: ProvenSegment.text(hash),
        found: ProvenSegment.text(stored))
    ]
  }

  private static func text(_ hash: [UInt8]) -> String {
    TreeHash(hash)?.description ?? "\(hash.count) bytes"
  }

  /// What the rows give, and which frames can't be read.
  private func tables() -> (SegmentTables, [LogDifference]) {
    var tables = SegmentTables()
    var unreadable: [LogDifference] = []
    for frame in index.frames.indices {
      let numbers = index.rows(ofFrame: frame)
      do throws(ArchiveFault) {
        for (number, row) in zip(numbers, try segment.rows(ofFrame: frame)) { tables.append(row, number: number) }
      } catch {
        unreadable.append(
          LogDifference(
            position: index.first + Int64(numbers.lowerBound), field: "segment \(path): frame \(frame)",
            expected: "\(numbers.count) rows", found: error.reason))
      }
    }
    tables.sort()
    return (tables, unreadable)
  }

  private func compare(_ tables: SegmentTables) throws(ArchiveFault) -> [LogDifference] {
    var differences: [LogDifference] = []
    for name in SegmentTableName.allCases {
      var count = 0
      let isInOrder = try segment.compare(tables.entries(of: name), with: name) { entry, isInFile in
        count += 1
        guard count <= ProvenSegment.namedMaximum else { return }
        let place = "event \(index.first + Int64(entry.row))"
        differences.append(
          LogDifference(
            position: 0, field: "segment \(path): table of \(name.rawValue), id \(entry.id)",
            expected: isInFile ? "no entry of \(place)" : place, found: isInFile ? place : "no entry of \(place)"))
      }
      if !isInOrder {
        differences.append(
          LogDifference(
            position: 0, field: "segment \(path): table of \(name.rawValue)", expected: "entries in order of their ids",
            found: "others"))
      }
      guard count > ProvenSegment.namedMaximum else { continue }
      differences.append(
        LogDifference(
          position: 0, field: "segment \(path): table of \(name.rawValue)", expected: "what its rows say",
          found: "\(count) entries that differ, of which \(ProvenSegment.namedMaximum) are named"))
    }
    return differences
  }

  // MARK: Rows

  /// The rows of a range that can be read; `check` names those that can't.
  func rows(_ range: ClosedRange<Int64>) -> [LogRow] {
    guard range.overlaps(positions) else { return [] }
    let wanted = range.clamped(to: positions)
    let (start, end) = (Int(wanted.lowerBound - index.first), Int(wanted.upperBound - index.first))
    var rows: [LogRow] = []
    for frame in start / SegmentIndex.rowsPerFrame...end / SegmentIndex.rowsPerFrame {
      rows += ((try? segment.rows(ofFrame: frame)) ?? []).filter { wanted.contains($0.position) }
    }
    return rows
  }

  /// The row with a number; none where it can't be read.
  func rows(at number: Int) -> [LogRow] {
    let position = index.first + Int64(number)
    return rows(position...position)
  }

  /// The numbers of an id's rows, as the rows themselves give them.
  func rows(of id: Identifier, in name: SegmentTableName) throws(ArchiveFault) -> [Int] {
    let own: [SegmentEntry]? = findings.withLock { findings in
      if case .own(let tables) = findings { tables.entries(of: name) } else { nil }
    }
    if let own { return own.rows(of: id) }
    return try segment.rows(of: id, in: index.table(name))
  }
}
