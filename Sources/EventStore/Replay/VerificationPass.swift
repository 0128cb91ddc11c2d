import Commands
import Ledger

/// One way through the log: takes prepared pages in order, groups their rows to commands, and has each looked at.
struct VerificationPass: Sendable {
  /// Rows that were taken.
  private(set) var rows: Int64 = 0

  private let extent: LogExtent
  private let from: Int64
  private let codec: EventCodec
  private let hasKeys: Bool
  private var differences: LogDifferences
  private var order: OrderCheck
  private var content = ContentCheck()
  private var decisions: DecisionCheck
  private var table = CommandTableCheck()
  private var seal: SealCheck
  /// Texts whose key was erased, as far as an event or a tombstone says so.
  private var erasedTexts = 0
  private var hasTiles = false
  private let checkpointKey: CheckpointPublicKey?
  private var hasTable = false
  private let erasedOutside: Set<Identifier>?
  private var alteredKeys: Set<Identifier> = []

  /// The last command of a page: the next page may have more of it.
  private var open: [PreparedRow] = []
  private var openStored: [Identifier: StoredCommand]?

  init(extent: LogExtent, options: LogVerification.Options, codec: EventCodec, keyring: PersonalKeyring?) {
    self.extent = extent
    from = options.from
    self.codec = codec
    hasKeys = keyring != nil
    differences = LogDifferences(keeping: options.differencesKept)
    order = OrderCheck(first: extent.first)
    decisions = DecisionCheck(codec: codec, ruleSets: options.ruleSets, keyring: keyring)
    checkpointKey = options.checkpointKey
    erasedOutside = options.erasedOutside
    seal = SealCheck(
      checkpoints: CheckpointCheck(
        histories: extent.histories, key: checkpointKey, consistency: options.consistency), given: options.checkpoints)
  }

  mutating func take(_ page: PreparedPage, _ source: any LogSource) async throws {
    rows += Int64(page.rows.count)
    for (position, reason) in page.unreadable.sorted(by: { $0.key < $1.key }) {
      differences.add(position, "row", expected: "a row of the log", found: reason)
    }
    for difference in page.differences { differences.add(difference) }
    // Pages that are prepared side by side may find the same.
    for subject in page.alteredKeys.sorted() where alteredKeys.insert(subject).inserted {
      differences.add(
        0, "personal_keys.wrapped_key of subject \(subject)", expected: "a key that the master key unwraps",
        found: "one that it doesn't, as it does others: the texts under it were compared as sealed bytes")
    }
    for row in page.rows {
      order.take(row, &differences)
      content.take(row, &differences)
    }
    seal.take(page, &differences)
    hasTiles = hasTiles || page.seal.tiles != nil
    if seal.nodes.count > 256 { try await compareNodes(source) }
    hasTable = hasTable || page.commands != nil
    let stored = page.commands.map { own in own.merging(openStored ?? [:]) { one, _ in one } }
    var commands = VerificationPass.commands(open + page.rows)
    let last = commands.popLast()
    open = last?.rows ?? []
    // What the table has for the open command's ids is asked again with its next page, if it has one.
    openStored = stored.map { known in
      let ids = open.flatMap { [$0.row.commandID, $0.row.streamID] }
      return known.filter { ids.contains($0.key) }
    }
    try await look(at: commands, stored, source)
  }

  /// Takes what the last page left open, and compares what stands beside the log with its end.
  mutating func finish(_ source: any LogSource) async throws {
    if !open.isEmpty { try await look(at: [CommandRows(rows: open)], openStored, source) }
    open = []
    order.finish(extent, &differences)
    content.finish(extent, &differences)
    try await compareNodes(source)
    seal.finish(extent, &differences)
    compareBook()
    try await compareKeys(source)
    try await compareTable(source)
  }

  private static func commands(_ rows: [PreparedRow]) -> [CommandRows] {
    var commands: [CommandRows] = []
    for row in rows {
      if let last = commands.last?.rows.last, last.row.commandID == row.row.commandID {
        commands[commands.count - 1].rows.append(row)
      } else {
        commands.append(CommandRows(rows: [row]))
      }
    }
    return commands
  }

  private mutating func look(
    at commands: [CommandRows], _ stored: [Identifier: StoredCommand]?, _ source: any LogSource
  ) async throws {
    let folded = commands.prefix { $0.first < from }
    for command in folded {
      decisions.fold(command)
      table.pass(command)
    }
    decisions.forgetPast()
    let rest = Array(commands[folded.endIndex...])
    guard let first = rest.first?.first else { return }
    let needs = decisions.needs(of: rest)
    if !needs.isEmpty { decisions.learn(try await Recall(needs, before: first, in: source, codec)) }
    for command in rest {
      let listContent = decisions.take(command, &differences)
      let own = command.rows[0].content
      table.take(command, own == .notHashed ? listContent : own, stored, &differences)
    }
    decisions.forgetPast()
  }

  /// The tree's nodes above the leaves, against the tiles that they complete.
  private mutating func compareNodes(_ source: any LogSource) async throws {
    let tiles = hasTiles ? try await source.tiles(Array(Set(seal.nodes.map(\.tile)))) : nil
    seal.compareNodes(tiles, &differences)
  }

  // MARK: The end

  /// The whole book's money comes to nothing in every currency, and the head follows the book's rule set.
  private mutating func compareBook() {
    var sums: [Currency: Int128] = [:]
    for account in decisions.state.accounts.values {
      sums[account.currency, default: 0] += Int128(account.balance.posted)
    }
    for (currency, sum) in sums.sorted(by: { $0.key.code < $1.key.code }) where sum != 0 {
      differences.add(0, "all balances in \(currency)", expected: "a sum of 0", found: "\(sum)")
    }
    if let book = decisions.state.book?.id { seal.checkpoints.compareBook(book, &differences) }
    if let head = extent.head {
      differences.compare(
        0, "log_head.rule_set", expected: decisions.state.book?.ruleSet ?? 0, found: head.ruleSet)
    }
  }

  /// A key that isn't there was erased, by an event of this log or, where a list of erasures was applied after a restore,
  /// as a tombstone says; or it is missing. One that was altered has been named already.
  private mutating func compareKeys(_ source: any LogSource) async throws {
    let erased = Set(decisions.state.customers.values.lazy.filter { $0.status == .erased }.map(\.id))
    let tombstones = try await compareTombstones(erased, source)
    for subject in try await source.keyed(erased.union(tombstones)).sorted() {
      differences.add(
        0, "personal_keys row of \(subject)", expected: "none: it was erased", found: "a key, that its texts open with")
    }
    for (subject, found) in content.withoutKey.sorted(by: { ($0.value.first, $0.key) < ($1.value.first, $1.key) }) {
      if erased.contains(subject) || tombstones.contains(subject) || alteredKeys.contains(subject) {
        erasedTexts += found.texts
        continue
      }
      differences.add(
        found.first, "personal_keys row of \(subject)",
        expected: "a key: no event of the log and no tombstone says that it was erased",
        found: "none; \(found.texts) texts from here on can't be opened")
    }
  }

  /// An erasure leaves a tombstone, and a tombstone is an erasure's: of this log, or of a list that was kept outside.
  ///
  /// - Returns: the subjects that have one.
  private mutating func compareTombstones(
    _ erased: Set<Identifier>, _ source: any LogSource
  ) async throws -> Set<Identifier> {
    var subjects: Set<Identifier> = []
    var last: Identifier?
    while true {
      let page = try await source.tombstones(after: last, limit: 10_000)
      for tombstone in page {
        subjects.insert(tombstone.subject)
        // What was erased since this began isn't looked at.
        if erased.contains(tombstone.subject) || (tombstone.position ?? 0) > extent.last { continue }
        if let erasedOutside, erasedOutside.contains(tombstone.subject) { continue }
        differences.add(
          0, "erased_subjects row of \(tombstone.subject)",
          expected: "none: no event of the log erases it, and "
            + (erasedOutside == nil
              ? "no list of erasures was given (--erasures)" : "the list that was given hasn't it"),
          found: "a tombstone" + (tombstone.position.map { " of event \($0)" } ?? ""))
      }
      guard let end = page.last else { break }
      last = end.subject
    }
    guard hasTable else { return subjects }
    for subject in erased.subtracting(subjects).sorted() {
      differences.add(0, "erased_subjects row of \(subject)", expected: "a tombstone: it was erased", found: "none")
    }
    return subjects
  }

  private mutating func compareTable(_ source: any LogSource) async throws {
    guard hasTable, let count = try await source.commandRows(through: extent.last) else { return }
    if count.through != table.expectedRows {
      differences.add(
        0, "rows of commands", expected: "\(table.expectedRows)", found: "\(count.through)")
      let strays = try await source.strayCommands(through: extent.last, limit: differences.kept)
      for (id, row) in strays.sorted(by: { $0.value.firstPosition < $1.value.firstPosition }) {
        differences.add(
          0, "commands row of \(id)", expected: "nothing: no command or movement is called that",
          found: "first position \(row.firstPosition), \(row.count) events")
      }
    }
    if count.beyondHead > 0 {
      differences.add(
        0, "rows of commands behind the head", expected: "0", found: "\(count.beyondHead)")
    }
  }

  var report: VerificationReport {
    VerificationReport(
      first: extent.first, last: extent.last, decidedFrom: max(from, extent.first), events: rows,
      commands: decisions.decided, contentsCompared: table.hashed, texts: content.texts, erased: erasedTexts,
      checkpoints: seal.checkpoints.agreeing, signatures: seal.checkpoints.signatures,
      comparedSignatures: checkpointKey != nil,
      comparedTiles: hasTiles, signedThrough: seal.checkpoints.signedThrough, comparedKeys: hasKeys,
      comparedTable: hasTable,
      total: differences.total, differences: differences.sorted)
  }
}
