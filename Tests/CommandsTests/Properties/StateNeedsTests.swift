import Commands
import Ledger
import Testing

/// What a server loads before it decides: everything that is read, and what isn't there only once.
@Suite struct StateNeedsTests {
  private func command(_ id: UInt64, _ instruction: Instruction) -> CommandEnvelope {
    CommandEnvelope(id: Bank.id(id), actor: .maker, instruction: instruction)
  }

  private let book = given(
    Bank.opened() + [
      Bank.deposited(500, to: Bank.everyday), Bank.deposited(500, to: Bank.savings, id: Bank.id(1)),
      Bank.moved(80, from: Bank.savings, to: Bank.bobs, id: Bank.id(2)),
    ])

  /// The second command reads accounts that only the first, in the same batch, makes it read.
  @Test func limitSetInTheSameBatch() throws {
    let set = command(3, .setLimit(.daily, 100, of: Bank.alice))
    let transfer = command(4, .transfer(21, from: Bank.everyday, to: Bank.bobs, id: Bank.id(4)))
    let partial = try #require(BookState.loaded(for: [set, transfer], from: book.state))
    #expect(partial.accounts[Bank.savings] == book.state.accounts[Bank.savings])
    book.and([Bank.limit(.daily, 100, of: Bank.alice, .customer)]).when(transfer.instruction)
      .thenDeclined(.limitDaily)
  }

  @Test func customerWithLimitsBringsAllItsAccounts() throws {
    let transfer = command(4, .transfer(21, from: Bank.everyday, to: Bank.bobs, id: Bank.id(4)))
    let without = try #require(BookState.loaded(for: [transfer], from: book.state))
    #expect(Set(without.accounts.keys) == [Bank.everyday, Bank.bobs])
    #expect(Set(without.customers.keys) == [Bank.alice, Bank.bob])
    let limited = book.and([Bank.limit(.daily, 100, of: Bank.alice, .customer)])
    let with = try #require(BookState.loaded(for: [transfer], from: limited.state))
    #expect(Set(with.accounts.keys) == [Bank.everyday, Bank.savings, Bank.bobs])
  }

  @Test func whatIsNotThereIsLookedForOnce() {
    var collector = StateNeedsCollector()
    let missing = [
      command(3, .transfer(1, from: Bank.nobodys, to: Bank.id(0xBAD), id: Bank.id(7))),
      command(4, .approve(Bank.nobodys)),
      command(5, .captureHold(CaptureHold(holdID: Bank.nobodys, credit: .id(Bank.nobodys)))),
      command(6, .reverseTransfer(ReverseTransfer(transferID: Bank.nobodys, reason: PersonalText("x")))),
      command(7, .freezeAccount(FreezeAccount(account: .number(Bank.everydayNumber)))),
      command(8, .importSanctionsList(ImportSanctionsList(list: "UN", version: ListVersion("1"), entries: []))),
    ]
    for command in missing { collector.collect(command, on: BookState()) }
    let needs = collector.takeMissing()
    #expect(needs.accounts == [Bank.nobodys, Bank.id(0xBAD)])
    #expect(needs.claims == [Bank.id(7)])
    #expect(needs.approvals == [Bank.nobodys])
    #expect(needs.holds == [Bank.nobodys])
    #expect(needs.transfers == [Bank.nobodys])
    #expect(needs.numbers == [Bank.everydayNumber])
    #expect(needs.lists == ["UN"])
    #expect(needs.customers.isEmpty)
    for command in missing { collector.collect(command, on: BookState()) }
    let again = collector.takeMissing()
    #expect(again.isEmpty)
  }

  /// The common case needs no look-up of ids: a movement under its command's own id.
  @Test func defaultIdsClaimNothing() {
    var collector = StateNeedsCollector()
    collector.collect(command(4, .transfer(1, from: Bank.everyday, to: Bank.bobs, id: Bank.id(4))), on: book.state)
    #expect(collector.takeMissing().isEmpty)
  }
}
