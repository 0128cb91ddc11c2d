import Ledger

/// The small bank that specifications talk about: ids that read well in a failure, and the events that make it.
enum Bank {
  static let book = id(0xB00C)
  static let alice = id(0xA11CE)
  static let bob = id(0xB0B)
  /// Alice's everyday account.
  static let everyday = id(0xA1)
  /// Alice's other account in the same currency.
  static let savings = id(0xA2)
  /// Bob's account.
  static let bobs = id(0xB1)
  /// Internal, may go negative: where money comes from and goes to.
  static let cash = id(0xCA5)
  /// Internal, with a floor of zero.
  static let fees = id(0xFEE)
  static let nobodys = id(0xDEAD)

  static let everydayNumber = number("01-0902-0068389-00")

  static func id(_ low: UInt64) -> Identifier { Identifier(high: 0, low: low) }

  static func number(_ text: String) -> AccountNumber {
    do throws(AccountNumberFault) {
      return try AccountNumber(text)
    } catch {
      preconditionFailure("\(text): \(error.reason)")
    }
  }

  /// A book with Alice and Bob, both verified, with their accounts in New Zealand dollars, and two of the bank's own.
  static func opened(_ policies: Policies = Policies()) -> [Event] {
    [bookOpened(policies)] + customer(alice) + customer(bob) + [
      account(everyday, of: alice, number: everydayNumber), account(savings, of: alice), account(bobs, of: bob),
      internalAccount(cash, allowNegative: true), internalAccount(fees),
    ]
  }

  static func bookOpened(_ policies: Policies = Policies()) -> Event {
    .bookOpened(
      BookOpened(
        instruction: OpenBook(
          bookID: book, timeZone: "Pacific/Auckland", currency: .nzd, policies: policies, ruleSet: 1)))
  }

  static func customer(_ id: CustomerID) -> [Event] {
    [
      .customerRegistered(
        CustomerRegistered(
          instruction: RegisterCustomer(customerID: id, name: PersonalText("Somebody", subject: id)))),
      .customerVerified(CustomerVerified(instruction: VerifyCustomer(customerID: id))),
    ]
  }

  static func account(
    _ id: AccountID, of customer: CustomerID, _ currency: Currency = .nzd, number: AccountNumber? = nil,
    overdraft: MinorUnits = 0
  ) -> Event {
    .accountOpened(
      AccountOpened(
        instruction: OpenAccount(
          accountID: id, kind: .customer, customerID: customer, currency: currency, number: number,
          overdraft: overdraft)))
  }

  static func internalAccount(
    _ id: AccountID, _ currency: Currency = .nzd, allowNegative: Bool = false, overdraft: MinorUnits = 0
  ) -> Event {
    .accountOpened(
      AccountOpened(
        instruction: OpenAccount(
          accountID: id, kind: .internal, currency: currency, overdraft: overdraft, allowNegative: allowNegative)))
  }

  /// Money that has moved, under a transfer id of its own.
  static func moved(
    _ amount: MinorUnits, from debit: AccountID, to credit: AccountID, _ currency: Currency = .nzd,
    id transfer: TransferID = id(0x7A)
  ) -> Event {
    .transferPosted(
      TransferPosted(terms: terms(amount, from: debit, to: credit, currency, id: transfer), basis: DecisionBasis()))
  }

  static func held(
    _ amount: MinorUnits, from debit: AccountID, to credit: AccountID, id transfer: TransferID
  ) -> Event {
    .transferHeldForApproval(
      TransferHeldForApproval(terms: terms(amount, from: debit, to: credit, .nzd, id: transfer), basis: DecisionBasis())
    )
  }

  static func terms(
    _ amount: MinorUnits, from debit: AccountID, to credit: AccountID, _ currency: Currency, id transfer: TransferID
  ) -> TransferTerms {
    TransferTerms(
      PostTransfer(transferID: transfer, debit: .id(debit), credit: .id(credit), amount: amount, currency: currency),
      debit: debit, credit: credit)
  }

  static func deposited(_ amount: MinorUnits, to account: AccountID, id transfer: TransferID = id(0xDE9)) -> Event {
    moved(amount, from: cash, to: account, id: transfer)
  }

  static func limit(
    _ kind: LimitKind, _ amount: MinorUnits?, of subject: Identifier, _ subjectKind: SubjectKind = .account,
    _ currency: Currency = .nzd
  ) -> Event {
    .limitSet(
      LimitSet(
        SetLimit(subject: .id(subject), kind: kind, amount: amount, currency: currency),
        subject: ResolvedSubject(subjectKind, subject, from: .id(subject))))
  }

  static func fraudScore(_ score: Int, at moment: Moment, of customer: CustomerID = alice) -> Event {
    let report = ScoreReport(subject: .id(customer), score: score, model: "fraud-7", scoredAt: moment)
    let subject = ResolvedSubject(.customer, customer, from: .id(customer))
    return .fraudScoreRecorded(FraudScoreRecorded(terms: ScoreTerms(report, subject: subject, superseded: false)))
  }

  static func frozen(_ account: AccountID) -> Event {
    .accountFrozen(AccountFrozen(terms: AccountStateTerms(AccountStateChange(account: .id(account)), account: account)))
  }

  static func closed(_ account: AccountID) -> Event {
    .accountClosed(AccountClosed(terms: AccountStateTerms(AccountStateChange(account: .id(account)), account: account)))
  }

  static func suspended(_ customer: CustomerID) -> Event {
    .customerSuspended(CustomerSuspended(instruction: SuspendCustomer(customerID: customer)))
  }

  /// Two people agreed that the customer is on a list.
  static func matched(_ customer: CustomerID) -> Event {
    let note = ApprovalNote(commandID: id(0x5A4C), maker: .maker, reason: nil)
    return .sanctionsMatchConfirmed(
      SanctionsMatchConfirmed(finding: MatchFinding(customerID: customer), approval: note))
  }

  static func holdPlaced(
    _ amount: MinorUnits, on account: AccountID, id hold: HoldID, expiresAt: Moment? = nil
  ) -> Event {
    let instruction = PlaceHold(
      holdID: hold, account: .id(account), amount: amount, currency: .nzd, expiresAt: expiresAt)
    return .holdPlaced(HoldPlaced(instruction, account: account, basis: DecisionBasis()))
  }
}

extension Actor {
  /// Whoever proposes.
  static let maker = Actor.named(.operator, "mia")
  /// Whoever agrees.
  static let checker = Actor.named(.operator, "carl")
  static let service = Actor.named(.service, "rails")
  static let auditor = Actor.named(.auditor, "ava")

  static func named(_ role: Role, _ subject: String) -> Actor {
    guard let actor = Actor(role: role, subject: subject) else { preconditionFailure("\(subject) is no subject") }
    return actor
  }

  static func customer(_ id: CustomerID) -> Actor { named(.customer, id.description) }
}

/// A date from its text.
func day(_ text: String) -> CalendarDate {
  guard let date = CalendarDate(text) else { preconditionFailure("\(text) is no date") }
  return date
}

extension CalendarDate {
  /// A Wednesday: the day of decisions, where a test says no other.
  static let today = CommandsTests.day("2026-11-18")

  /// Noon of this day, UTC, and so many seconds after.
  func noon(plus seconds: Int64 = 0) -> Moment {
    Moment(microseconds: Moment(startOfDayUTC: self).microseconds + (43_200 + seconds) * 1_000_000)
  }
}
