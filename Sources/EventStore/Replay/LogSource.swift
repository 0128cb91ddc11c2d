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

  /// Which of these subjects have a tombstone, that says that their key was erased.
  func tombstones(of subjects: Set<Identifier>) async throws -> Set<Identifier>

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
  /// A row that stands behind the head's position, where none may be.
  public var beyond: Int64?
  /// The head's, as it stands; nil where the source has no head.
  public var frontier: [UInt8]?
  /// Stored checkpoints of more events than there are.
  public var signedBeyond: [StoredCheckpoint] = []
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
