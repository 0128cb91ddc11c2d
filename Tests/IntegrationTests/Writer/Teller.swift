import Commands
import Ledger

/// A seeded source of chance, so that a failing run can be run again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Makes commands about a few customers and accounts, some of them nonsense.
struct Teller {
  static let settlement = Identifier(high: 0xACC0, low: 0)
  let accounts: [AccountID]
  private var generator: SeededGenerator
  private var holds: [HoldID] = []
  private var transfers: [TransferID] = []

  init(accounts count: Int, seed: UInt64) {
    generator = SeededGenerator(seed: seed)
    accounts = (1...count).map { Identifier(high: 0xACC0, low: UInt64($0)) }
  }

  static let staff: [Actor] = ["op-1", "op-2"].compactMap { Actor(role: .operator, subject: $0) }

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
      commands.append(give(transfer(from: Teller.settlement, to: account, funds)))
    }
    return commands
  }

  /// Something that somebody might ask.
  mutating func next() -> CommandEnvelope {
    let (one, other) = (pick(accounts), pick(accounts))
    let amount = Int64.random(in: 1...400, using: &generator)
    switch Int.random(in: 0..<20, using: &generator) {
    case 0:
      let hold = newIdentifier()
      holds.append(hold)
      return give(.placeHold(PlaceHold(holdID: hold, account: .id(one), amount: amount, currency: .nzd)))
    case 1 where !holds.isEmpty:
      return give(.captureHold(CaptureHold(holdID: pick(holds), credit: .id(other), amount: amount)))
    case 2 where !holds.isEmpty: return give(.releaseHold(ReleaseHold(holdID: pick(holds))))
    case 3 where !transfers.isEmpty:
      return give(
        .reverseTransfer(ReverseTransfer(transferID: pick(transfers), reason: PersonalText("sent twice"))))
    case 4:
      let kinds: [LimitKind] = [.daily, .perTransaction, .rolling30Days]
      return give(
        .setLimit(SetLimit(subject: .id(one), kind: pick(kinds), amount: amount * 20, currency: .nzd)))
    case 5: return give(.freezeAccount(FreezeAccount(account: .id(one))))
    case 6, 7: return give(.unfreezeAccount(UnfreezeAccount(account: .id(one))))
    default:
      let command = give(transfer(from: one, to: other, amount))
      transfers.append(command.id)
      return command
    }
  }

  private mutating func transfer(from debit: AccountID, to credit: AccountID, _ amount: Int64) -> Instruction {
    .postTransfer(
      PostTransfer(transferID: .zero, debit: .id(debit), credit: .id(credit), amount: amount, currency: .nzd))
  }

  private mutating func give(_ instruction: Instruction) -> CommandEnvelope {
    let id = newIdentifier()
    var instruction = instruction
    if case .postTransfer(var transfer) = instruction {
      transfer.transferID = id
      instruction = .postTransfer(transfer)
    }
    return CommandEnvelope(id: id, actor: Teller.staff[0], instruction: instruction)
  }

  private mutating func newIdentifier() -> Identifier {
    Identifier(high: generator.next(), low: generator.next())
  }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &generator)]
  }
}
