import Ledger

/// Holds signed checkpoints, the log's own and those that an auditor kept, against the tree that the rows give; and the
/// incarnations that they are of against what the log has.
struct CheckpointCheck: Sendable {
  /// Checkpoints whose root is the tree's.
  private(set) var agreeing = 0
  /// Signatures that were looked at and are the key's.
  private(set) var signatures = 0
  /// Events that the greatest checkpoint covers which agrees, the log's own or an auditor's.
  private(set) var signedThrough: Int64 = 0

  /// After which event each later incarnation began.
  private let histories: [Int: Int64]
  private let key: CheckpointPublicKey?
  private let consistency: ConsistencyProof?
  /// Incarnations whose checkpoints no longer agree: one difference says it.
  private var parted: Set<Int> = []
  /// The books that checkpoints name, and which checkpoint is the first to.
  private var books: [Substring: String] = [:]
  /// By incarnation, how many events the greatest of the auditor's checkpoints covers that agrees.
  private var agreedThrough: [Int: Int64] = [:]

  /// - Parameters:
  ///   - histories: after which event each incarnation after the first began.
  ///   - key: nil when signatures aren't looked at.
  ///   - consistency: that the checkpoint in the last segment leads to one of the auditor's.
  init(histories: [Int: Int64], key: CheckpointPublicKey?, consistency: ConsistencyProof? = nil) {
    self.histories = histories
    self.key = key
    self.consistency = consistency
  }

  /// - Parameter tree: over the rows up to the checkpoint's end, or fewer where rows are missing.
  mutating func hold(
    _ signed: GivenCheckpoint, against tree: MerkleFrontier, _ differences: inout LogDifferences
  ) {
    let size = signed.checkpoint.size
    let field = "\(signed.name) of \(size) events"
    lookAtNote(signed, field, &differences)
    if let cut = cut(of: signed), size > cut.kept { return nameLost(signed, cut, field, &differences) }
    guard size == Int64(tree.size), tree.root == signed.checkpoint.root else {
      // What comes after one that differs differs too; what an auditor brought is said for each.
      if let stored = signed.incarnation, !parted.insert(stored).inserted { return }
      return differences.add(
        min(size, Int64(tree.size)), field, expected: "root \(signed.checkpoint.root)",
        found: "root \(tree.root) of \(tree.size) events\(whichDiffer(signed))")
    }
    agree(signed)
    if signed.incarnation == nil, let number = signed.checkpoint.incarnation { agreedThrough[number] = size }
  }

  private mutating func agree(_ signed: GivenCheckpoint) {
    agreeing += 1
    signedThrough = max(signedThrough, signed.checkpoint.size)
  }

  private mutating func lookAtNote(
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

  // MARK: Incarnations

  /// Where a later history took the place of a checkpoint's own.
  private typealias Cut = (kept: Int64, by: Int)

  /// - Returns: nil for the history that goes on, and for one that nothing is known of.
  private func cut(of signed: GivenCheckpoint) -> Cut? {
    guard let number = signed.incarnation ?? signed.checkpoint.incarnation, isKnown(number) else { return nil }
    let first = histories.filter { $0.key > number }.min { ($0.value, $0.key) < ($1.value, $1.key) }
    return first.map { ($0.value, $0.key) }
  }

  private func isKnown(_ incarnation: Int) -> Bool { incarnation == 1 || histories[incarnation] != nil }

  /// A restore or a failover began another history: what the earlier one had signed beyond that is lost. A checkpoint
  /// that the database itself still has is committed after what it covers, so no restore can have kept it without that.
  private mutating func nameLost(
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

  /// Every checkpoint is of this book.
  func compareBook(_ book: Identifier, _ differences: inout LogDifferences) {
    let own = Checkpoint.book(of: Checkpoint.origin(book: book, incarnation: 1))
    for (named, field) in books.sorted(by: { $0.key < $1.key }) where named != own {
      differences.add(0, field, expected: "one of \(own)", found: "\(named)")
    }
  }

  // MARK: The end

  /// Takes what is left: checkpoints of more events than there are, and a segment's own.
  mutating func finish(
    _ extent: LogExtent, given: ArraySlice<GivenCheckpoint>, _ tree: MerkleFrontier, _ differences: inout LogDifferences
  ) {
    for stored in extent.signedBeyond { nameMissing(GivenCheckpoint(stored, key: key), tree, &differences) }
    for signed in given {
      if let end = extent.end {
        hold(signed, beyond: end, tree, &differences)
      } else {
        nameMissing(signed, tree, &differences)
      }
    }
    if let end = extent.end { hold(end, tree, &differences) }
    compareHistories(extent, &differences)
  }

  private mutating func nameMissing(
    _ signed: GivenCheckpoint, _ tree: MerkleFrontier, _ differences: inout LogDifferences
  ) {
    let size = signed.checkpoint.size
    let field = "\(signed.name) of \(size) events"
    lookAtNote(signed, field, &differences)
    if let cut = cut(of: signed), size > cut.kept { return nameLost(signed, cut, field, &differences) }
    if let stored = signed.incarnation, !parted.insert(stored).inserted { return }
    let last = Int64(tree.size)
    differences.add(
      last + 1, field, expected: "events \(last + 1) to \(size), which were signed",
      found: "nothing: the log ends with event \(last)\(whatElseMayDiffer(signed))")
  }

  /// Segments may end before what an auditor's checkpoint signs: what leads there is the last one's proof, and from its
  /// own checkpoint to another a consistency proof.
  private mutating func hold(
    _ signed: GivenCheckpoint, beyond end: SegmentProof, _ frontier: MerkleFrontier,
    _ differences: inout LogDifferences
  ) {
    let size = signed.checkpoint.size
    let field = "\(signed.name) of \(size) events"
    lookAtNote(signed, field, &differences)
    let found: String
    if let own = try? GivenCheckpoint(note: end.note, name: end.name, key: nil).checkpoint,
      end.leads(from: frontier, to: own)
    {
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

  /// A segment's own proof that its end leads to a checkpoint.
  private mutating func hold(
    _ end: SegmentProof, _ frontier: MerkleFrontier, _ differences: inout LogDifferences
  ) {
    let signed: GivenCheckpoint
    do throws(CheckpointFault) {
      signed = try GivenCheckpoint(note: end.note, name: "checkpoint in \(end.name)", key: key)
    } catch {
      return differences.add(0, "checkpoint in \(end.name)", expected: "a signed note", found: error.description)
    }
    let field = "\(signed.name) of \(signed.checkpoint.size) events"
    lookAtNote(signed, field, &differences)
    if end.leads(from: frontier, to: signed.checkpoint) {
      agree(signed)
    } else {
      differences.add(
        Int64(frontier.size), field, expected: "root \(signed.checkpoint.root)",
        found: "root \(frontier.root) of \(frontier.size) events, which doesn't lead there")
    }
  }

  // MARK: In words

  /// Which positions it concerns that a checkpoint differs, as far as that can be told.
  private func whichDiffer(_ signed: GivenCheckpoint) -> String {
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

  /// That the events before the end may be others too.
  private func whatElseMayDiffer(_ signed: GivenCheckpoint) -> String {
    guard signed.incarnation == nil, let number = signed.checkpoint.incarnation, !isKnown(number) else { return "" }
    return ", and nothing here says where incarnation \(number) began"
  }
}

extension SegmentProof {
  /// Whether a tree is the beginning of the one that was signed.
  fileprivate func leads(from tree: MerkleFrontier, to checkpoint: Checkpoint) -> Bool {
    MerkleProof.verifyConsistency(
      size1: tree.size, root1: tree.root, size2: UInt64(checkpoint.size), root2: checkpoint.root, proof: hashes)
  }
}
