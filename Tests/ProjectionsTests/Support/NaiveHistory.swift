import Commands
import Ledger
import Projections

/// Statements by the plainest means: a list a account, added up from the start. It shares nothing with `evolve` and
/// with the model.
struct NaiveHistory {
  struct Line: Equatable {
    var position: Int64
    var leg: Int
    var change: Int64
    var balance: Int64
    var movement: Identifier
    var counterparty: AccountID?
  }

  private(set) var lines: [AccountID: [Line]] = [:]

  init(_ log: [AppendedEvent]) {
    for appended in log {
      let position = appended.origin.position
      switch appended.event {
      case .transferPosted(let posted):
        let terms = posted.terms
        move(terms.amount, from: terms.debit.id, to: terms.credit.id, terms.transferID, position)
      case .transferReversed(let reversed):
        move(
          reversed.amount, from: reversed.debitAccountID, to: reversed.creditAccountID, reversed.transferID, position)
      case .holdCaptured(let captured):
        move(captured.amount, from: captured.debitAccountID, to: captured.credit.id, captured.holdID, position)
      case .journalPosted(let posted):
        let postings = posted.terms.postings
        for (leg, posting) in postings.enumerated() {
          add(
            posting.direction == .debit ? -posting.amount : posting.amount, to: posting.account.id, leg,
            posted.terms.journalID, postings.count == 2 ? postings[1 - leg].account.id : nil, position)
        }
      default: break
      }
    }
  }

  private mutating func move(
    _ amount: Int64, from debit: AccountID, to credit: AccountID, _ movement: Identifier, _ position: Int64
  ) {
    add(-amount, to: debit, 0, movement, credit, position)
    add(amount, to: credit, 1, movement, debit, position)
  }

  private mutating func add(
    _ change: Int64, to account: AccountID, _ leg: Int, _ movement: Identifier, _ counterparty: AccountID?,
    _ position: Int64
  ) {
    let before = lines[account]?.last?.balance ?? 0
    lines[account, default: []].append(
      Line(
        position: position, leg: leg, change: change, balance: before + change, movement: movement,
        counterparty: counterparty))
  }
}

extension NaiveHistory.Line {
  init(_ entry: Entry) {
    self.init(
      position: entry.position, leg: entry.leg, change: entry.direction == .debit ? -entry.amount : entry.amount,
      balance: entry.balance, movement: entry.movementID, counterparty: entry.counterparty)
  }
}
