import Commands
import Ledger

/// A slow balance calculator that shares nothing with `evolve`.
struct NaiveBalances: Sendable {
  struct Amounts: Equatable, Sendable {
    var posted: Int64 = 0
    var held: Int64 = 0
  }

  private(set) var accounts: [AccountID: Amounts] = [:]
  /// Accounts that were under their floor after some event, with its position.
  private(set) var underFloor: [(account: AccountID, position: Int64)] = []
  private var floors: [AccountID: Int64] = [:]
  /// What is reserved for commands that wait for a second person.
  private var waiting: [CommandID: [AccountID: Int64]] = [:]

  /// - Returns: false when the event gives back what isn't reserved.
  mutating func add(_ event: AppendedEvent) -> Bool {
    let position = event.origin.position
    switch event.event {
    case .accountOpened(let opened):
      let account = opened.instruction
      accounts[account.accountID] = Amounts()
      if !account.allowNegative { floors[account.accountID] = -account.overdraft }
    case .transferPosted(let posted):
      guard giveBack(posted.approval?.commandID) else { return false }
      move(posted.terms.amount, from: posted.terms.debit.id, to: posted.terms.credit.id, position)
    case .transferHeldForApproval(let held):
      reserve([held.terms.debit.id: held.terms.amount], for: event.origin.commandID, position)
    case .journalPosted(let posted):
      guard giveBack(posted.approval?.commandID) else { return false }
      for (account, change) in Self.changes(posted.terms) { self.change(account, posted: change, position) }
    case .journalHeldForApproval(let held):
      reserve(
        Self.changes(held.terms).filter { $0.value < 0 }.mapValues { -$0 }, for: event.origin.commandID, position)
    case .approvalRejected(let rejected): return giveBack(rejected.note.commandID)
    case .transferReversed(let reversed):
      move(reversed.amount, from: reversed.debitAccountID, to: reversed.creditAccountID, position)
    case .holdPlaced(let placed): change(placed.account.id, held: placed.amount, position)
    case .holdCaptured(let captured):
      change(captured.debitAccountID, held: -captured.amount - captured.released, position)
      move(captured.amount, from: captured.debitAccountID, to: captured.credit.id, position)
    case .holdReleased(let released):
      change(released.returned.accountID, held: -released.returned.amount, position)
    case .holdExpired(let expired): change(expired.returned.accountID, held: -expired.returned.amount, position)
    default: break
    }
    return true
  }

  private static func changes(_ terms: JournalTerms) -> [AccountID: Int64] {
    var changes: [AccountID: Int64] = [:]
    for posting in terms.postings {
      changes[posting.account.id, default: 0] += posting.direction == .debit ? -posting.amount : posting.amount
    }
    return changes
  }

  private mutating func move(_ amount: Int64, from debit: AccountID, to credit: AccountID, _ position: Int64) {
    change(debit, posted: -amount, position)
    change(credit, posted: amount, position)
  }

  private mutating func reserve(_ amounts: [AccountID: Int64], for command: CommandID, _ position: Int64) {
    waiting[command] = amounts
    for (account, amount) in amounts { change(account, held: amount, position) }
  }

  private mutating func giveBack(_ command: CommandID?) -> Bool {
    guard let command else { return true }
    guard let amounts = waiting.removeValue(forKey: command) else { return false }
    for (account, amount) in amounts { accounts[account]?.held -= amount }
    return true
  }

  private mutating func change(_ account: AccountID, posted: Int64 = 0, held: Int64 = 0, _ position: Int64) {
    var amounts = accounts[account] ?? Amounts()
    amounts.posted += posted
    amounts.held += held
    accounts[account] = amounts
    if let floor = floors[account], amounts.posted - amounts.held < floor || amounts.held < 0 {
      underFloor.append((account, position))
    }
  }
}
