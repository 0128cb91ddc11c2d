public import Ledger

/// What an event does to accounts' histories.
public enum EntryChange: Hashable, Sendable {
  /// A posting, to which the balance after it is added as it is applied.
  case posting(Posting)
  /// More (or less) is held on an account, for what waits under `waitingCommand` or for a hold.
  case held(accountID: AccountID, change: MinorUnits, waitingCommand: CommandID?, position: Int64)
  /// Whatever was held for the command that waited is given back.
  case returned(waitingCommand: CommandID, position: Int64)

  /// One statement line, but for the balance after it.
  public struct Posting: Hashable, Sendable {
    public var accountID: AccountID
    public var position: Int64
    public var leg: Int
    public var kind: EntryKind
    public var movementID: Identifier
    /// Minor units; negative for a debit.
    public var change: MinorUnits
    /// What it used of limits on its own book date, in minor units: nothing where that was used when it began to wait for
    /// a second person.
    public var used: MinorUnits
    public var counterparty: AccountID?
    public var bookDate: CalendarDate
    public var valueDate: CalendarDate?
    public var moment: Moment
    public var text: PersonalText?
  }
}

/// Makes an event's changes.
struct EntryChanges {
  let origin: EventOrigin
  private(set) var changes: [EntryChange] = []

  init(_ recorded: RecordedEvent) {
    origin = recorded.origin
    switch recorded.event {
    case .accountOpened(let opened): hold(0, on: opened.instruction.accountID)
    case .transferPosted(let posted): add(posted)
    case .transferHeldForApproval(let held):
      hold(held.terms.amount, on: held.terms.debit.id, waiting: origin.commandID)
    case .transferReversed(let reversed):
      transfer(
        .reversal, of: reversed.transferID, from: reversed.debitAccountID, to: reversed.creditAccountID,
        reversed.amount, text: reversed.reason)
    case .journalPosted(let posted): add(posted)
    case .journalHeldForApproval(let held):
      for (account, amount) in held.terms.orderedDebits { hold(amount, on: account, waiting: origin.commandID) }
    case .holdPlaced(let placed): hold(placed.amount, on: placed.account.id)
    case .holdCaptured(let captured):
      hold(-(captured.amount + captured.released), on: captured.debitAccountID)
      transfer(
        .capture, of: captured.holdID, from: captured.debitAccountID, to: captured.credit.id, captured.amount)
    case .holdReleased(let released): hold(-released.returned.amount, on: released.returned.accountID)
    case .holdExpired(let expired): hold(-expired.returned.amount, on: expired.returned.accountID)
    case .approvalRejected(let rejected):
      switch rejected.subject.kind {
      case .transfer, .journal:
        changes.append(.returned(waitingCommand: rejected.note.commandID, position: origin.position))
      default: break
      }
    default: break
    }
  }

  private mutating func add(_ posted: TransferPosted) {
    let terms = posted.terms
    if posted.approval != nil { hold(-terms.amount, on: terms.debit.id) }
    transfer(
      .transfer, of: terms.transferID, from: terms.debit.id, to: terms.credit.id, terms.amount,
      used: posted.approval == nil ? terms.amount : 0, valueDate: terms.valueDate, text: terms.reference)
  }

  private mutating func add(_ posted: JournalPosted) {
    let terms = posted.terms
    // An account's first posting says what all of its postings used.
    var used: [AccountID: MinorUnits] = [:]
    if posted.approval != nil {
      for (account, amount) in terms.orderedDebits { hold(-amount, on: account) }
    } else {
      used = terms.netDebits
    }
    for (leg, posting) in terms.postings.enumerated() {
      // With two postings the other one is the counterparty; with more there is no saying who paid whom.
      let other = terms.postings.count == 2 ? terms.postings[1 - leg].account.id : nil
      post(
        .journal, of: terms.journalID, leg, on: posting.account.id, posting.signedAmount,
        used: used.removeValue(forKey: posting.account.id) ?? 0, counterparty: other, valueDate: terms.valueDate,
        text: terms.reference)
    }
  }

  private mutating func transfer(
    _ kind: EntryKind, of movement: Identifier, from debit: AccountID, to credit: AccountID, _ amount: MinorUnits,
    used: MinorUnits = 0, valueDate: CalendarDate? = nil, text: PersonalText? = nil
  ) {
    post(kind, of: movement, 0, on: debit, -amount, used: used, counterparty: credit, valueDate: valueDate, text: text)
    post(kind, of: movement, 1, on: credit, amount, used: 0, counterparty: debit, valueDate: valueDate, text: text)
  }

  private mutating func post(
    _ kind: EntryKind, of movement: Identifier, _ leg: Int, on account: AccountID, _ change: MinorUnits,
    used: MinorUnits, counterparty: AccountID?, valueDate: CalendarDate?, text: PersonalText?
  ) {
    changes.append(
      .posting(
        EntryChange.Posting(
          accountID: account, position: origin.position, leg: leg, kind: kind, movementID: movement, change: change,
          used: used, counterparty: counterparty, bookDate: origin.bookDate, valueDate: valueDate,
          moment: origin.moment, text: text)))
  }

  private mutating func hold(_ change: MinorUnits, on account: AccountID, waiting: CommandID? = nil) {
    changes.append(
      .held(accountID: account, change: change, waitingCommand: waiting, position: origin.position))
  }
}

extension JournalTerms {
  /// What leaves each account on balance, in a fixed order.
  fileprivate var orderedDebits: [(AccountID, MinorUnits)] {
    netDebits.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
