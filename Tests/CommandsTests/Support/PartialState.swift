import Commands
import Ledger

extension BookState {
  /// A state as a server makes it: from `whole` only what the collector asks for, and always the book.
  ///
  /// - Returns: nil when there is no end to asking.
  static func loaded(for batch: [CommandEnvelope], from whole: BookState) -> BookState? {
    var state = BookState()
    state.book = whole.book
    var collector = StateNeedsCollector()
    // What the documentation of StateNeeds promises.
    for _ in 0...5 {
      for command in batch { collector.collect(command, on: state) }
      let missing = collector.takeMissing()
      if missing.isEmpty { return state }
      state.load(missing, from: whole)
    }
    return nil
  }

  private mutating func load(_ needs: StateNeeds, from whole: BookState) {
    for id in needs.accounts { accounts[id] = whole.accounts[id] }
    for number in needs.numbers { numbers[number] = whole.numbers[number] }
    for id in needs.customers { customers[id] = whole.customers[id] }
    for id in needs.holds { holds[id] = whole.holds[id] }
    for id in needs.approvals { approvals[id] = whole.approvals[id] }
    for id in needs.transfers { transfers[id] = .some(whole.transfers[id] ?? nil) }
    for id in needs.claims { claimed[id] = whole.isClaimed(id) }
    for name in needs.lists { lists[name] = whole.lists[name] }
  }
}
