public import Commands
public import Ledger

/// Verifies a log from its first row to its last: that it is in order and in balance, that every row is what was
/// decided, that the tables beside it say the same.
///
/// The log is read once, a page at a time. Pages are read and decoded several at once and looked at one after the
/// other. What is kept grows with the accounts, customers, lists, open holds and waiting approvals, not with the log.
public struct LogVerification: Sendable {
  public struct Options: Sendable {
    /// Commands before this position are folded, not decided again.
    public var from: Int64 = 1
    /// Rows in a page.
    public var pageSize = 2_048
    /// Pages that are read ahead, at most.
    public var pagesAhead = 6
    /// Differences that are kept, at most; all are counted.
    public var differencesKept = 100
    /// The rule sets that commands are decided under.
    public var ruleSets = RuleSets.standard
    /// The public key that checkpoints must be signed by; nil when signatures aren't looked at.
    public var checkpointKey: CheckpointPublicKey?
    /// Checkpoints that the auditor kept, which the log must go on from.
    public var checkpoints: [GivenCheckpoint] = []
    /// Subjects that a list of erasures has that was kept outside; nil when there is none to compare with.
    public var erasedOutside: Set<Identifier>?
    /// That the checkpoint in the last segment leads to one of those, where there are only segments.
    public var consistency: ConsistencyProof?

    public init() {}
  }

  let source: any LogSource
  let keyring: PersonalKeyring?
  let options: Options
  private let codec: EventCodec

  /// - Parameter keyring: to open personal text and to hash what commands said; nil where there is none, and then text
  ///   is compared as bytes.
  public init(_ source: any LogSource, keyring: PersonalKeyring?, options: Options = Options()) {
    self.source = source
    self.keyring = keyring
    self.options = options
    // Without a key everything can be read and decided again: sealed text stays sealed.
    codec = EventCodec(keyring: keyring ?? .openingNothing)
  }

  /// Verifies what the log has now; what is appended meanwhile isn't looked at.
  ///
  /// - Parameter progress: how many rows have been looked at, of how many.
  /// - Throws: `IncompleteLog`; what the source throws. Whatever is wrong with the log is no error but a difference in the report.
  public func run(progress: @Sendable (Int64, Int64) -> Void = { _, _ in }) async throws -> VerificationReport {
    let extent = try await source.extent()
    guard extent.first == 1 else { throw IncompleteLog(first: extent.first) }
    var pass = VerificationPass(extent: extent, options: options, codec: codec, keyring: keyring)
    let count = extent.last - extent.first + 1
    if count > 0 {
      try await OrderedPages(size: Int64(options.pageSize), ahead: options.pagesAhead).run(
        extent.first...extent.last, prepare: { try await prepare($0) }
      ) { page in
        try await pass.take(page, source)
        progress(min(count, pass.rows), count)
      }
    }
    try await pass.finish(source)
    return pass.report
  }

  private func prepare(_ range: ClosedRange<Int64>) async throws -> PreparedPage {
    let sourced = try await source.rows(range)
    // Before `from` nothing is compared that needs a key.
    let keyring = range.upperBound < options.from ? nil : keyring
    var prepared = Preparation(sourced.rows, codec)
    // A key that was loaded may have to be loaded again: what is remembered of keys is trusted for seconds only.
    var attempts = 0
    var altered: Set<Identifier> = []
    while true {
      let missing = try prepared.run(keyring)
      guard !missing.isEmpty else { break }
      attempts += 1
      guard attempts <= 10 else { throw MissingPersonalKeys(missing) }
      altered.formUnion(try await source.loadKeys(missing))
    }
    let checkpoints = sourced.checkpoints.map { GivenCheckpoint($0, key: options.checkpointKey) }
    return PreparedPage(
      rows: prepared.rows, commands: sourced.commands, unreadable: sourced.unreadable,
      differences: sourced.differences, alteredKeys: altered,
      seal: PageSeal(tiles: sourced.tiles, checkpoints: checkpoints))
  }
}

/// Rows on their way to being prepared, some of which wait for keys.
private struct Preparation {
  private(set) var rows: [PreparedRow] = []
  private let raw: [LogRow]
  private var decoder: RowDecoder
  private var waiting: [Int]

  init(_ raw: [LogRow], _ codec: EventCodec) {
    self.raw = raw
    decoder = RowDecoder(codec)
    waiting = Array(raw.indices)
    rows.reserveCapacity(raw.count)
  }

  /// Prepares what waits.
  ///
  /// - Returns: the subjects whose keys have to be loaded before it is run again; none when everything is prepared.
  mutating func run(_ keyring: PersonalKeyring?) throws -> Set<Identifier> {
    var missing: Set<Identifier> = []
    var still: [Int] = []
    for index in waiting {
      var prepared: PreparedRow
      do {
        prepared = try PreparedRow(raw[index], &decoder, keyring: keyring)
      } catch let error as MissingPersonalKeys {
        missing.formUnion(error.subjects)
        still.append(index)
        prepared = try PreparedRow(raw[index], &decoder, keyring: nil)
      }
      if index < rows.count { rows[index] = prepared } else { rows.append(prepared) }
    }
    waiting = still
    return missing
  }
}
