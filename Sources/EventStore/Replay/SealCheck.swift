import Ledger

/// Folds every row's leaf to the tree and holds it against everything that was said of it: the tiles, every signed
/// checkpoint, the head's frontier.
///
/// A row that was altered shows in its tile, where it stands. Where the tile was altered with it, the next checkpoint
/// shows it; and a checkpoint that was altered shows by its signature, or to whoever kept an older one.
struct SealCheck: Sendable {
  /// Checkpoints whose root is the tree's, and of these those whose signature was looked at.
  private(set) var checkpoints = 0
  private(set) var signatures = 0
  /// Nodes above the leaves that have still to be looked for in their tiles.
  private(set) var nodes: [SealedNode] = []

  private var frontier = MerkleFrontier()
  /// After which event each later incarnation began.
  private let histories: [Int: Int64]
  private let key: CheckpointPublicKey?
  /// Those that the auditor brought, by size.
  private var given: ArraySlice<GivenCheckpoint>
  private let consistency: ConsistencyProof?
  /// Incarnations whose checkpoints no longer agree: one difference says it.
  private var parted: Set<Int> = []
  /// Events that the greatest checkpoint covers which agrees, the log's own or an auditor's.
  private(set) var signedThrough: Int64 = 0
  /// The books that checkpoints name, and which checkpoint is the first to.
  private var books: [Substring: String] = [:]
  /// By incarnation, how many events the greatest of the auditor's checkpoints covers that agrees.
  private var agreedThrough: [Int: Int64] = [:]

  init(
    histories: [Int: Int64], key: CheckpointPublicKey?, given: [GivenCheckpoint], consistency: ConsistencyProof? = nil
  ) {
    self.consistency = consistency
    self.histories = histories
    self.key = key
    self.given = given.sorted { $0.checkpoint.size < $1.checkpoint.size }[...]
  }

  /// The next rows, with the checkpoints and the tiles of their positions.
  mutating func take(_ page: PreparedPage, _ differences: inout LogDifferences) {
    var stored = page.seal.checkpoints[...]
    for prepared in page.rows {
      compareLeaf(prepared, page.seal.tiles, &differences)
      append(prepared.leaf)
      while let next = stored.first, next.checkpoint.size <= Int64(frontier.size) {
        stored.removeFirst()
        compare(next, &differences)
      }
      while let next = given.first, next.checkpoint.size <= Int64(frontier.size) {
        given.removeFirst()
        compare(next, &differences)
      }
    }
    // Rows are missing: the tree doesn't reach as far as was signed.
    for next in stored { compare(next, &differences) }
  }

  private mutating func append(_ leaf: TreeHash) {
    let size = frontier.size + 1
    var completed: [SealedNode] = []
    frontier.append(leaf) { level, node in
      guard level > 0, level.isMultiple(of: TileID.height) else { return }
      let number = size >> UInt64(level) - 1
      completed.append(SealedNode(level: level / TileID.height, number: number, hash: node))
    }
    nodes += completed
  }

  // MARK: Tiles

  private func compareLeaf(
    _ prepared: PreparedRow, _ tiles: [TileID: [TreeHash]]?, _ differences: inout LogDifferences
  ) {
    let position = prepared.row.position
    guard let tiles, position > 0 else { return }
    let node = SealedNode(level: 0, number: UInt64(position - 1), hash: prepared.leaf)
    differences.compare(position, "leaf", expected: node.hash(in: tiles), found: prepared.leaf) { hash in
      hash?.description ?? "no leaf: tile \(node.tile.index) ends before it"
    }
  }

  /// Holds the nodes above the leaves against their tiles.
  ///
  /// - Parameter tiles: nil where there are none.
  mutating func compareNodes(_ tiles: [TileID: [TreeHash]]?, _ differences: inout LogDifferences) {
    for node in nodes {
      guard let tiles else { break }
      differences.compare(
        0, "tile \(node.tile.index) of level \(node.level), node \(node.number)", expected: node.hash,
        found: node.hash(in: tiles)
      ) { hash in hash?.description ?? "nothing" }
    }
    nodes = []
  }

  // MARK: Checkpoints

  private mutating func compare(_ signed: GivenCheckpoint, _ differences: inout LogDifferences) {
    let size = signed.checkpoint.size
    let field = "\(signed.name) of \(size) events"
    checkSignature(signed, field, &differences)
    if let cut = cut(of: signed), size > cut.kept { return lost(signed, cut, field, &differences) }
    guard size == Int64(frontier.size), frontier.root == signed.checkpoint.root else {
      // What comes after one that differs differs too; what an auditor brought is said for each.
      if let stored = signed.incarnation, !parted.insert(stored).inserted { return }
      return differences.add(
        min(size, Int64(frontier.size)), field, expected: "root \(signed.checkpoint.root)",
        found: "root \(frontier.root) of \(frontier.size) events\(extent(of: signed))")
    }
    agree(signed)
    if signed.incarnation == nil, let number = signed.checkpoint.incarnation { agreedThrough[number] = size }
  }

  private mutating func agree(_ signed: GivenCheckpoint) {
    checkpoints += 1
    signedThrough = max(signedThrough, signed.checkpoint.size)
  }

  /// Where a later history took the place of a checkpoint's own.
  private typealias Cut = (kept: Int64, by: Int)

  /// - Returns: nil for the history that goes on, and for one that nothing is known of.
  private func cut(of signed: GivenCheckpoint) -> Cut? {
    guard let number = signed.incarnation ?? signed.checkpoint.incarnation, isKnown(number) else { return nil }
    let first = histories.filter { $0.key > number }.min { ($0.value, $0.key) < ($1.value, $1.key) }
    return first.map { ($0.value, $0.key) }
  }

  private func isKnown(_ incarnation: Int) -> Bool { incarnation == 1 || histories[incarnation] != nil }

  /// Which positions it concerns that a checkpoint differs, as far as that can be told.
  private func extent(of signed: GivenCheckpoint) -> String {
    guard signed.incarnation == nil else {
      return signedThrough == 0
        ? ""
        : ": the checkpoint of \(signedThrough) events agrees, so it is one of events \(signedThrough + 1) to "
          + "\(signed.checkpoint.size) that differs"
    }
    guard let number = signed.checkpoint.incarnation else { return "" }
    let positions = "\((agreedThrough[number] ?? 0) + 1) to \(signed.checkpoint.size)"
    guard isKnown(number) else {
      return
        ": nothing here says where incarnation \(number) began, so which of positions \(positions) differ can't be told"
    }
    if let cut = cut(of: signed) {
      return
        ": which of positions \(positions) differ can't be told, for incarnation \(cut.by) is said to have kept them all"
    }
    return
      ": which of positions \(positions) differ can't be told, for no later incarnation was declared (kauri recover)"
  }

  /// A restore or a failover began another history: what the earlier one had signed beyond that is lost. A checkpoint
  /// that the database itself still has is committed after what it covers, so no restore can have kept it without that.
  private mutating func lost(
    _ signed: GivenCheckpoint, _ cut: Cut, _ field: String, _ differences: inout LogDifferences
  ) {
    if let stored = signed.incarnation {
      guard parted.insert(stored).inserted else { return }
      return differences.add(
        cut.kept + 1, field, expected: "events \(cut.kept + 1) to \(signed.checkpoint.size), which were signed",
        found: "incarnation \(cut.by) is said to have begun after event \(cut.kept), beside a checkpoint of more")
    }
    let number = signed.checkpoint.incarnation ?? 1
    differences.add(
      cut.kept + 1, field,
      expected:
        "positions \(cut.kept + 1) to \(signed.checkpoint.size), which this checkpoint of incarnation \(number) "
        + "covers",
      found: "they are not in this book any more: lost when incarnation \(cut.by) began after event \(cut.kept)")
  }

  private mutating func checkSignature(
    _ signed: GivenCheckpoint, _ field: String, _ differences: inout LogDifferences
  ) {
    for (column, found) in signed.unreadable.sorted(by: { $0.key < $1.key }) {
      differences.add(
        0, "checkpoints.\(column) of \(field)", expected: column == "root" ? "\(TreeHash.length) bytes" : "a moment",
        found: found)
    }
    if let origin = signed.origin, books[Checkpoint.book(of: origin)] == nil {
      books[Checkpoint.book(of: origin)] = "\(field): \(signed.name == "checkpoint" ? "checkpoints.note" : "origin")"
    }
    if let fault = signed.fault {
      differences.add(0, field, expected: "a note that says what its row says", found: fault)
    }
    guard key != nil, let signature = signed.signature else { return }
    switch signature {
    case .success: signatures += 1
    case .failure(let fault): differences.add(0, "\(field): signature", expected: "one by the key", found: "\(fault)")
    }
  }

  // MARK: The end

  mutating func finish(_ extent: LogExtent, _ differences: inout LogDifferences) {
    for stored in extent.signedBeyond { missing(GivenCheckpoint(stored, key: key), &differences) }
    for signed in given {
      if let end = extent.end { compare(signed, beyond: end, &differences) } else { missing(signed, &differences) }
    }
    given = []
    if let end = extent.end { compare(end, &differences) }
    compareHistories(extent, &differences)
    compareTiles(extent, &differences)
    guard let sealed = extent.frontier else { return }
    guard let frontier = MerkleFrontier(encoded: sealed) else {
      return differences.add(0, "log_head.frontier", expected: "a tree's edge", found: "\(sealed.count) other bytes")
    }
    differences.compare(
      0, "log_head.frontier", expected: "\(self.frontier.size) events, root \(self.frontier.root)",
      found: "\(frontier.size) events, root \(frontier.root)")
  }

  /// The head is of the newest incarnation, none begins behind it, and none is signed that isn't there.
  private func compareHistories(_ extent: LogExtent, _ differences: inout LogDifferences) {
    guard let head = extent.head else { return }
    differences.compare(
      0, "log_head.incarnation", expected: histories.keys.max() ?? 1, found: head.incarnation)
    for (number, kept) in histories.sorted(by: { $0.key < $1.key }) where kept > head.position {
      differences.add(
        0, "incarnations.begins_after of \(number)", expected: "at most \(head.position), the head", found: "\(kept)")
    }
    for number in extent.signedIncarnations where !isKnown(number) {
      differences.add(
        0, "checkpoints of incarnation \(number)", expected: "none: the log has had no such incarnation",
        found: "at least one")
    }
  }

  /// Every level has the tiles that a tree of the head's size has, and no more bytes than those. Nodes are compared one
  /// by one elsewhere.
  private func compareTiles(_ extent: LogExtent, _ differences: inout LogDifferences) {
    guard let tiles = extent.tiles, let frontier = extent.frontier.flatMap(MerkleFrontier.init(encoded:)) else {
      return
    }
    for level in Set(tiles.keys).union(0..<8).sorted() {
      differences.compare(
        0, "tiles of level \(level)", expected: TileLevel.expected(level: level, size: frontier.size),
        found: tiles[level]
      ) { counted in
        counted.map { "\($0.tiles), the last \($0.last), \($0.bytes) bytes in all" } ?? "none"
      }
    }
  }

  /// Every checkpoint is of this book.
  func compareBook(_ book: Identifier, _ differences: inout LogDifferences) {
    let own = Checkpoint.book(of: Checkpoint.origin(book: book, incarnation: 1))
    for (named, field) in books.sorted(by: { $0.key < $1.key }) where named != own {
      differences.add(0, field, expected: "one of \(own)", found: "\(named)")
    }
  }

  private mutating func missing(_ signed: GivenCheckpoint, _ differences: inout LogDifferences) {
    let size = signed.checkpoint.size
    let field = "\(signed.name) of \(size) events"
    checkSignature(signed, field, &differences)
    if let cut = cut(of: signed), size > cut.kept { return lost(signed, cut, field, &differences) }
    if let stored = signed.incarnation, !parted.insert(stored).inserted { return }
    let last = Int64(frontier.size)
    differences.add(
      last + 1, field, expected: "events \(last + 1) to \(size), which were signed",
      found: "nothing: the log ends with event \(last)\(unknown(signed))")
  }

  /// That the events before the end may be others too.
  private func unknown(_ signed: GivenCheckpoint) -> String {
    guard signed.incarnation == nil, let number = signed.checkpoint.incarnation, !isKnown(number) else { return "" }
    return ", and nothing here says where incarnation \(number) began"
  }

  /// Segments may end before what an auditor's checkpoint signs: what leads there is the last one's proof, and from its
  /// own checkpoint to another a consistency proof.
  private mutating func compare(
    _ signed: GivenCheckpoint, beyond end: SegmentProof, _ differences: inout LogDifferences
  ) {
    let size = signed.checkpoint.size
    let field = "\(signed.name) of \(size) events"
    checkSignature(signed, field, &differences)
    let found: String
    if let own = try? GivenCheckpoint(note: end.note, name: end.name, key: nil).checkpoint, leads(end, to: own) {
      if own.size == size, own.root == signed.checkpoint.root { return agree(signed) }
      if let consistency {
        guard let fault = consistency.fault(between: own, and: signed.checkpoint) else { return agree(signed) }
        found = fault
      } else {
        let request = SegmentOwnProof(size: UInt64(own.size), givenSize: UInt64(size), isSignatureChecked: false)
          .request
        found =
          "the segments end with event \(frontier.size) and lead to a checkpoint of \(own.size) events; that it is of the "
          + "same log is not shown: give the answer of \(request) with --consistency"
      }
    } else {
      found = "the segments end with event \(frontier.size), and their proof doesn't lead further"
    }
    differences.add(Int64(frontier.size), field, expected: "root \(signed.checkpoint.root)", found: found)
  }

  private func leads(_ end: SegmentProof, to checkpoint: Checkpoint) -> Bool {
    MerkleProof.verifyConsistency(
      size1: frontier.size, root1: frontier.root, size2: UInt64(checkpoint.size), root2: checkpoint.root,
      proof: end.hashes)
  }

  /// A segment's own proof that its end leads to a checkpoint.
  private mutating func compare(_ end: SegmentProof, _ differences: inout LogDifferences) {
    let signed: GivenCheckpoint
    do throws(CheckpointFault) {
      signed = try GivenCheckpoint(note: end.note, name: "checkpoint in \(end.name)", key: key)
    } catch {
      return differences.add(0, "checkpoint in \(end.name)", expected: "a signed note", found: error.description)
    }
    let field = "\(signed.name) of \(signed.checkpoint.size) events"
    checkSignature(signed, field, &differences)
    if leads(end, to: signed.checkpoint) {
      agree(signed)
    } else {
      differences.add(
        Int64(frontier.size), field, expected: "root \(signed.checkpoint.root)",
        found: "root \(frontier.root) of \(frontier.size) events, which doesn't lead there")
    }
  }
}

/// A node of the tree that a tile holds.
struct SealedNode: Hashable, Sendable {
  /// The tile's level.
  var level: Int
  /// Along the level, from 0.
  var number: UInt64
  var hash: TreeHash

  var tile: TileID { TileID(level: level, index: number / UInt64(TileID.width)) }

  func hash(in tiles: [TileID: [TreeHash]]) -> TreeHash? {
    let slot = Int(number % UInt64(TileID.width))
    guard let hashes = tiles[tile], slot < hashes.count else { return nil }
    return hashes[slot]
  }
}
