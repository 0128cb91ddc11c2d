public import Ledger
public import Postgres

/// Every command that was declined, with its reason: what operations look at when customers complain.
public struct DeclinesModel: AsyncReadModel {
  public static let name = "declines"
  public static let eventTypes: Set<String> = Set(
    [TransferDeclined.type, JournalDeclined.type, CommandDeclined.type, ApprovalRejected.type].map(\.description))

  /// Nothing: a row stands for itself.
  public struct Memory: Sendable {}

  public init() {}

  public var emptyMemory: Memory { Memory() }

  public func changes(for recorded: RecordedEvent) -> [Decline] {
    switch recorded.event {
    case .transferDeclined(let declined):
      return [decline(.postTransfer(declined.instruction), declined.code, recorded.origin)]
    case .journalDeclined(let declined):
      return [decline(.postJournal(declined.instruction), declined.code, recorded.origin)]
    case .commandDeclined(let declined): return [decline(declined.instruction, declined.code, recorded.origin)]
    case .approvalRejected(let rejected):
      // Somebody said yes, and by then a check failed; where somebody said no, nothing was declined.
      guard rejected.cause == .checksFailed, let code = rejected.code else { return [] }
      let approve = Approve(commandID: rejected.note.commandID, reason: nil)
      return [decline(.approve(approve), code, recorded.origin)]
    default: return []
    }
  }

  private func decline(_ instruction: Instruction, _ code: RejectionCode, _ origin: EventOrigin) -> Decline {
    let concern = DeclinedConcern(instruction)
    return Decline(
      position: origin.position, commandID: origin.commandID, command: instruction.name, code: code,
      actor: origin.actor, accountID: concern.accountID, amount: concern.amount, currency: concern.currency,
      moment: origin.moment, bookDate: origin.bookDate)
  }

  public func apply(
    _ declines: [Decline], to generation: Generation, remembering memory: inout Memory, _ session: Session
  ) throws {
    guard !declines.isEmpty else { return }
    var positions = ArrayBuilder.int8(reserving: declines.count)
    var commandIDs = ArrayBuilder.uuid(reserving: declines.count)
    var commands = ArrayBuilder.text(reserving: declines.count)
    var codes = ArrayBuilder.text(reserving: declines.count)
    var actors = ArrayBuilder.text(reserving: declines.count)
    var accounts = ArrayBuilder.uuid(reserving: declines.count)
    var amounts = ArrayBuilder.int8(reserving: declines.count)
    var currencies = ArrayBuilder.text(reserving: declines.count)
    var moments = ArrayBuilder.timestamptz(reserving: declines.count)
    var dates = ArrayBuilder.date(reserving: declines.count)
    for decline in declines {
      positions.append(decline.position)
      commandIDs.append(decline.commandID)
      commands.append(decline.command)
      codes.append(decline.code.rawValue)
      actors.append(decline.actor.description)
      accounts.append(decline.accountID)
      amounts.append(decline.amount)
      currencies.append(decline.currency?.code)
      moments.append(microsecondsSince1970: decline.moment.microseconds)
      dates.append(daysSince1970: decline.bookDate.daysSince1970)
    }
    try session.copyIn(
      into: generation.table("declines"),
      [
        ("position", positions.parameter), ("command_id", commandIDs.parameter), ("command", commands.parameter),
        ("code", codes.parameter), ("actor", actors.parameter), ("account_id", accounts.parameter),
        ("amount", amounts.parameter), ("currency", currencies.parameter), ("moment", moments.parameter),
        ("book_date", dates.parameter),
      ])
  }
}

/// The account and the amount that a declined command was about.
private struct DeclinedConcern {
  var accountID: AccountID?
  /// Minor units.
  var amount: MinorUnits?
  var currency: Currency?

  init(_ instruction: Instruction) {
    switch instruction {
    case .postTransfer(let transfer): set(transfer.debit, transfer.amount, transfer.currency)
    case .placeHold(let hold): set(hold.account, hold.amount, hold.currency)
    case .captureHold(let capture): amount = capture.amount
    case .openAccount(let open):
      accountID = open.accountID
      currency = open.currency
    case .freezeAccount(let freeze): set(freeze.change.account)
    case .unfreezeAccount(let unfreeze): set(unfreeze.change.account)
    case .closeAccount(let close): set(close.change.account)
    case .setLimit(let limit):
      amount = limit.amount
      currency = limit.currency
    default: break
    }
  }

  private mutating func set(_ account: AccountReference, _ amount: MinorUnits? = nil, _ currency: Currency? = nil) {
    if case .id(let id) = account { accountID = id }
    self.amount = amount
    self.currency = currency
  }
}
