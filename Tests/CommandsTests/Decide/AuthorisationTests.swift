import Commands
import Ledger
import Testing

/// Who may give which command, and what nobody learns by trying.
@Suite struct AuthorisationTests {
  /// For every command the roles that may give it.
  static let allowed: [String: Set<Role>] = [
    "RegisterCustomer": [.operator, .service], "VerifyCustomer": [.operator, .service],
    "RejectCustomer": [.operator, .service], "SuspendCustomer": [.operator, .service],
    "EraseCustomer": [.operator], "OpenAccount": [.operator, .service], "FreezeAccount": [.operator, .service],
    "UnfreezeAccount": [.operator, .service], "CloseAccount": [.operator, .service],
    "PostTransfer": [.customer, .operator, .service], "PostJournal": [.operator, .service],
    "ReverseTransfer": [.operator], "PlaceHold": [.operator, .service], "CaptureHold": [.operator, .service],
    "ReleaseHold": [.operator, .service], "ExpireHold": [.operator, .service, .system], "Approve": [.operator],
    "Reject": [.operator], "SetLimit": [.operator], "SetPolicy": [.operator],
    "RecordFraudScore": [.operator, .service], "RecordRiskScore": [.operator, .service],
    "RecordAmlScore": [.operator, .service], "ImportSanctionsList": [.operator, .service],
    "ConfirmMatch": [.operator], "ClearMatch": [.operator], "OpenBook": [.system],
    "ActivateRuleSet": [.operator, .system],
    "RecordDataRead": [.operator, .service, .auditor, .system], "RecordRefusal": Set(Role.allCases),
  ]

  @Test func tableNamesEveryCommand() {
    #expect(Set(AuthorisationTests.allowed.keys) == Set(Sample.instructions.map(\.name)))
  }

  @Test(arguments: Sample.instructions, Role.allCases) func roleMayGive(_ sample: Sample, _ role: Role) throws {
    let instruction = try sample.read()
    let actor = role == .customer ? Actor.customer(Bank.alice) : role == .system ? .kauri : .named(role, "x")
    let decided = given(Bank.opened()).when(instruction, by: actor)
    if try #require(AuthorisationTests.allowed[sample.name]).contains(role) {
      #expect(decided.verdict != .refused)
    } else {
      decided.thenRefused()
    }
  }

  // MARK: A customer

  private var funded: Given {
    given(Bank.opened() + [Bank.deposited(10, to: Bank.everyday), Bank.deposited(10, to: Bank.bobs, id: Bank.id(1))])
  }

  @Test func customerDebitsOnlyWhatIsItsOwn() {
    let alice = Actor.customer(Bank.alice)
    funded.when(.transfer(1, from: Bank.everyday, to: Bank.bobs), by: alice).thenAccepted()
    funded.when(.transfer(1, from: Bank.everyday, to: Bank.fees), by: alice).thenAccepted()
    funded.when(.transfer(1, from: Bank.bobs, to: Bank.everyday), by: alice).thenRefused()
    funded.when(.transfer(1, from: Bank.cash, to: Bank.everyday), by: alice).thenRefused()
    let byNumber = PostTransfer(
      transferID: Given.command, debit: .number(Bank.everydayNumber), credit: .id(Bank.bobs), amount: 1, currency: .nzd)
    funded.when(.postTransfer(byNumber), by: alice).thenAccepted()
    funded.when(.postTransfer(byNumber), by: .customer(Bank.bob)).thenRefused()
  }

  /// Somebody else's account and one that doesn't exist look the same.
  @Test func nobodyLearnsWhichAccountsExist() {
    let alice = Actor.customer(Bank.alice)
    let others = funded.when(.transfer(1, from: Bank.bobs, to: Bank.everyday), by: alice)
    let missing = funded.when(.transfer(1, from: Bank.nobodys, to: Bank.everyday), by: alice)
    #expect(others.verdict == missing.verdict)
    missing.thenRefused()
  }

  @Test func customerWhoseSubjectIsNoCustomerIsRefused() {
    funded.when(.transfer(1, from: Bank.cash, to: Bank.bobs), by: .named(.customer, "alice")).thenRefused()
    funded.when(.transfer(1, from: Bank.nobodys, to: Bank.bobs), by: .named(.customer, "alice")).thenRefused()
  }

  @Test func refusalKeepsWhatWasAskedUnderTheCallersKey() {
    let asked = PostTransfer(
      transferID: Given.command, debit: .id(Bank.bobs), credit: .id(Bank.everyday), amount: 1, currency: .nzd,
      reference: PersonalText("mine now"))
    var owned = asked
    owned.reference?.subject = Bank.alice
    #expect(
      funded.when(.postTransfer(asked), by: .customer(Bank.alice)).events == [
        .accessRefused(AccessRefused(instruction: .postTransfer(owned)))
      ])
  }

  // MARK: Expected versions

  @Test func versionConflictRecordsNothing() {
    let freeze = Instruction.freezeAccount(FreezeAccount(account: .id(Bank.everyday)))
    #expect(funded.when(freeze, expecting: 2).decision == .versionConflict(current: 1))
    funded.when(freeze, expecting: 1).thenAccepted()
    // A transfer's stream begins with it.
    funded.when(.transfer(1, from: Bank.everyday, to: Bank.bobs), expecting: 0).thenAccepted()
    #expect(
      funded.when(.transfer(1, from: Bank.everyday, to: Bank.bobs), expecting: 1).decision
        == .versionConflict(current: 0))
    // A decline is a decline whatever version was expected.
    funded.when(.transfer(99, from: Bank.everyday, to: Bank.bobs), expecting: 7).thenDeclined(.insufficientFunds)
  }
}
