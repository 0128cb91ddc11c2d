import Commands
import Ledger
import Testing

/// What was used up and didn't move after all comes back into the date that it was used on.
@Suite struct GiveBackTests {
  static let movement = Bank.id(0x30BE)
  static let usedOn = day("2026-11-10")

  enum Way: String, CaseIterable, Sendable {
    case reversal, release, expiry, partialCapture, rejection, failedApproval, rejectedJournal

    var used: [Event] {
      let movement = GiveBackTests.movement
      switch self {
      case .reversal: return [Bank.moved(100, from: Bank.everyday, to: Bank.bobs, id: movement)]
      case .release, .expiry, .partialCapture:
        let expiry = self == .expiry ? day("2026-11-11").noon() : nil
        return [Bank.holdPlaced(100, on: Bank.everyday, id: movement, expiresAt: expiry)]
      case .rejection, .failedApproval: return [Bank.held(100, from: Bank.everyday, to: Bank.bobs, id: movement)]
      case .rejectedJournal:
        guard
          case .postJournal(let journal) = Instruction.journal(
            [(Bank.everyday, .debit, 100), (Bank.bobs, .credit, 100)], id: movement)
        else { return [] }
        let terms = JournalTerms(journal, accounts: [Bank.everyday, Bank.bobs])
        return [.journalHeldForApproval(JournalHeldForApproval(terms: terms, checks: []))]
      }
    }

    /// What happens before it is given back.
    var meanwhile: [Event] { self == .failedApproval ? [Bank.frozen(Bank.bobs)] : [] }

    var givingBack: Instruction {
      let movement = GiveBackTests.movement
      switch self {
      case .reversal: return .reverseTransfer(ReverseTransfer(transferID: movement, reason: PersonalText("wrong")))
      case .release: return .releaseHold(ReleaseHold(holdID: movement))
      case .expiry: return .expireHold(ExpireHold(holdID: movement))
      case .partialCapture: return .captureHold(CaptureHold(holdID: movement, credit: .id(Bank.bobs), amount: 30))
      case .rejection, .rejectedJournal: return .reject(movement)
      case .failedApproval: return .approve(movement)
      }
    }

    /// What stays used.
    var kept: MinorUnits { self == .partialCapture ? 30 : 0 }
    var posted: MinorUnits { self == .partialCapture ? 970 : 1_000 }
  }

  private func book(_ way: Way) -> Given {
    given(Bank.opened() + [Bank.deposited(1_000, to: Bank.everyday)], on: day("2026-10-01"))
      .and([Bank.moved(7, from: Bank.everyday, to: Bank.cash, id: Bank.id(7))], on: GiveBackTests.usedOn)
      .and([Bank.deposited(7, to: Bank.everyday, id: Bank.id(8))], on: GiveBackTests.usedOn)
      .and(way.used, on: GiveBackTests.usedOn)
  }

  @Test(arguments: Way.allCases)
  func comesBackIntoItsDate(_ way: Way) {
    let before = book(way)
    #expect(before.used(Bank.everyday, on: GiveBackTests.usedOn) == 107)
    let later = day("2026-11-20")
    let after = before.and(way.meanwhile, on: later).when(way.givingBack, by: .checker, on: later).after
    #expect(after.used(Bank.everyday, on: GiveBackTests.usedOn) == 7 + way.kept)
    #expect(after.used(Bank.everyday, on: later) == 0)
    #expect(after.balance(Bank.everyday).held == 0)
    #expect(after.balance(Bank.everyday).posted == way.posted)
    #expect(after.balance(Bank.bobs).posted == 1_000 - way.posted)

    // Exactly what was given back can be used again in the same month.
    let limited = after.and([Bank.limit(.monthly, 200, of: Bank.everyday)], on: later)
    let free = 200 - 7 - way.kept
    limited.when(.transfer(free, from: Bank.everyday, to: Bank.fees), on: later).thenAccepted()
    limited.when(.transfer(free + 1, from: Bank.everyday, to: Bank.fees), on: later).thenDeclined(.limitMonthly)
  }

  /// Once the date has left every window there is nothing to give back to, and no other day gains.
  @Test(arguments: Way.allCases)
  func doesNothingOnceTheDateHasPassed(_ way: Way) {
    let later = day("2027-01-15")
    let after = book(way)
      .and([Bank.moved(5, from: Bank.everyday, to: Bank.cash, id: Bank.id(9))], on: later)
      .and(way.meanwhile, on: later)
      .when(way.givingBack, by: .checker, on: later).after
    #expect(after.used(Bank.everyday, on: later) == 5)
    #expect(after.balance(Bank.everyday).held == 0)
    #expect(after.balance(Bank.everyday).usage.days.map(\.date) == [later])
  }

  /// A transfer that waited used its limits when it was asked for, so that is the date its reversal gives back into.
  @Test func reversalOfAnApprovedTransferGivesBackIntoTheDayItWasAskedFor() {
    let asked = book(.rejection)
    let approved = asked.when(.approve(GiveBackTests.movement), by: .checker, on: day("2026-11-12")).thenAccepted()
      .after
    #expect(approved.used(Bank.everyday, on: GiveBackTests.usedOn) == 107)
    #expect(approved.used(Bank.everyday, on: day("2026-11-12")) == 0)
    let reversed = approved.when(Way.reversal.givingBack, on: day("2026-11-13")).thenAccepted().after
    #expect(reversed.used(Bank.everyday, on: GiveBackTests.usedOn) == 7)
    #expect(reversed.balance(Bank.everyday).posted == 1_000)
  }

  @Test func fullCaptureKeepsItAllUsed() {
    let after = book(.release).when(
      .captureHold(CaptureHold(holdID: GiveBackTests.movement, credit: .id(Bank.bobs))), on: day("2026-11-11")
    ).after
    #expect(after.used(Bank.everyday, on: GiveBackTests.usedOn) == 107)
    #expect(after.balance(Bank.everyday).held == 0)
    #expect(after.balance(Bank.everyday).posted == 900)
  }
}
