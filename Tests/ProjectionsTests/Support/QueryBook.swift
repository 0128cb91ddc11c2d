import Commands
import Ledger
import Testing

/// A small world whose every figure is known.
struct QueryBook {
  let customer: CustomerID
  let everyday: AccountID
  let savings: AccountID
  let settlement: AccountID
  let number: AccountNumber
  let hold: HoldID
  let released: HoldID
  let transfer: TransferID
  let reversed: TransferID
  let declined: TransferID
  let waiting: CommandID
  let proposal: CommandID

  static func with(_ body: (TestBook, QueryBook) async throws -> Void) async throws {
    try await TestBook.with { book in try await body(book, QueryBook(on: book)) }
  }

  private init(on book: TestBook) async throws {
    func id() -> Identifier { book.nextID() }
    (customer, everyday, savings, settlement) = (id(), id(), id(), id())
    (hold, released, transfer, reversed) = (id(), id(), id(), id())
    (declined, waiting, proposal) = (id(), id(), id())
    number = try AccountNumber("012-345 12345678")

    try await book.accept(.registerCustomer(RegisterCustomer(customerID: customer, name: PersonalText("Hinemoa"))))
    try await book.accept(.verifyCustomer(VerifyCustomer(customerID: customer)))
    try await book.accept(
      .openAccount(
        OpenAccount(
          accountID: settlement, kind: .internal, currency: .nzd, allowNegative: true, classification: .settlement)))
    try await book.accept(
      .openAccount(
        OpenAccount(
          accountID: everyday, kind: .customer, customerID: customer, currency: .nzd, number: number, overdraft: 5_000))
    )
    try await book.accept(
      .openAccount(OpenAccount(accountID: savings, kind: .customer, customerID: customer, currency: .nzd)))
    try await pay(id(), settlement, everyday, 100_000, on: book)
    try await pay(transfer, everyday, savings, 12_500, reference: PersonalText("to savings"), on: book)
    try await place(hold, 10_000, on: book)
    try await place(released, 4_000, on: book)
    try await book.accept(.releaseHold(ReleaseHold(holdID: released)))
    try await pay(reversed, savings, settlement, 2_000, on: book)
    try await limit(everyday, .perTransaction, 20_000, on: book)
    try await limit(everyday, .daily, 50_000, on: book)
    try await limit(customer, .monthly, 22_000, on: book)
    try await book.accept(
      .recordFraudScore(
        RecordFraudScore(
          report: ScoreReport(subject: .id(customer), score: 12, model: "m", scoredAt: book.clock.now))))
    try await lists(on: book)
    try await declineAndWait(on: book)
  }

  private func pay(
    _ id: TransferID, _ debit: AccountID, _ credit: AccountID, _ amount: Int64, reference: PersonalText? = nil,
    on book: TestBook
  ) async throws {
    try await book.accept(
      .postTransfer(
        PostTransfer(
          transferID: id, debit: .id(debit), credit: .id(credit), amount: amount, currency: .nzd,
          reference: reference)),
      id: id)
  }

  private func place(_ id: HoldID, _ amount: Int64, on book: TestBook) async throws {
    try await book.accept(
      .placeHold(PlaceHold(holdID: id, account: .id(everyday), amount: amount, currency: .nzd)), id: id)
  }

  private func limit(_ subject: Identifier, _ kind: LimitKind, _ amount: Int64, on book: TestBook) async throws {
    try await book.accept(.setLimit(SetLimit(subject: .id(subject), kind: kind, amount: amount, currency: .nzd)))
  }

  private func lists(on book: TestBook) async throws {
    for (version, entry) in [
      ("1", SanctionsEntry(id: "E1", name: "Old")), ("2", SanctionsEntry(id: "E2", name: "New")),
    ] {
      try await book.accept(
        .importSanctionsList(ImportSanctionsList(list: "UN", version: ListVersion(version), entries: [entry])))
    }
  }

  /// One for want of funds, one that needs a second person, and a policy that does.
  private func declineAndWait(on book: TestBook) async throws {
    let poor = PostTransfer(
      transferID: declined, debit: .id(try await poorAccount(on: book)), credit: .id(settlement), amount: 1,
      currency: .nzd)
    try await book.give([(declined, TestBook.operators[0], .postTransfer(poor))])
    let source = try await richAccount(on: book)
    let large = PostTransfer(
      transferID: waiting, debit: .id(source), credit: .id(settlement), amount: 9_000, currency: .nzd)
    try await book.accept(.postTransfer(large), id: waiting)
    try await book.accept(.setPolicy(SetPolicy(change: .fraudScoreMaximum(650))), id: proposal)
    try await book.accept(.reverseTransfer(ReverseTransfer(transferID: reversed, reason: PersonalText("mistake"))))
    try await pay(book.nextID(), settlement, source, 1, on: book)
  }

  private func poorAccount(on book: TestBook) async throws -> AccountID {
    let id = book.nextID()
    try await book.accept(.openAccount(OpenAccount(accountID: id, kind: .internal, currency: .nzd)))
    return id
  }

  /// With money, and a threshold that 9,000 is above.
  private func richAccount(on book: TestBook) async throws -> AccountID {
    let id = book.nextID()
    try await book.accept(.openAccount(OpenAccount(accountID: id, kind: .internal, currency: .nzd)))
    try await pay(book.nextID(), settlement, id, 50_000, on: book)
    try await limit(id, .approvalThreshold, 5_000, on: book)
    return id
  }
}
