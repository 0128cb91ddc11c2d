import Commands
import Ledger
import Testing

/// A small bank's day, by chance: customers, accounts in two currencies, movements of every kind, holds, approvals,
/// limits, scores and lists, of which a good part is declined.
struct RandomBank {
  private(set) var chance: Chance
  private let book: TestBook
  private var customers: [CustomerID] = []
  private var accounts: [(id: AccountID, currency: Currency)] = []
  private var internals: [Currency: AccountID] = [:]
  private var transfers: [TransferID] = []
  private var holds: [HoldID] = []
  private var waiting: [CommandID] = []
  private var listVersion = 0

  static let currencies: [Currency] = [.nzd, .aud]

  init(_ book: TestBook, _ chance: Chance) {
    self.book = book
    self.chance = chance
  }

  /// Something to begin with: internal accounts, a few customers with money.
  mutating func prepare() async throws {
    for currency in RandomBank.currencies {
      let id = book.nextID()
      try await book.accept(
        .openAccount(
          OpenAccount(
            accountID: id, kind: .internal, currency: currency, allowNegative: true, classification: .settlement)))
      internals[currency] = id
    }
    try await rehearse()
    for _ in 0..<4 { try await run(batch: [register(), verify()].compactMap { $0 }) }
    for _ in 0..<8 { try await run(batch: [open()].compactMap { $0 }) }
    for (id, currency) in accounts { try await run(batch: [fund(id, currency)]) }
  }

  /// What chance may leave out: something that waits and is approved in one batch, and a hold that is captured in part
  /// in one.
  private mutating func rehearse() async throws {
    let customer = book.nextID()
    try await book.accept(.registerCustomer(RegisterCustomer(customerID: customer, name: PersonalText("Aroha"))))
    try await book.accept(.verifyCustomer(VerifyCustomer(customerID: customer)))
    customers.append(customer)
    try await rehearseErasure()
    let (first, second) = (book.nextID(), book.nextID())
    for id in [first, second] {
      try await book.accept(
        .openAccount(OpenAccount(accountID: id, kind: .customer, customerID: customer, currency: .nzd)))
      accounts.append((id, .nzd))
      try await run(batch: [fund(id, .nzd)])
    }
    try await book.accept(
      .setLimit(SetLimit(subject: .id(first), kind: .approvalThreshold, amount: 50_000, currency: .nzd)))
    let (held, hold) = (book.nextID(), book.nextID())
    let transfer = PostTransfer(
      transferID: held, debit: .id(first), credit: .id(second), amount: 50_001, currency: .nzd)
    try await run(batch: [
      (held, TestBook.operators[0], .postTransfer(transfer)),
      (book.nextID(), TestBook.operators[1], .approve(Approve(commandID: held))),
      by(.placeHold(PlaceHold(holdID: hold, account: .id(first), amount: 700, currency: .nzd)), id: hold),
      by(.captureHold(CaptureHold(holdID: hold, credit: .id(second), amount: 300))),
    ])
  }

  /// Somebody who was a customer, in a book that keeps nobody for longer.
  private mutating func rehearseErasure() async throws {
    let (customer, account, proposal) = (book.nextID(), book.nextID(), book.nextID())
    try await book.accept(.setPolicy(SetPolicy(change: .retentionDays(0))), id: proposal)
    try await book.accept(.approve(Approve(commandID: proposal)), by: TestBook.operators[1])
    try await book.accept(
      .registerCustomer(RegisterCustomer(customerID: customer, name: PersonalText("Rewi"), country: "NZ")))
    try await book.accept(.verifyCustomer(VerifyCustomer(customerID: customer)))
    try await book.accept(
      .openAccount(
        OpenAccount(
          accountID: account, kind: .customer, customerID: customer, currency: .nzd, name: PersonalText("Rainy days"))))
    try await book.accept(.closeAccount(CloseAccount(account: .id(account))))
    try await book.accept(.eraseCustomer(EraseCustomer(customerID: customer, reason: PersonalText("asked"))))
  }

  /// Gives so many random commands, in batches of random sizes, while days pass.
  mutating func live(commands count: Int) async throws {
    var left = count
    while left > 0 {
      var batch: [(Identifier, Actor, Instruction)] = []
      for _ in 0..<min(left, 1 + chance.index(below: 24)) { batch.append(command()) }
      left -= batch.count
      try await run(batch: batch)
      if chance.oneIn(3) { book.clock.advance(seconds: chance.amount(1...200_000)) }
    }
  }

  private mutating func run(batch: [(Identifier, Actor, Instruction)]) async throws {
    for outcome in try await book.give(batch) {
      for appended in outcome.events { learn(appended) }
    }
  }

  private mutating func learn(_ appended: AppendedEvent) {
    switch appended.event {
    case .customerRegistered(let registered): customers.append(registered.instruction.customerID)
    case .accountOpened(let opened) where opened.instruction.kind == .customer:
      accounts.append((opened.instruction.accountID, opened.instruction.currency))
    case .transferPosted(let posted): transfers.append(posted.terms.transferID)
    case .holdPlaced(let placed): holds.append(placed.holdID)
    case .transferHeldForApproval, .journalHeldForApproval, .policyChangeProposed, .sanctionsMatchProposed:
      waiting.append(appended.origin.commandID)
    default: break
    }
  }

  // MARK: Commands

  private mutating func command() -> (Identifier, Actor, Instruction) {
    let made: (Identifier, Actor, Instruction)? =
      switch chance.index(below: 27) {
      case 0: register()
      case 1: verify()
      case 2: open()
      case 3: limit()
      case 4: score()
      case 5, 6: placeHold()
      case 7: captureHold()
      case 8: endHold()
      case 9: reverse()
      case 10, 11: journal()
      case 12, 13, 14: decide()
      case 15: policy()
      case 16: list()
      case 17: match()
      case 18: accountState()
      case 19: access()
      case 20: erase()
      default: transfer()
      }
    return made ?? transfer()
  }

  private mutating func by(_ instruction: Instruction, id: Identifier? = nil) -> (Identifier, Actor, Instruction) {
    (id ?? book.nextID(), chance.pick(TestBook.operators), instruction)
  }

  private mutating func register() -> (Identifier, Actor, Instruction)? {
    let birth = chance.oneIn(2) ? PersonalText("19\(10 + chance.index(below: 90))-01-02") : nil
    let country = chance.oneIn(2) ? chance.pick(["NZ", "AU", "FJ"]) : nil
    return by(
      .registerCustomer(
        RegisterCustomer(
          customerID: book.nextID(), name: PersonalText("Tāne \(chance.index(below: 1_000))"), dateOfBirth: birth,
          country: country)))
  }

  private mutating func verify() -> (Identifier, Actor, Instruction)? {
    guard let customer = customers.last(where: { _ in true }).map({ chance.oneIn(2) ? $0 : chance.pick(customers) })
    else { return nil }
    return by(
      chance.oneIn(12)
        ? .suspendCustomer(SuspendCustomer(customerID: customer))
        : .verifyCustomer(VerifyCustomer(customerID: customer)))
  }

  private mutating func open() -> (Identifier, Actor, Instruction)? {
    guard let customer = chance.pickAny(customers) else { return nil }
    let number =
      chance.oneIn(2)
      ? try? AccountNumber("0\(11 + chance.index(below: 80))-345 \(10_000_000 + chance.index(below: 80_000_000))") : nil
    return by(
      .openAccount(
        OpenAccount(
          accountID: book.nextID(), kind: .customer, customerID: customer, currency: chance.pick(RandomBank.currencies),
          name: chance.oneIn(2) ? PersonalText("Savings") : nil, number: number,
          overdraft: chance.oneIn(3) ? chance.amount(0...50_000) : 0)))
  }

  private mutating func fund(_ account: AccountID, _ currency: Currency) -> (Identifier, Actor, Instruction) {
    let id = book.nextID()
    return by(
      .postTransfer(
        PostTransfer(
          transferID: id, debit: .id(internals[currency] ?? .zero), credit: .id(account), amount: 1_000_000,
          currency: currency)),
      id: id)
  }

  private mutating func transfer() -> (Identifier, Actor, Instruction) {
    let from = chance.pick(accounts)
    let to = chance.pick(accounts)
    let id = book.nextID()
    let date = chance.oneIn(4) ? CalendarDate(daysSince1970: Int32(chance.amount(20_500...20_600))) : nil
    return by(
      .postTransfer(
        PostTransfer(
          transferID: chance.oneIn(3) ? book.nextID() : id, debit: .id(from.id), credit: .id(to.id),
          amount: chance.oneIn(6) ? chance.amount(100_000...900_000) : chance.amount(1...60_000),
          currency: from.currency,
          reference: chance.oneIn(2) ? PersonalText("rent \(chance.index(below: 99))") : nil, valueDate: date)),
      id: id)
  }

  private mutating func journal() -> (Identifier, Actor, Instruction)? {
    let currency = chance.pick(RandomBank.currencies)
    let parties = accounts.filter { $0.currency == currency }
    guard let from = chance.pickAny(parties) else { return nil }
    var postings: [PostingInstruction] = []
    var total: Int64 = 0
    for _ in 0..<(1 + chance.index(below: 3)) {
      let amount = chance.amount(1...40_000)
      total += amount
      postings.append(
        PostingInstruction(
          account: .id(chance.pick(parties).id), direction: .credit, amount: amount, currency: currency))
    }
    postings.append(
      PostingInstruction(
        account: .id(from.id), direction: .debit, amount: chance.oneIn(10) ? total + 1 : total, currency: currency))
    let id = book.nextID()
    return by(
      .postJournal(
        PostJournal(journalID: id, postings: postings, reference: chance.oneIn(2) ? PersonalText("pay run") : nil)),
      id: id)
  }

  private mutating func reverse() -> (Identifier, Actor, Instruction)? {
    guard let transfer = chance.pickAny(transfers) else { return nil }
    return by(.reverseTransfer(ReverseTransfer(transferID: transfer, reason: PersonalText("mistake"))))
  }

  private mutating func placeHold() -> (Identifier, Actor, Instruction)? {
    let account = chance.pick(accounts)
    let id = book.nextID()
    let expires = chance.oneIn(2) ? book.clock.now.adding(microseconds: chance.amount(1...400_000_000_000)) : nil
    return by(
      .placeHold(
        PlaceHold(
          holdID: id, account: .id(account.id), amount: chance.amount(1...50_000), currency: account.currency,
          expiresAt: expires)), id: id)
  }

  private mutating func captureHold() -> (Identifier, Actor, Instruction)? {
    guard let hold = chance.pickAny(holds) else { return nil }
    return by(
      .captureHold(
        CaptureHold(
          holdID: hold, credit: .id(chance.pick(accounts).id), amount: chance.oneIn(2) ? chance.amount(1...30_000) : nil
        )))
  }

  private mutating func endHold() -> (Identifier, Actor, Instruction)? {
    guard let hold = chance.pickAny(holds) else { return nil }
    return by(
      chance.oneIn(2)
        ? .expireHold(ExpireHold(holdID: hold))
        : .releaseHold(ReleaseHold(holdID: hold, reason: chance.oneIn(2) ? PersonalText("no sale") : nil)))
  }

  private mutating func decide() -> (Identifier, Actor, Instruction)? {
    guard let command = chance.pickAny(Array(waiting.suffix(12))) else { return nil }
    return by(
      chance.oneIn(3)
        ? .reject(Reject(commandID: command, reason: PersonalText("no"))) : .approve(Approve(commandID: command)))
  }

  private mutating func limit() -> (Identifier, Actor, Instruction)? {
    let account = chance.pick(accounts)
    let subject = chance.oneIn(2) ? account.id : chance.pick(customers)
    let kind = chance.oneIn(2) ? LimitKind.approvalThreshold : chance.pick(LimitKind.allCases)
    return by(
      .setLimit(
        SetLimit(
          subject: .id(subject), kind: kind, amount: chance.oneIn(5) ? nil : chance.amount(20_000...2_000_000),
          currency: account.currency)))
  }

  private mutating func score() -> (Identifier, Actor, Instruction)? {
    let subject = chance.oneIn(2) ? chance.pick(accounts).id : chance.pick(customers)
    let report = ScoreReport(
      subject: .id(subject), score: chance.index(below: 720), model: "model-\(chance.index(below: 3))",
      scoredAt: book.clock.now.adding(microseconds: -chance.amount(0...90_000_000_000)) ?? book.clock.now)
    return by(
      chance.pick([
        .recordFraudScore(RecordFraudScore(report: report)), .recordRiskScore(RecordRiskScore(report: report)),
        .recordAmlScore(RecordAmlScore(report: report)),
      ]))
  }

  private mutating func policy() -> (Identifier, Actor, Instruction)? {
    by(
      .setPolicy(
        SetPolicy(
          change: chance.pick([
            .fraudScoreMaximum(700 + chance.index(below: 100)), .missingFraudScore(.allow),
            .reducedLimit(chance.pick(RandomBank.currencies), chance.amount(0...1_000_000)),
            .retentionDays(chance.pick([0, 2_600])),
          ]))))
  }

  private mutating func list() -> (Identifier, Actor, Instruction)? {
    listVersion += 1
    let entries = (0..<8).filter { _ in chance.oneIn(2) }.map { number in
      SanctionsEntry(
        id: "E\(number)", name: "Name \(chance.index(below: 4))",
        aliases: chance.oneIn(2) ? ["Alias \"\(number)\""] : [],
        countries: chance.oneIn(3) ? ["RU"] : [], remarks: chance.oneIn(3) ? "Ω\n" : nil)
    }
    return by(
      .importSanctionsList(
        ImportSanctionsList(
          list: chance.pick(["UN", "MFAT"]), version: ListVersion(String(listVersion)), entries: entries)))
  }

  private mutating func match() -> (Identifier, Actor, Instruction)? {
    let finding = MatchFinding(
      customerID: chance.pick(customers), list: "UN", entryID: "E1", reason: PersonalText("same name"))
    return by(
      chance.oneIn(3) ? .confirmMatch(ConfirmMatch(finding: finding)) : .clearMatch(ClearMatch(finding: finding)))
  }

  private mutating func accountState() -> (Identifier, Actor, Instruction)? {
    let account = AccountReference.id(chance.pick(accounts).id)
    return by(
      chance.pick([
        .freezeAccount(FreezeAccount(account: account)), .unfreezeAccount(UnfreezeAccount(account: account)),
        .unfreezeAccount(UnfreezeAccount(account: account)), .closeAccount(CloseAccount(account: account)),
      ]))
  }

  private mutating func erase() -> (Identifier, Actor, Instruction)? {
    by(.eraseCustomer(EraseCustomer(customerID: chance.pick(customers), reason: PersonalText("asked"))))
  }

  private mutating func access() -> (Identifier, Actor, Instruction)? {
    by(
      chance.oneIn(2)
        ? .recordDataRead(RecordDataRead(customerID: chance.pick(customers), resource: "GET /v1/customers/{id}"))
        : .recordRefusal(RecordRefusal(resource: "GET /v1/accounts/{id}", objectID: chance.pick(accounts).id)))
  }
}
