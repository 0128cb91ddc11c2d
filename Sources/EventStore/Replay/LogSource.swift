public import Ledger

/// Where a verification has the log from: the database, archive segments, or both.
public protocol LogSource: Sendable {
  /// How far the log goes, and what its head says of it.
  func extent() async throws -> LogExtent

  /// The rows of a range that are there, in the order of their positions, and what `commands` has for their ids.
  func rows(_ range: ClosedRange<Int64>) async throws -> SourcedRows

  /// Every row of these streams before a position, in order.
  func rows(of streams: [StreamID], before position: Int64) async throws -> [LogRow]

  /// Every row of these commands before a position, in order.
  func rows(ofCommands commands: [CommandID], before position: Int64) async throws -> [LogRow]

  /// Which of these ids commands were called by, or movements chose for themselves, before a position.
  func taken(_ ids: [Identifier], before position: Int64) async throws -> Set<Identifier>

  /// How many rows `commands` has.
  ///
  /// - Parameter head: rows of commands after it don't count.
  /// - Returns: nil where there is no such table.
  func commandRows(through head: Int64) async throws -> CommandRowCount?

  /// Rows of `commands` that no event accounts for, some of them; asked when their number isn't what the log says.
  func strayCommands(through head: Int64, limit: Int) async throws -> [Identifier: StoredCommand]

  /// Tiles of the tree over the log, by their names; those that aren't there are left out.
  func tiles(_ ids: [TileID]) async throws -> [TileID: [TreeHash]]

  /// The tombstones that say that a key was erased: a subject, and the log position of its erasure where one is known; in
  /// the order of subjects, after one, `limit` at most.
  func tombstones(after subject: Identifier?, limit: Int) async throws -> [Tombstone]

  /// Which of these subjects have a key.
  func keyed(_ subjects: Set<Identifier>) async throws -> Set<Identifier>

  /// Makes the keys of these subjects known to the keyring that the source was given.
  ///
  /// - Returns: the subjects whose keys are there and can't be unwrapped, though others can: their texts are compared as
  ///   bytes.
  func loadKeys(_ subjects: Set<Identifier>) async throws -> Set<Identifier>
}

/// How far a log goes.
public struct LogExtent: Hashable, Sendable {
  /// The first position that the source has.
  public var first: Int64
  /// The last position that is verified.
  public var last: Int64
  /// The head, where the source has one.
  public var head: LogHead?
  /// Whether the source must have a head and has none.
  public var lacksHead = false
  /// The database's clock when this was read.
  public var readAt: Moment?
  /// A row that stands behind the head's position, where none may be.
  public var beyond: Int64?
  /// The head's, as it stands; nil where the source has no head.
  public var frontier: [UInt8]?
  /// Stored checkpoints of more events than there are.
  public var signedBeyond: [StoredCheckpoint] = []
  /// The incarnations that stored checkpoints are of.
  public var signedIncarnations: [Int] = []
  /// What each level has of tiles; nil where the source has none.
  public var tiles: [Int: TileLevel]?
  /// After which event each incarnation after the first began.
  public var histories: [Int: Int64] = [:]
  /// That the end leads to a checkpoint that was signed later.
  public var end: SegmentProof?

  public init(first: Int64 = 1, last: Int64, head: LogHead? = nil, beyond: Int64? = nil) {
    self.first = first
    self.last = last
    self.head = head
    self.beyond = beyond
  }
}

/// The tiles of one level, counted.
public struct TileLevel: Hashable, Sendable {
  public var tiles: Int64
  /// The greatest index.
  public var last: Int64
  /// Of all tiles' hashes.
  public var bytes: Int64

  public init(tiles: Int64, last: Int64, bytes: Int64) {
    self.tiles = tiles
    self.last = last
    self.bytes = bytes
  }

  /// - Parameters:
  ///   - level: of tiles.
  ///   - size: leaves of the tree.
  /// - Returns: nil where a tree of that size has no such level.
  static func expected(level: Int, size: UInt64) -> TileLevel? {
    guard (0..<8).contains(level) else { return nil }
    let nodes = Int64(clamping: size >> UInt64(level * TileID.height))
    guard nodes > 0 else { return nil }
    let width = Int64(TileID.width)
    return TileLevel(tiles: (nodes - 1) / width + 1, last: (nodes - 1) / width, bytes: nodes * Int64(TreeHash.length))
  }
}

/// A page of rows as a source has it.
public struct SourcedRows: Sendable {
  public var rows: [LogRow]
  /// Nil where the source has no such table.
  public var commands: [Identifier: StoredCommand]?
  /// Rows that aren't even rows of the log's columns, by their positions, and why.
  public var unreadable: [Int64: String] = [:]
  /// What the source itself found to be otherwise than it must be: what it has twice, what it finds the past through.
  public var differences: [LogDifference] = []
  /// The tiles of the rows' leaves; nil where the source has none.
  public var tiles: [TileID: [TreeHash]]?
  /// Checkpoints whose trees end within the rows, by size.
  public var checkpoints: [StoredCheckpoint] = []

  public init(rows: [LogRow], commands: [Identifier: StoredCommand]?) {
    self.rows = rows
    self.commands = commands
  }
}

/// That a subject's key was erased.
public struct Tombstone: Hashable, Sendable {
  public var subject: Identifier
  /// Of the event that erased the customer; nil where a list of erasures was applied to a book that had lost it.
  public var position: Int64?

  public init(subject: Identifier, position: Int64?) {
    self.subject = subject
    self.position = position
  }
}

/// A log whose first events aren't there can't be verified: there is no state to decide on.
public struct IncompleteLog: Error, Hashable, Sendable, CustomStringConvertible {
  /// The first position that there is.
  public let first: Int64

  public var description: String {
    "the log begins with event \(first) here: give the segments of what was archived before it (--segments)"
  }
}

/// How many rows the table of commands has.
public struct CommandRowCount: Hashable, Sendable {
  /// Of commands whose first event stands at the position that was asked for or before it.
  public var through: Int64 = 0
  /// Of commands whose first event would stand behind the head.
  public var beyondHead: Int64 = 0

  public init() {}
}
