import Commands
import Ledger
import Testing

/// Holds beyond the pre-flight list.
@Suite struct HoldTests {
  private let hold = Bank.id(0x401D)
  private var funded: Given { given(Bank.opened() + [Bank.deposited(1_000, to: Bank.everyday)]) }
  private let expiry = CalendarDate.today.noon(plus: 60)

  private var placed: Given {
    funded.and([Bank.holdPlaced(100, on: Bank.everyday, id: hold, expiresAt: expiry)], on: day("2026-11-16"))
  }

  private func capture(_ amount: MinorUnits? = nil, to credit: AccountID = Bank.bobs) -> Instruction {
    .captureHold(CaptureHold(holdID: hold, credit: .id(credit), amount: amount))
  }

  @Test func placeHold() {
    let instruction = PlaceHold(
      holdID: hold, account: .number(Bank.everydayNumber), amount: 100, currency: .nzd, expiresAt: expiry)
    let decided = funded.when(.placeHold(instruction))
    decided.then([
      .holdPlaced(
        HoldPlaced(instruction, account: Bank.everyday, basis: DecisionBasis(availableBefore: 1_000)))
    ])
    #expect(decided.after.balance(Bank.everyday).held == 100)
    #expect(decided.after.balance(Bank.everyday).posted == 1_000)
    #expect(decided.after.used(Bank.everyday) == 100)
    #expect(decided.after.state.accounts[Bank.everyday]?.available == 900)
  }

  @Test func aHoldThatHasExpiredIsNotPlaced() {
    let now = CalendarDate.today.noon()
    funded.when(.hold(1, on: Bank.everyday, expiresAt: now), at: now)
      .thenDeclined(.holdExpired, [.text("expires_at", now.description)])
    let later = Moment(microseconds: now.microseconds + 1)
    funded.when(.hold(1, on: Bank.everyday, expiresAt: later), at: now).thenAccepted()
  }

  @Test func placeHoldTwice() {
    placed.when(.hold(1, on: Bank.everyday, id: hold)).thenDeclined(.holdExists, [])
  }

  @Test func holdAboveTheThreshold() {
    let book = funded.and([Bank.limit(.approvalThreshold, 100, of: Bank.everyday)])
    book.when(.hold(100, on: Bank.everyday)).thenAccepted()
    book.when(.hold(101, on: Bank.everyday)).thenDeclined(
      .approvalThreshold,
      [
        .text("scope", "account"), .text("subject_id", Bank.everyday.description), .amount("limit", 100),
        .amount("amount", 101),
      ])
    book.when(.hold(1_001, on: Bank.everyday))
      .thenDeclined(.insufficientFunds, failing: [.insufficientFunds, .approvalThreshold])
  }

  @Test(arguments: [(nil, 0), (100, 0), (60, 40), (1, 99)] as [(MinorUnits?, MinorUnits)])
  func captureHold(_ amount: MinorUnits?, _ released: MinorUnits) {
    let decided = placed.when(capture(amount))
    decided.then([
      .holdCaptured(
        HoldCaptured(
          CaptureHold(holdID: hold, credit: .id(Bank.bobs), amount: amount), debitAccountID: Bank.everyday,
          credit: Bank.bobs, amount: 100 - released, released: released, currency: .nzd,
          limitsUsedOn: day("2026-11-16")))
    ])
    let after = decided.after
    #expect(after.balance(Bank.everyday).posted == 900 + released)
    #expect(after.balance(Bank.everyday).held == 0)
    #expect(after.balance(Bank.bobs).posted == 100 - released)
    #expect(after.state.holds[hold]?.status == .captured)
    #expect(after.state.holds[hold]?.captured == 100 - released)
  }

  // MARK: Capture, in order of precedence

  struct CaptureFault: Sendable, CustomTestStringConvertible {
    let code: RejectionCode
    let events: [Event]
    var testDescription: String { code.rawValue }

    init(_ code: RejectionCode, _ events: [Event] = []) {
      self.code = code
      self.events = events
    }
  }

  static let captureFaults: [CaptureFault] = [
    CaptureFault(.accountNotOpen, [Bank.frozen(Bank.everyday)]),
    CaptureFault(.customerNotVerified, [Bank.suspended(Bank.alice)]),
    CaptureFault(.sanctionsMatch, [Bank.matched(Bank.alice)]),
    CaptureFault(.overCapture),
    CaptureFault(.holdExpired),
    CaptureFault(.wrongState),
  ]

  private func captureWith(_ faults: ArraySlice<CaptureFault>) -> Decided {
    let codes = faults.map(\.code)
    var book = placed
    if codes.contains(.wrongState) {
      book = book.when(.releaseHold(ReleaseHold(holdID: hold)), as: Bank.id(0x99)).after
    }
    return book.and(faults.flatMap(\.events)).when(
      capture(codes.contains(.overCapture) ? 101 : 100),
      at: codes.contains(.holdExpired) ? expiry : CalendarDate.today.noon())
  }

  @Test(arguments: captureFaults.indices) func captureFailsOneCheckAlone(_ index: Int) {
    let code = HoldTests.captureFaults[index].code
    captureWith(HoldTests.captureFaults[index...index]).thenDeclined(code, failing: [code])
  }

  @Test(arguments: captureFaults.indices) func captureFailsThisAndAllLaterChecks(_ index: Int) {
    let faults = HoldTests.captureFaults[index...]
    captureWith(faults).thenDeclined(HoldTests.captureFaults[index].code, failing: faults.map(\.code))
  }

  @Test func captureSaysWhatItCompared() {
    placed.when(capture(101)).thenDeclined(.overCapture, [.amount("held", 100), .amount("amount", 101)])
    placed.when(capture(), at: expiry).thenDeclined(.holdExpired, [.text("expires_at", expiry.description)])
    placed.when(capture(), at: CalendarDate.today.noon(plus: 59)).thenAccepted()
    placed.when(.captureHold(CaptureHold(holdID: Bank.nobodys, credit: .id(Bank.bobs))))
      .thenDeclined(.unknownHold, [.text("hold_id", Bank.nobodys.description)])
  }

  @Test func captureTwice() {
    placed.when(capture(60)).after.when(capture(40), as: Bank.id(0x99))
      .thenDeclined(.wrongState, [.text("status", "captured")])
  }

  @Test func captureIntoTheWrongAccount() {
    placed.when(capture(to: Bank.nobodys)).thenDeclined(
      .unknownAccount, [.text("party", "creditor"), .text("account_id", Bank.nobodys.description)])
    placed.when(capture(to: Bank.everyday)).thenDeclined(.sameAccount, [])
    let australian = Bank.id(0xA4)
    placed.and([Bank.account(australian, of: Bank.bob, .aud)]).when(capture(to: australian)).thenDeclined(
      .currencyMismatch,
      [
        .text("party", "creditor"), .text("account_id", australian.description), .text("account_currency", "AUD"),
        .text("currency", "NZD"),
      ])
  }

  /// Limits and funds were settled when it was placed.
  @Test func captureAsksForNoLimitAndNoScore() {
    placed.and([
      Bank.limit(.daily, 0, of: Bank.everyday), Bank.limit(.perTransaction, 0, of: Bank.alice, .customer),
      Bank.limit(.approvalThreshold, 0, of: Bank.everyday), Bank.fraudScore(1_000, at: CalendarDate.today.noon()),
    ]).when(capture()).thenAccepted()
  }

  // MARK: Release and expiry

  @Test func releaseHold() {
    let release = Instruction.releaseHold(ReleaseHold(holdID: hold, reason: PersonalText("no sale")))
    let decided = placed.when(release)
    let returned = HoldReturn(
      holdID: hold, accountID: Bank.everyday, amount: 100, currency: .nzd, limitsUsedOn: day("2026-11-16"))
    decided.then([
      .holdReleased(HoldReleased(returned: returned, reason: PersonalText("no sale", subject: Bank.alice)))
    ])
    #expect(decided.after.balance(Bank.everyday).held == 0)
    decided.after.when(release, as: Bank.id(0x99)).thenDeclined(.wrongState, [.text("status", "released")])
    funded.when(release).thenDeclined(.unknownHold)
  }

  /// A frozen account's money may still be given back to it.
  @Test func releaseOnAFrozenAccount() {
    placed.and([Bank.frozen(Bank.everyday)]).when(.releaseHold(ReleaseHold(holdID: hold))).thenAccepted()
  }

  @Test func expireHold() {
    let expire = Instruction.expireHold(ExpireHold(holdID: hold))
    #expect(placed.when(expire, by: .kauri, at: CalendarDate.today.noon(plus: 59)).decision == .notDue)
    let returned = HoldReturn(
      holdID: hold, accountID: Bank.everyday, amount: 100, currency: .nzd, limitsUsedOn: day("2026-11-16"))
    let decided = placed.when(expire, by: .kauri, at: expiry)
    decided.then([.holdExpired(HoldExpired(returned: returned))])
    #expect(decided.after.state.holds[hold]?.status == .expired)
    decided.after.when(expire, by: .kauri, as: Bank.id(0x99), at: expiry)
      .thenDeclined(.wrongState, [.text("status", "expired")])
    funded.when(expire, by: .kauri).thenDeclined(.unknownHold)
  }

  @Test func aHoldWithoutExpiryIsNeverDue() {
    let book = funded.and([Bank.holdPlaced(100, on: Bank.everyday, id: hold)])
    #expect(book.when(.expireHold(ExpireHold(holdID: hold)), on: day("2099-01-01")).decision == .notDue)
  }
}
