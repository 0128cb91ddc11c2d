import Commands
import Ledger

/// Makes commands about a few customers and accounts, some of them nonsense: approvals of what never waited, holds that
/// have ended, transfers that were reversed, money that isn't there.
struct Teller: Sendable {
  static let settlement = Identifier(high: 0xACC0, low: 0)
  static let staff: [Actor] = ["op-1", "op-2"].compactMap { Actor(role: .operator, subject: $0) }

  let accounts: [AccountID]
  private var generator: SeededGenerator
  private var holds: [HoldID] = []
  private var transfers: [TransferID] = []
  /// Commands that may wait for a second person.
  private var movements: [CommandID] = []

  init(accounts count: Int, seed: UInt64 = SeededGenerator.seed) {
    generator = SeededGenerator(seed: seed)
    accounts = (1...count).map { Identifier(high: 0xACC0, low: UInt64($0)) }
  }

  /// An internal account, customers, and a funded account each.
  mutating func opening(funds: Int64) -> [CommandEnvelope] {
    var commands = [
      give(
        .openAccount(OpenAccount(accountID: Teller.settlement, kind: .internal, currency: .nzd, allowNegative: true)))
    ]
    for account in accounts {
      let customer = Identifier(high: 0xC057, low: account.low)
      commands.append(
        give(
          .registerCustomer(RegisterCustomer(customerID: customer, name: PersonalText("Customer \(account.low)")))))
      commands.append(give(.verifyCustomer(VerifyCustomer(customerID: customer))))
      commands.append(
        give(.openAccount(OpenAccount(accountID: account, kind: .customer, customerID: customer, currency: .nzd))))
      commands.append(transfer(from: Teller.settlement, to: account, funds))
    }
    return commands
  }

  /// Something that somebody might ask.
  mutating func next() -> CommandEnvelope {
    let (one, other) = (pick(accounts), pick(accounts))
    let amount = Int64.random(in: 1...400, using: &generator)
    switch Int.random(in: 0..<26, using: &generator) {
    case 0, 1: return placeHold(on: one, amount)
    case 2 where !holds.isEmpty: return captureHold(recent(holds), to: other, amount)
    case 3 where !holds.isEmpty: return give(.releaseHold(ReleaseHold(holdID: recent(holds))))
    case 4 where !transfers.isEmpty: return reverse(recent(transfers))
    case 5:
      let kinds: [LimitKind] = [.daily, .perTransaction, .rolling30Days]
      return give(.setLimit(SetLimit(subject: .id(one), kind: pick(kinds), amount: amount * 400, currency: .nzd)))
    case 6: return setThreshold(of: one, amount > 200 ? nil : amount + 150)
    case 7, 8, 9:
      guard !movements.isEmpty else { return transfer(from: one, to: other, amount) }
      return decide(recent(movements), yes: amount > 120, by: Teller.staff[amount % 7 == 0 ? 0 : 1])
    case 10: return journal(from: one, to: other, and: pick(accounts), amount)
    case 11 where amount > 250: return give(.freezeAccount(FreezeAccount(account: .id(one))))
    case 12, 13: return give(.unfreezeAccount(UnfreezeAccount(account: .id(one))))
    default: return transfer(from: one, to: other, amount, chosen: amount % 9 == 0)
    }
  }

  // MARK: Particular commands

  /// - Parameter chosen: whether the transfer gets an id of its own, other than the command's.
  mutating func transfer(
    from debit: AccountID, to credit: AccountID, _ amount: Int64, chosen: Bool = false
  ) -> CommandEnvelope {
    let id = newIdentifier()
    let transferID = chosen ? newIdentifier() : id
    transfers.append(transferID)
    movements.append(id)
    return CommandEnvelope(
      id: id, actor: Teller.staff[0],
      instruction: .postTransfer(
        PostTransfer(
          transferID: transferID, debit: .id(debit), credit: .id(credit), amount: amount, currency: .nzd,
          reference: amount % 4 == 0 ? PersonalText("invoice \(amount)") : nil)))
  }

  mutating func journal(
    from debit: AccountID, to credit: AccountID, and other: AccountID, _ amount: Int64
  ) -> CommandEnvelope {
    let id = newIdentifier()
    movements.append(id)
    let postings = [(debit, Direction.debit, amount + 1), (credit, .credit, amount), (other, .credit, 1)]
    return CommandEnvelope(
      id: id, actor: Teller.staff[0],
      instruction: .postJournal(
        PostJournal(
          journalID: id,
          postings: postings.map { account, direction, amount in
            PostingInstruction(account: .id(account), direction: direction, amount: amount, currency: .nzd)
          })))
  }

  mutating func placeHold(on account: AccountID, _ amount: Int64) -> CommandEnvelope {
    let hold = newIdentifier()
    holds.append(hold)
    return give(.placeHold(PlaceHold(holdID: hold, account: .id(account), amount: amount, currency: .nzd)))
  }

  mutating func captureHold(_ hold: HoldID, to credit: AccountID, _ amount: Int64) -> CommandEnvelope {
    give(.captureHold(CaptureHold(holdID: hold, credit: .id(credit), amount: amount)))
  }

  mutating func reverse(_ transfer: TransferID) -> CommandEnvelope {
    give(.reverseTransfer(ReverseTransfer(transferID: transfer, reason: PersonalText("sent twice"))))
  }

  mutating func setThreshold(of account: AccountID, _ amount: Int64?) -> CommandEnvelope {
    give(.setLimit(SetLimit(subject: .id(account), kind: .approvalThreshold, amount: amount, currency: .nzd)))
  }

  /// What a second person says of a command that waits; by the first person it is declined.
  mutating func decide(_ waiting: CommandID, yes: Bool, by actor: Actor) -> CommandEnvelope {
    var command = give(yes ? .approve(Approve(commandID: waiting)) : .reject(Reject(commandID: waiting)))
    command.actor = actor
    return command
  }

  // MARK: Chance

  private mutating func give(_ instruction: Instruction) -> CommandEnvelope {
    CommandEnvelope(id: newIdentifier(), actor: Teller.staff[0], instruction: instruction)
  }

  private mutating func newIdentifier() -> Identifier {
    Identifier(high: generator.next(), low: generator.next())
  }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &generator)]
  }

  /// One of the last few, which others are likely to be after at the same time.
  private mutating func recent<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: max(0, elements.count - 24)..<elements.count, using: &generator)]
  }
}
