import EventStore
import Ledger
import Testing

/// That what a writer keeps between batches is bounded, whatever the bank does all day.
@Suite struct StateCacheTests {
  private static let maximum = 20

  private static func id(_ number: Int) -> Identifier { Identifier(high: 0xCA, low: UInt64(number)) }

  private func commit(_ cache: inout StateCache, _ number: Int) {
    cache.committed(
      position: Int64(number), batchID: Self.id(number), lastCommand: Self.id(number),
      cachedAccountsMaximum: Self.maximum)
  }

  private func hold(_ number: Int, _ status: HoldStatus) -> Hold {
    var hold = Hold(
      id: Self.id(number), accountID: Self.id(0), amount: 1, currency: .nzd, expiresAt: nil,
      placedOn: CalendarDate(daysSince1970: 20_000), version: 1, position: Int64(number))
    hold.status = status
    return hold
  }

  @Test func endedHoldsGoWithTheirBatch() {
    var cache = StateCache()
    for (number, status) in HoldStatus.allCases.enumerated() {
      cache.state.holds[Self.id(number)] = hold(number, status)
      cache.state.touched.holds.insert(Self.id(number))
    }
    commit(&cache, 1)
    #expect(cache.state.holds.values.map(\.status) == [.active])
    #expect(cache.state.touched.holds.isEmpty)
  }

  /// Of accounts that stay few: what is asked about, and what is open.
  @Test(arguments: HoldStatus.allCases) func holdsAreBounded(_ status: HoldStatus) {
    var cache = StateCache()
    for number in 1...200 {
      cache.state.holds[Self.id(number)] = hold(number, status)
      commit(&cache, number)
      #expect(cache.state.holds.count <= Self.maximum)
    }
  }

  @Test func customersWithoutAccountsAreBounded() {
    var cache = StateCache()
    for number in 1...200 {
      cache.state.customers[Self.id(number)] = Customer(
        id: Self.id(number), standingSince: CalendarDate(daysSince1970: 20_000), name: PersonalText("Mere"), version: 1,
        position: Int64(number))
      commit(&cache, number)
      #expect(cache.state.customers.count <= Self.maximum)
    }
  }
}
