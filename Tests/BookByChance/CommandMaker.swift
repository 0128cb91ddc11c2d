package import Commands
package import Ledger

/// Makes commands about few customers and accounts, most of them sensible, some nonsense, so that they get into each
/// other's way.
package struct CommandMaker {
  package var chance: Chance
  /// From noon of 18 November 2026, UTC.
  package private(set) var moment = Moment(microseconds: 1_795_003_200_000_000)
  private var commands: UInt64 = 0
  private var listVersion = 0
  /// Open accounts by currency, so that most movements can be.
  private var open: [Currency: [AccountID]] = [:]

  package init(_ chance: Chance) { self.chance = chance }

  static let book = Identifier(high: 0, low: 0xB00C)
  static let customers = (1...4).map { Identifier(high: 0xC, low: $0) }
  package static let accounts = (1...12).map { Identifier(high: 0xA, low: $0) }
  static let numbers = [
    "01-0902-0068389-00", "08-6523-1954512-001", "062-000 12345678",
  ].compactMap { try? AccountNumber($0) }
  static let lists = ["UN", "DFAT"]

  /// Whoever proposes, and whoever agrees.
  package static let maker = Actor.maker
  package static let checker = Actor.checker

  // MARK: Time

  /// Mostly moments later, sometimes weeks.
  package mutating func nextContext(on state: BookState) -> DecisionContext {
    let seconds: Int64 =
      switch chance.index(below: 20) {
      case 0: Int64(chance.index(below: 20 * 86_400))
      case 1...5: Int64(chance.index(below: 86_400))
      default: Int64(chance.index(below: 100))
      }
    moment = Moment(microseconds: moment.microseconds + seconds * 1_000_000 + 1)
    return DecisionContext(moment: moment, bookDate: moment.dateUTC, ruleSet: state.book?.ruleSet ?? 1)
  }

  // MARK: Commands

  /// The commands that a book begins with, so that money moves early.
  package mutating func opening() -> [CommandEnvelope] {
    var opening = [
      envelope(
        .openBook(
          OpenBook(
            bookID: CommandMaker.book, timeZone: "Pacific/Auckland", currency: .nzd, policies: Policies(), ruleSet: 1)),
        by: .kauri)
    ]
    for customer in CommandMaker.customers.dropLast() {
      opening.append(envelope(.registerCustomer(RegisterCustomer(customerID: customer, name: text())), by: .maker))
      opening.append(envelope(.verifyCustomer(VerifyCustomer(customerID: customer)), by: .maker))
    }
    for (index, account) in CommandMaker.accounts.prefix(9).enumerated() {
      let owner = index < 3 ? nil : CommandMaker.customers[index % 3]
      opening.append(
        envelope(
          .openAccount(
            OpenAccount(
              accountID: account, kind: owner == nil ? .internal : .customer, customerID: owner,
              currency: index == 1 || index == 8 ? .aud : .nzd,
              number: index < 5 && index > 2 ? number(index - 3) : nil,
              overdraft: index == 5 ? 500 : 0, allowNegative: index < 2)), by: .maker))
    }
    for subject in [CommandMaker.customers[0], CommandMaker.accounts[4], CommandMaker.accounts[0]] {
      let threshold = SetLimit(subject: .id(subject), kind: .approvalThreshold, amount: 150, currency: .nzd)
      opening.append(envelope(.setLimit(threshold), by: .maker))
    }
    return opening
  }

  package mutating func next(on state: BookState) -> CommandEnvelope {
    open = Dictionary(grouping: state.accounts.values.filter { $0.status == .open }, by: \.currency)
      .mapValues { $0.map(\.id).sorted() }
    let instruction = instruction(on: state)
    var command = envelope(instruction, by: actor(for: instruction, on: state))
    if chance.oneIn(40) { command.expectedVersion = Int64(chance.index(below: 4)) }
    return command
  }

  private mutating func envelope(_ instruction: Instruction, by actor: Actor) -> CommandEnvelope {
    defer { commands += 1 }
    return CommandEnvelope(id: commandID, actor: actor, instruction: instruction)
  }

  private var commandID: CommandID { Identifier(high: 0xC0, low: commands) }

  /// An id of a command that has been given, or will be.
  private mutating func anyCommandID() -> CommandID {
    Identifier(high: 0xC0, low: UInt64(chance.index(below: Int(commands) + 2)))
  }

  private mutating func actor(for instruction: Instruction, on state: BookState) -> Actor {
    if case .openBook = instruction { return .kauri }
    if case .activateRuleSet = instruction { return chance.pick([.kauri, .maker, .checker]) }
    if case .postTransfer(let transfer) = instruction, chance.oneIn(3) {
      let owner = state.account(transfer.debit)?.customerID
      if owner == nil, !chance.oneIn(10) { return .service }
      if let owner, !chance.oneIn(10) { return .customer(owner) }
      return .customer(chance.pick(CommandMaker.customers))
    }
    if case .recordFraudScore = instruction { return .service }
    switch chance.index(below: 80) {
    case 0: return .auditor
    case 1: return .customer(chance.pick(CommandMaker.customers))
    case 2: return .service
    case 3: return .named(.service, "mia")
    case 4: return .kauri
    default: return chance.pick([.maker, .checker, .named(.operator, "third")])
    }
  }

  private mutating func instruction(on state: BookState) -> Instruction {
    switch chance.index(below: 100) {
    case ..<32: transfer()
    case ..<42: journal()
    case ..<64: followUp(on: state)
    case ..<72: hold()
    case ..<93: control(on: state)
    default: register()
    }
  }

  private mutating func transfer() -> Instruction {
    let currency = currency()
    return .postTransfer(
      PostTransfer(
        transferID: chance.oneIn(8) ? anyCommandID() : commandID, debit: debtor(currency),
        credit: account(currency), amount: amount(), currency: currency, reference: maybeText(),
        channel: chance.oneIn(2) ? nil : chance.pick(Channel.allCases),
        valueDate: chance.oneIn(5) ? moment.dateUTC : nil, occurredAt: chance.oneIn(5) ? moment : nil))
  }

  private mutating func journal() -> Instruction {
    var postings: [PostingInstruction] = []
    for _ in 0...chance.index(below: 2) {
      let currency = currency()
      let amount = amount()
      let first = amount > 1 ? MinorUnits(chance.index(below: 1_000)) % amount : 0
      postings.append(
        PostingInstruction(account: debtor(currency), direction: .debit, amount: amount, currency: currency))
      for part in [first, amount - first] where part > 0 {
        postings.append(
          PostingInstruction(account: account(currency), direction: .credit, amount: part, currency: currency))
      }
      if chance.oneIn(3) {
        let both = self.amount()
        for direction in Direction.allCases {
          postings.append(
            PostingInstruction(account: account(currency), direction: direction, amount: both, currency: currency))
        }
      }
    }
    if chance.oneIn(12) { postings[0].amount = self.amount() }
    postings.shuffle(using: &chance)
    return .postJournal(
      PostJournal(
        journalID: chance.oneIn(8) ? anyCommandID() : commandID, postings: postings, reference: maybeText(),
        valueDate: chance.oneIn(5) ? moment.dateUTC : nil))
  }

  private mutating func hold() -> Instruction {
    let currency = currency()
    let expiry = Moment(microseconds: moment.microseconds + Int64(chance.index(below: 200_000)) * 1_000_000)
    return .placeHold(
      PlaceHold(
        holdID: chance.oneIn(8) ? anyCommandID() : commandID, account: debtor(currency), amount: amount(),
        currency: currency, expiresAt: chance.oneIn(2) ? expiry : nil))
  }

  /// What builds on something earlier: it knows where to look, and sometimes looks elsewhere.
  private mutating func followUp(on state: BookState) -> Instruction {
    let transfers = state.transfers.keys.sorted()
    let active = state.holds.values.filter { $0.status == .active }.map(\.id).sorted()
    let hold = (chance.oneIn(6) ? nil : chance.pickAny(active)) ?? anyCommandID()
    let waiting = state.approvals.values.filter { $0.status == .waiting }.map(\.commandID).sorted()
    let approval = (chance.oneIn(6) ? nil : chance.pickAny(waiting)) ?? anyCommandID()
    switch chance.index(below: 14) {
    case ..<4:
      return .reverseTransfer(
        ReverseTransfer(
          transferID: (chance.oneIn(6) ? nil : chance.pickAny(transfers)) ?? anyCommandID(), reason: text()))
    case ..<7:
      return .captureHold(
        CaptureHold(holdID: hold, credit: account(.nzd), amount: chance.oneIn(2) ? nil : amount()))
    case 7: return .releaseHold(ReleaseHold(holdID: hold, reason: maybeText()))
    case 8: return .expireHold(ExpireHold(holdID: hold))
    case 9: return .reject(Reject(commandID: approval, reason: maybeText()))
    default: return .approve(Approve(commandID: approval, reason: maybeText()))
    }
  }

  private mutating func control(on state: BookState) -> Instruction {
    switch chance.index(below: 20) {
    case ..<8:
      return .setLimit(
        SetLimit(
          subject: chance.oneIn(3) ? subject() : account(.nzd), kind: chance.pick(LimitKind.allCases),
          amount: chance.oneIn(4) ? nil : MinorUnits(chance.index(below: chance.pick([100, 1_000, 4_000]))),
          currency: currency()))
    case ..<10: return .setPolicy(SetPolicy(change: policy()))
    case ..<11: return .recordFraudScore(RecordFraudScore(report: score()))
    case ..<12: return .recordRiskScore(RecordRiskScore(report: score()))
    case ..<13: return .recordAmlScore(RecordAmlScore(report: score()))
    case ..<15: return importList()
    case ..<16 where chance.oneIn(3): return .confirmMatch(ConfirmMatch(finding: finding()))
    case ..<18: return .clearMatch(ClearMatch(finding: finding()))
    case ..<19:
      return chance.oneIn(2)
        ? .recordDataRead(RecordDataRead(customerID: chance.pick(CommandMaker.customers), resource: "GET /x"))
        : .recordRefusal(RecordRefusal(resource: "GET /x", objectID: chance.pick(CommandMaker.accounts)))
    default:
      if chance.oneIn(2) { return .activateRuleSet(ActivateRuleSet(ruleSet: 1 + chance.index(below: 3))) }
      return .openBook(
        OpenBook(bookID: CommandMaker.book, timeZone: "Europe/Paris", currency: .eur, policies: Policies(), ruleSet: 1))
    }
  }

  private mutating func register() -> Instruction {
    let customer = chance.pick(CommandMaker.customers)
    switch chance.index(below: 16) {
    case 0:
      return .registerCustomer(
        RegisterCustomer(customerID: customer, name: text(), dateOfBirth: maybeText(), country: "NZ"))
    case ..<5: return .verifyCustomer(VerifyCustomer(customerID: customer))
    case 5 where chance.oneIn(3): return .rejectCustomer(RejectCustomer(customerID: customer, reason: maybeText()))
    case 6 where chance.oneIn(3): return .eraseCustomer(EraseCustomer(customerID: customer, reason: text()))
    case 6 where chance.oneIn(2): return .suspendCustomer(SuspendCustomer(customerID: customer, reason: maybeText()))
    case ..<10:
      let isInternal = chance.oneIn(4)
      return .openAccount(
        OpenAccount(
          accountID: chance.pick(CommandMaker.accounts), kind: isInternal ? .internal : .customer,
          customerID: isInternal ? nil : customer, currency: currency(), name: maybeText(),
          number: chance.oneIn(2) ? number(chance.index(below: 3)) : nil,
          overdraft: chance.oneIn(3) ? amount() : 0, allowNegative: isInternal && chance.oneIn(2),
          classification: isInternal ? chance.pick(Classification.allCases) : nil))
    case 10: return .freezeAccount(FreezeAccount(account: account(), reason: maybeText()))
    case ..<15: return .unfreezeAccount(UnfreezeAccount(account: account(), reason: maybeText()))
    default: return .closeAccount(CloseAccount(account: account(), reason: maybeText()))
    }
  }

  // MARK: Values

  private mutating func account() -> AccountReference {
    if chance.oneIn(40) { return .id(anyCommandID()) }
    return chance.oneIn(8) ? .number(number(chance.index(below: 3))) : .id(chance.pick(CommandMaker.accounts))
  }

  /// Mostly one that a movement in `currency` can be about.
  private mutating func account(_ currency: Currency) -> AccountReference {
    if !chance.oneIn(12), let id = chance.pickAny(open[currency] ?? []) { return .id(id) }
    return account()
  }

  /// Often the one that always has money, so that the others have some.
  private mutating func debtor(_ currency: Currency) -> AccountReference {
    chance.oneIn(4) ? .id(CommandMaker.accounts[currency == .nzd ? 0 : 1]) : account(currency)
  }

  private mutating func subject() -> AccountReference {
    chance.oneIn(2) ? .id(chance.pick(CommandMaker.customers)) : account()
  }

  private func number(_ index: Int) -> AccountNumber { CommandMaker.numbers[index] }

  private mutating func amount() -> MinorUnits {
    if chance.oneIn(200) { return chance.pick([MinorUnits.max / 2, .max / 2 - 1, .max / 4]) }
    return MinorUnits(1 + chance.index(below: chance.pick([10, 100, 1_000])))
  }

  private mutating func currency() -> Currency { chance.oneIn(6) ? .aud : .nzd }

  private mutating func text() -> PersonalText {
    PersonalText(chance.pick(["rent", "Zoë \"Z\" O'Hara", "\u{1F98E}\n", "a|b"]))
  }

  private mutating func maybeText() -> PersonalText? { chance.oneIn(2) ? nil : text() }

  private mutating func policy() -> PolicyChange {
    let rule = chance.pick(ScoreGapRule.allCases)
    return chance.pick([
      .fraudScoreMaximum(chance.index(below: 1_001)), .fraudScoreMaximumAge(86_400), .staleFraudScore(rule),
      .missingFraudScore(.allow), .reducedLimit(.aud, 70), .reducedLimit(.nzd, 50), .retentionDays(9),
      .retentionDays(0),
      .sanctionsMatchThreshold(700),
    ])
  }

  private mutating func score() -> ScoreReport {
    let age = Int64(chance.index(below: 200_000)) * 1_000_000
    return ScoreReport(
      subject: subject(), score: chance.index(below: 1_001), model: "m-1",
      scoredAt: Moment(microseconds: moment.microseconds - age))
  }

  private mutating func finding() -> MatchFinding {
    MatchFinding(
      customerID: chance.pick(CommandMaker.customers), list: chance.oneIn(2) ? "UN" : nil, reason: maybeText())
  }

  private mutating func importList() -> Instruction {
    listVersion += chance.oneIn(4) ? 0 : 1
    var entries: [SanctionsEntry] = []
    for id in ["a", "b", "c", "d"] where chance.oneIn(2) {
      entries.append(
        SanctionsEntry(id: id, name: chance.pick(["One", "Other"]), aliases: chance.oneIn(2) ? ["x"] : []))
    }
    return .importSanctionsList(
      ImportSanctionsList(
        list: chance.pick(CommandMaker.lists), version: ListVersion(String(listVersion)), entries: entries))
  }
}

extension Actor {
  fileprivate static let maker = Actor.named(.operator, "mia")
  fileprivate static let checker = Actor.named(.operator, "carl")
  fileprivate static let service = Actor.named(.service, "rails")
  fileprivate static let auditor = Actor.named(.auditor, "ava")

  fileprivate static func named(_ role: Role, _ subject: String) -> Actor {
    guard let actor = Actor(role: role, subject: subject) else { preconditionFailure("\(subject) is no subject") }
    return actor
  }

  fileprivate static func customer(_ id: CustomerID) -> Actor { named(.customer, id.description) }
}
