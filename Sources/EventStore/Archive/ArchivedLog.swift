import Glibc
public import Ledger

/// The log in a folder of segments, with no database at all or with the rest in one: a range that was exported and whose
/// partition was detached stands in the archive only.
public struct ArchivedLog: LogSource {
  /// In the order of their positions.
  private let segments: [ProvenSegment]
  private let rest: DatabaseLog?

  /// Opens every segment in a folder.
  ///
  /// - Parameter rest: where the rows are that no segment has.
  /// - Throws: `ArchiveFault` when there is none, or they don't begin with the log's first event.
  public init(folder: String, rest: DatabaseLog?) throws(ArchiveFault) {
    var segments: [Segment] = []
    for name in try ArchivedLog.names(in: folder) { segments.append(try Segment(path: "\(folder)/\(name)")) }
    segments.sort { ($0.index.first, $0.index.last) < ($1.index.first, $1.index.last) }
    guard let first = segments.first else { throw ArchiveFault(path: folder, reason: "no segment is there") }
    guard first.index.first == 1 else {
      throw ArchiveFault(
        path: folder,
        reason:
          "its first segment begins with event \(first.index.first): a log can be verified from its first event on")
    }
    for (one, other) in zip(segments, segments.dropFirst()) where other.index.first <= one.index.last {
      throw ArchiveFault(path: other.path, reason: "its events stand in \(one.path) too")
    }
    self.segments = segments.map(ProvenSegment.init)
    self.rest = rest
  }

  private static func names(in folder: String) throws(ArchiveFault) -> [String] {
    guard let directory = opendir(folder) else { throw .system(folder) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(SegmentExport.nameEnd) { names.append(name) }
    }
    return names
  }

  public func extent() async throws -> LogExtent {
    guard let rest else {
      var archived = LogExtent(last: segments.last?.index.last ?? 0)
      archived.end = segments.last.map { last in
        SegmentProof(name: last.path, note: last.index.checkpoint, hashes: last.index.proof)
      }
      return archived
    }
    var extent = try await rest.extent()
    extent.first = 1
    // Every row may stand in the archive.
    let archived = segments.last?.index.last ?? 0
    extent.last = max(extent.last, min(archived, extent.head?.position ?? archived))
    return extent
  }

  // MARK: Rows

  public func rows(_ range: ClosedRange<Int64>) async throws -> SourcedRows {
    var differences: [LogDifference] = []
    for segment in segments where segment.positions.overlaps(range) { differences += try segment.check() }
    let archived = segmentRows(range)
    guard let rest else {
      var sourced = SourcedRows(rows: archived, commands: nil)
      sourced.differences = differences
      return sourced
    }
    // The database has tiles and checkpoints of all rows, and the ids of all commands.
    var sourced = try await rest.rows(range)
    // What an archived range still has there must be just what was archived; the segment's row is the one that is looked
    // at, and that the tree is held against.
    differences += TwiceKept.differences(
      archived: archived, stored: sourced.rows, unreadable: Set(sourced.unreadable.keys), isArchived: isArchived)
    sourced.rows = (archived + sourced.rows.filter { !isArchived($0.position) }).sorted { $0.position < $1.position }
    sourced.commands = try await rest.commands(of: sourced.rows)
    sourced.differences += differences
    return sourced
  }

  private func isArchived(_ position: Int64) -> Bool {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].index.last < position { low = middle + 1 } else { high = middle }
    }
    return low < segments.count && segments[low].index.first <= position
  }

  private func segmentRows(_ range: ClosedRange<Int64>) -> [LogRow] {
    segments.flatMap { $0.rows(range) }
  }

  public func rows(of streams: [StreamID], before position: Int64) async throws -> [LogRow] {
    var rows: [LogRow] = []
    for stream in streams {
      for segment in segments where segment.index.first < position {
        for number in try segment.rows(of: stream.id, in: .streams) {
          rows += segment.rows(at: number).filter { $0.streamKind == stream.kind.rawValue }
        }
      }
      // A stream that is named after its command.
      rows += try commandRows(stream.id, before: position).filter {
        $0.streamID == stream.id && $0.streamKind == stream.kind.rawValue
      }
    }
    rows.removeAll { $0.position >= position }
    let others = try await rest?.rows(of: streams, before: position) ?? []
    return ArchivedLog.inOrder(rows + others.filter(isOnlyThere))
  }

  public func rows(ofCommands commands: [CommandID], before position: Int64) async throws -> [LogRow] {
    var rows: [LogRow] = []
    for command in commands { rows += try commandRows(command, before: position).filter { $0.position < position } }
    let others = try await rest?.rows(ofCommands: commands, before: position) ?? []
    return ArchivedLog.inOrder(rows + others.filter(isOnlyThere))
  }

  /// A range may still stand in the database too: then the segment's rows are the ones that are believed.
  private func isOnlyThere(_ row: LogRow) -> Bool { !isArchived(row.position) }

  /// A row may be found as its stream's and as its command's.
  private static func inOrder(_ rows: [LogRow]) -> [LogRow] {
    var seen: Set<Int64> = []
    return rows.filter { seen.insert($0.position).inserted }.sorted { $0.position < $1.position }
  }

  /// All rows of a command, which may go on in the next segment.
  private func commandRows(_ command: CommandID, before position: Int64) throws -> [LogRow] {
    // What comes later hasn't been held against its rows yet.
    for segment in segments where segment.index.first < position {
      guard let number = try segment.rows(of: command, in: .commands).first else { continue }
      var rows: [LogRow] = []
      var next = segment.index.first + Int64(number)
      while true {
        let page = segmentRows(next...next + Int64(SegmentIndex.rowsPerFrame) - 1)
        let own = page.prefix { $0.commandID == command }
        rows += own
        guard !page.isEmpty, own.count == page.count else { return rows }
        next += Int64(page.count)
      }
    }
    return []
  }

  // MARK: Ids and keys

  public func taken(_ ids: [Identifier], before position: Int64) async throws -> Set<Identifier> {
    if let rest { return try await rest.taken(ids, before: position) }
    var taken: Set<Identifier> = []
    for id in ids {
      for segment in segments where segment.index.first < position {
        let command = try segment.rows(of: id, in: .commands).first
        if let command, segment.index.first + Int64(command) < position { taken.insert(id) }
        // A movement that was accepted under an id of its own choice has its stream named after it.
        for number in try segment.rows(of: id, in: .streams) where !taken.contains(id) {
          guard let row = segment.rows(at: number).first else { continue }
          if row.position < position, ["transfer", "journal"].contains(row.streamKind) { taken.insert(id) }
        }
      }
    }
    return taken
  }

  public func commandRows(through head: Int64) async throws -> CommandRowCount? {
    try await rest?.commandRows(through: head)
  }

  public func strayCommands(through head: Int64, limit: Int) async throws -> [Identifier: StoredCommand] {
    // What has been archived can't be told from what never was, by the database alone.
    [:]
  }

  public func tiles(_ ids: [TileID]) async throws -> [TileID: [TreeHash]] {
    try await rest?.tiles(ids) ?? [:]
  }

  public func tombstones(after subject: Identifier?, limit: Int) async throws -> [Tombstone] {
    try await rest?.tombstones(after: subject, limit: limit) ?? []
  }

  public func keyed(_ subjects: Set<Identifier>) async throws -> Set<Identifier> {
    try await rest?.keyed(subjects) ?? []
  }

  public func loadKeys(_ subjects: Set<Identifier>) async throws -> Set<Identifier> {
    try await rest?.loadKeys(subjects) ?? []
  }
}
