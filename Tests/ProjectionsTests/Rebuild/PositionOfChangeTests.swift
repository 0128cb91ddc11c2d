import Commands
import Ledger
import Projections
import Testing

extension OnAServer {
  @Suite struct PositionOfChangeTests {
    /// What the comparison of a rebuild relies on: a row that a later event changed can be told from one that is wrong.
    @Test("whatever an event changes says that it was that event", arguments: [0, 1])
    func position(run: Int) async throws {
      try await TestBook.with { book in
        var bank = RandomBank(book, Chance("whatever an event changes says so", run: run))
        try await bank.prepare()
        try await bank.live(commands: 400)
        var state = BookState(keepsEverything: true)
        for appended in try await book.log() {
          let (event, position) = (appended.event.type, appended.origin.position)
          state.evolve(appended.event, appended.origin)
          if state.touched.book { #expect(state.book?.position == position, "\(event)") }
          for id in state.touched.accounts { #expect(state.accounts[id]?.position == position, "\(event)") }
          for id in state.touched.balances { #expect(state.accounts[id]?.balance.position == position, "\(event)") }
          for id in state.touched.customers { #expect(state.customers[id]?.position == position, "\(event)") }
          for id in state.touched.holds { #expect(state.holds[id]?.position == position, "\(event)") }
          for id in state.touched.approvals { #expect(state.approvals[id]?.position == position, "\(event)") }
          for (list, entries) in state.touched.lists {
            #expect(state.lists[list]?.position == position, "\(event)")
            #expect(entries.values.allSatisfy { $0 == position }, "\(event)")
          }
          state.touched = BookState.Touched()
        }
      }
    }
  }
}
