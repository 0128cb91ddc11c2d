/// Decides which lines may be sent while others are still unanswered, so that lines which have something in common
/// are decided in the order of the file.
///
/// A line waits for the last line before it with which it shares a key, and so, through that one, for all of them. It
/// may be put into a batch once every line that it waits for is answered **or stands earlier in the same batch**,
/// because a batch is decided in its order. A line that reaches everything waits for all before it, and all behind it
/// wait for it.
///
/// A value without I/O. Lines are named by their index, and are added in rising order.
package struct OrderScheduler: Sendable {
  private struct Entry: Sendable {
    enum Status: Sendable { case waiting, sent, answered }

    var status: Status
    let size: Int
    /// Lines neither answered nor in the batch that is being made, for which this one waits.
    var waitsFor = 0
    /// Whether the index is in `ready`, where it may also linger after it has to wait again.
    var isQueued = false
    var keys: [OrderKey]
    /// Lines that wait for this one.
    var successors: [Int] = []
  }

  /// Bounds on a batch.
  package struct Bounds: Sendable {
    package var linesMaximum: Int
    package var bytesMaximum: Int
    /// A smaller batch isn't worth a request of its own while others are on their way.
    package var linesMinimum: Int

    package init(linesMaximum: Int, bytesMaximum: Int, linesMinimum: Int) {
      self.linesMaximum = linesMaximum
      self.bytesMaximum = bytesMaximum
      self.linesMinimum = linesMinimum
    }
  }

  private var entries = EntryWindow()
  private var ready = IndexHeap()
  /// The last unanswered line that has the key.
  private var tails: [OrderKey: Int] = [:]
  /// The last unanswered line that reaches everything.
  private var barrier: Int?
  /// Unanswered lines behind the last barrier.
  private var behindBarrier: Set<Int> = []

  package init() {}

  /// Lines that are not answered yet, sent or not.
  package private(set) var count = 0
  /// Lines that are sent and not answered yet.
  package private(set) var sentCount = 0

  /// Adds the next line of the file. `size` is its length in bytes.
  package mutating func add(_ line: Int, reach: LineReach, size: Int) {
    var predecessors: Set<Int> = []
    if let barrier { predecessors.insert(barrier) }
    var keys: [OrderKey] = []
    switch reach {
    case .everything:
      predecessors.formUnion(behindBarrier)
      behindBarrier = []
      barrier = line
    case .only(let own):
      keys = own
      for key in keys {
        if let tail = tails.updateValue(line, forKey: key), tail != line { predecessors.insert(tail) }
      }
      behindBarrier.insert(line)
    }
    for predecessor in predecessors { entries[predecessor].successors.append(line) }
    entries.append(Entry(status: .waiting, size: size, waitsFor: predecessors.count, keys: keys), at: line)
    count += 1
    if predecessors.isEmpty { queue(line) }
  }

  /// The lines of the next batch, in the order of the file, now regarded as sent; nil when nothing may be sent, or
  /// too little.
  package mutating func nextBatch(_ bounds: Bounds) -> [Int]? {
    var batch: [Int] = []
    var bytes = 0
    while batch.count < bounds.linesMaximum, let line = takeReady() {
      guard batch.isEmpty || bytes + entries[line].size <= bounds.bytesMaximum else {
        queue(line)
        break
      }
      bytes += entries[line].size
      batch.append(line)
      entries[line].status = .sent
      for successor in entries[line].successors { release(successor) }
    }
    // What became ready only because its predecessor is in this batch has to wait for the answer, unless it is in the
    // batch too.
    for line in batch {
      for successor in entries[line].successors where entries[successor].status == .waiting {
        entries[successor].waitsFor += 1
      }
    }
    guard batch.isEmpty || sentCount > 0 && batch.count < bounds.linesMinimum else {
      sentCount += batch.count
      return batch
    }
    putBack(batch)
    return nil
  }

  /// Takes note that a sent line has its final answer.
  package mutating func answer(_ line: Int) {
    guard entries[line].status == .sent else { return }
    sentCount -= 1
    count -= 1
    for successor in entries[line].successors { release(successor) }
    for key in entries[line].keys where tails[key] == line { tails[key] = nil }
    if barrier == line { barrier = nil }
    behindBarrier.remove(line)
    entries.close(line)
  }

  /// One line fewer to wait for. A line already sent in the batch that it was waiting in has nothing to wait for.
  private mutating func release(_ line: Int) {
    guard entries[line].status == .waiting else { return }
    entries[line].waitsFor -= 1
    if entries[line].waitsFor == 0 { queue(line) }
  }

  private mutating func queue(_ line: Int) {
    guard !entries[line].isQueued else { return }
    entries[line].isQueued = true
    ready.push(line)
  }

  private mutating func takeReady() -> Int? {
    while let line = ready.pop() {
      entries[line].isQueued = false
      if entries[line].waitsFor == 0, entries[line].status == .waiting { return line }
    }
    return nil
  }

  /// Undoes a batch that isn't sent. Of what it held, only what waits for nothing outside it is ready again.
  private mutating func putBack(_ batch: [Int]) {
    for line in batch { entries[line].status = .waiting }
    var inside: [Int: Int] = [:]
    for line in batch {
      for successor in entries[line].successors { inside[successor, default: 0] += 1 }
    }
    for line in batch {
      entries[line].waitsFor = inside[line] ?? 0
      if inside[line] == nil { queue(line) }
    }
  }

  /// Entries by line, from the first one that isn't answered on. Lines before it, and those never added, count as answered.
  private struct EntryWindow: Sendable {
    private static let answered = Entry(status: .answered, size: 0, keys: [])
    private var items: [Entry] = []
    /// The line of the first item, and how many items at the front are answered.
    private var base = 0
    private var spent = 0

    subscript(line: Int) -> Entry {
      _read {
        if line >= base, line - base < items.count { yield items[line - base] } else { yield EntryWindow.answered }
      }
      _modify {
        var outside = EntryWindow.answered
        if line >= base, line - base < items.count { yield &items[line - base] } else { yield &outside }
      }
    }

    mutating func append(_ entry: Entry, at line: Int) {
      if items.isEmpty { base = line }
      while base + items.count < line { items.append(EntryWindow.answered) }
      items.append(entry)
    }

    mutating func close(_ line: Int) {
      self[line] = EntryWindow.answered
      while spent < items.count, items[spent].status == .answered { spent += 1 }
      // Compacted when half of it is spent, so that it stays cheap however long the file is.
      guard spent > items.count / 2 else { return }
      items.removeFirst(spent)
      base += spent
      spent = 0
    }
  }
}

/// A heap of line indices, the lowest on top.
struct IndexHeap: Sendable {
  private var items: [Int] = []

  mutating func push(_ item: Int) {
    items.append(item)
    var child = items.count - 1
    while child > 0, items[child] < items[(child - 1) / 2] {
      items.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> Int? {
    guard let top = items.first, let last = items.popLast() else { return nil }
    guard !items.isEmpty else { return top }
    items[0] = last
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child] < items[smallest] {
        smallest = child
      }
      if smallest == parent { return top }
      items.swapAt(parent, smallest)
      parent = smallest
    }
  }
}
