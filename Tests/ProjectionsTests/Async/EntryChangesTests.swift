import Ledger
import Projections
import Testing

/// What each event does to accounts' histories, a row an event.
@Suite struct EntryChangesTests {
  static let debtor = Identifier(high: 1, low: 1)
  static let creditor = Identifier(high: 1, low: 2)
  static let third = Identifier(high: 1, low: 3)
  static let movement = Identifier(high: 2, low: 1)
  static let command = Identifier(high: 3, low: 1)
  static let date = CalendarDate(daysSince1970: 20_000)
  static let maker = Actor.kauri

  static let terms = TransferTerms(
    PostTransfer(
      transferID: movement, debit: .id(debtor), credit: .id(creditor), amount: 1_250, currency: .nzd,
      reference: PersonalText("rent"), valueDate: date),
    debit: debtor, credit: creditor)

  static let note = ApprovalNote(commandID: Identifier(high: 3, low: 9), maker: maker, reason: nil)

  static func journal(_ postings: (AccountID, Direction, Int64)...) -> JournalTerms {
    JournalTerms(
      PostJournal(
        journalID: movement,
        postings: postings.map {
          PostingInstruction(account: .id($0.0), direction: $0.1, amount: $0.2, currency: .nzd)
        }), accounts: postings.map(\.0))
  }

  static let returned = HoldReturn(
    holdID: movement, accountID: debtor, amount: 300, currency: .nzd, limitsUsedOn: date)

  struct Row: Sendable {
    let name: String
    let event: Event
    /// Account, change, kind, counterparty.
    var postings: [(AccountID, Int64, EntryKind, AccountID?)] = []
    /// What its postings used of limits; nothing where nothing is said.
    var used: [Int64]?
    /// Account, change, what waits.
    var held: [(AccountID, Int64, CommandID?)] = []
    var returned: [CommandID] = []
  }

  static let rows: [Row] = [
    Row(
      name: "a transfer is two entries", event: .transferPosted(TransferPosted(terms: terms, basis: DecisionBasis())),
      postings: [(debtor, -1_250, .transfer, creditor), (creditor, 1_250, .transfer, debtor)], used: [1_250, 0]),
    Row(
      name: "an approved one gives its reservation back first",
      event: .transferPosted(TransferPosted(terms: terms, basis: DecisionBasis(), approval: note)),
      postings: [(debtor, -1_250, .transfer, creditor), (creditor, 1_250, .transfer, debtor)],
      held: [(debtor, -1_250, nil)]),
    Row(
      name: "one that waits reserves",
      event: .transferHeldForApproval(TransferHeldForApproval(terms: terms, basis: DecisionBasis())),
      held: [(debtor, 1_250, command)]),
    Row(
      name: "a declined one does nothing",
      event: .transferDeclined(TransferDeclined(instruction: terms.instruction, code: .insufficientFunds, checks: []))),
    Row(
      name: "a journal of two has counterparties",
      event: .journalPosted(JournalPosted(terms: journal((debtor, .debit, 7), (creditor, .credit, 7)), checks: [])),
      postings: [(debtor, -7, .journal, creditor), (creditor, 7, .journal, debtor)], used: [7, 0]),
    Row(
      name: "a journal of three has none",
      event: .journalPosted(
        JournalPosted(terms: journal((debtor, .debit, 7), (creditor, .credit, 3), (third, .credit, 4)), checks: [])),
      postings: [(debtor, -7, .journal, nil), (creditor, 3, .journal, nil), (third, 4, .journal, nil)],
      used: [7, 0, 0]),
    Row(
      name: "a journal uses what leaves each account on balance, once",
      event: .journalPosted(
        JournalPosted(
          terms: journal((debtor, .credit, 2), (third, .debit, 1), (debtor, .debit, 7), (creditor, .credit, 6)),
          checks: [])),
      postings: [
        (debtor, 2, .journal, nil), (third, -1, .journal, nil), (debtor, -7, .journal, nil),
        (creditor, 6, .journal, nil),
      ], used: [5, 1, 0, 0]),
    Row(
      name: "an approved journal used it when it began to wait",
      event: .journalPosted(
        JournalPosted(terms: journal((debtor, .debit, 7), (creditor, .credit, 7)), checks: [], approval: note)),
      postings: [(debtor, -7, .journal, creditor), (creditor, 7, .journal, debtor)], held: [(debtor, -7, nil)]),
    Row(
      name: "a journal that waits reserves what leaves each account on balance",
      event: .journalHeldForApproval(
        JournalHeldForApproval(
          terms: journal((debtor, .debit, 7), (debtor, .credit, 2), (creditor, .credit, 5)), checks: [])),
      held: [(debtor, 5, command)]),
    Row(
      name: "a hold reserves",
      event: .holdPlaced(
        HoldPlaced(
          PlaceHold(holdID: movement, account: .id(debtor), amount: 300, currency: .nzd), account: debtor,
          basis: DecisionBasis())),
      held: [(debtor, 300, nil)]),
    Row(
      name: "a capture moves a part and gives the rest back",
      event: .holdCaptured(
        HoldCaptured(
          CaptureHold(holdID: movement, credit: .id(creditor), amount: 200), debitAccountID: debtor, credit: creditor,
          amount: 200, released: 100, currency: .nzd, limitsUsedOn: date)),
      postings: [(debtor, -200, .capture, creditor), (creditor, 200, .capture, debtor)], held: [(debtor, -300, nil)]),
    Row(
      name: "a release gives back", event: .holdReleased(HoldReleased(returned: returned, reason: nil)),
      held: [(debtor, -300, nil)]),
    Row(
      name: "an expiry gives back", event: .holdExpired(HoldExpired(returned: returned)), held: [(debtor, -300, nil)]),
    Row(
      name: "a reversal goes the other way",
      event: .transferReversed(
        TransferReversed(
          transferID: movement, reason: PersonalText("mistake"), debitAccountID: creditor, creditAccountID: debtor,
          amount: 1_250, currency: .nzd, limitsUsedOn: date)),
      postings: [(creditor, -1_250, .reversal, debtor), (debtor, 1_250, .reversal, creditor)]),
    Row(
      name: "a rejection returns what was reserved for it",
      event: .approvalRejected(
        ApprovalRejected(note: note, cause: .rejected, subject: StreamID(.transfer, movement))),
      returned: [note.commandID]),
    Row(
      name: "the rejection of a policy returns nothing",
      event: .approvalRejected(ApprovalRejected(note: note, cause: .rejected, subject: StreamID(.book, movement)))),
    Row(
      name: "an account's opening is where its past begins",
      event: .accountOpened(
        AccountOpened(instruction: OpenAccount(accountID: debtor, kind: .internal, currency: .nzd))),
      held: [(debtor, 0, nil)]),
  ]

  @Test("each event's changes", arguments: rows)
  func changes(row: Row) {
    let moment = Moment(microseconds: 77)
    let origin = EventOrigin(
      position: 42, stream: row.event.stream(command: EntryChangesTests.command), version: 1,
      commandID: EntryChangesTests.command, index: 0, actor: EntryChangesTests.maker, causation: nil,
      correlation: EntryChangesTests.command, moment: moment, bookDate: EntryChangesTests.date, ruleSet: 1)
    var postings: [EntryChange.Posting] = []
    var held: [EntryChange] = []
    var returned: [EntryChange] = []
    for change in EntriesModel().changes(for: RecordedEvent(origin: origin, event: row.event)) {
      switch change {
      case .posting(let posting): postings.append(posting)
      case .held: held.append(change)
      case .returned: returned.append(change)
      }
    }
    #expect(postings.map(\.accountID) == row.postings.map(\.0), "\(row.name)")
    #expect(postings.map(\.change) == row.postings.map(\.1), "\(row.name)")
    #expect(postings.map(\.used) == row.used ?? row.postings.map { _ in 0 }, "\(row.name)")
    #expect(postings.map(\.kind) == row.postings.map(\.2), "\(row.name)")
    #expect(postings.map(\.counterparty) == row.postings.map(\.3), "\(row.name)")
    #expect(postings.map(\.leg) == Array(postings.indices), "\(row.name)")
    #expect(postings.allSatisfy { $0.moment == moment && $0.position == 42 && $0.bookDate == EntryChangesTests.date })
    #expect(
      held
        == row.held.map { .held(accountID: $0.0, change: $0.1, waitingCommand: $0.2, position: 42) }, "\(row.name)")
    #expect(returned == row.returned.map { .returned(waitingCommand: $0, position: 42) }, "\(row.name)")
  }

  @Test("nothing is passed over: what changes an account's history is among the types that are read")
  func types() {
    for row in EntryChangesTests.rows where !row.postings.isEmpty || !row.held.isEmpty || !row.returned.isEmpty {
      #expect(EntriesModel.eventTypes.contains(row.event.type), "\(row.name)")
    }
  }
}
