import Ledger
import Testing

/// Usage of limits by day, beside an oracle that forgets nothing.
@Suite struct LimitUsageTests {
  private let start = CalendarDate(daysSince1970: 20_000)

  private func usage(_ days: [(Int, MinorUnits)]) -> LimitUsage {
    var usage = LimitUsage()
    for (day, amount) in days { usage.use(amount, on: start.adding(days: day)) }
    return usage
  }

  private func used(_ usage: LimitUsage, _ first: Int, _ last: Int) -> MinorUnits? {
    usage.used(from: start.adding(days: first), through: start.adding(days: last))
  }

  @Test func sumsBothEndsIncluded() {
    let usage = usage([(0, 1), (1, 10), (3, 100), (3, 1_000)])
    #expect(used(usage, 0, 3) == 1_111)
    #expect(used(usage, 1, 3) == 1_110)
    #expect(used(usage, 1, 2) == 10)
    #expect(used(usage, 2, 2) == 0)
    #expect(used(usage, 3, 3) == 1_100)
    #expect(used(usage, 4, 9) == 0)
  }

  /// Where clocks go back over midnight, a day may come again.
  @Test func daysMayComeOutOfOrder() {
    let usage = usage([(5, 1), (4, 10), (5, 100), (4, 1_000)])
    #expect(used(usage, 4, 4) == 1_010)
    #expect(used(usage, 5, 5) == 101)
    #expect(usage.days.map(\.date) == [start.adding(days: 4), start.adding(days: 5)])
  }

  @Test func forgetsWhatNoWindowReaches() {
    let usage = usage([(0, 1), (1, 2), (31, 4)])
    #expect(usage.days.map(\.amount) == [2, 4])
    // A day that was passed long ago isn't brought back by a late use of it.
    var late = usage
    late.use(9, on: start)
    #expect(late.days == usage.days)
  }

  @Test func givesBackIntoTheDateAndNoFurther() {
    var usage = usage([(0, 5), (1, 7)])
    usage.giveBack(2, on: start)
    #expect(used(usage, 0, 0) == 3)
    usage.giveBack(3, on: start)
    #expect(usage.days.map(\.amount) == [7])
    usage.giveBack(3, on: start)
    #expect(usage.days.map(\.amount) == [7])
    usage.giveBack(9, on: start.adding(days: 1))
    #expect(usage.days.isEmpty)
  }

  @Test func sumsBeyondInt64AreNoNumber() {
    var usage = usage([(0, .max), (1, .max)])
    #expect(used(usage, 0, 1) == nil)
    #expect(used(usage, 1, 1) == .max)
    usage.use(1, on: start.adding(days: 1))
    #expect(used(usage, 1, 1) == .max)
    usage.use(1, on: start)
    #expect(used(usage, 0, 0) == .max)
  }

  @Test func agreesWithAnOracleThatForgetsNothing() {
    var chance = Chance("limit usage")
    for _ in 0..<200 {
      var usage = LimitUsage()
      var oracle: [Int32: MinorUnits] = [:]
      var today = start
      for _ in 0..<60 {
        if chance.oneIn(2) { today = today.adding(days: chance.index(below: 9)) }
        if chance.oneIn(3), let day = oracle.keys.sorted().last(where: { _ in chance.oneIn(2) }) {
          let amount =
            oracle[day, default: 0] == 0 ? 0 : 1 + MinorUnits(chance.index(below: Int(oracle[day, default: 1])))
          if amount > 0 {
            oracle[day, default: 0] -= amount
            usage.giveBack(amount, on: CalendarDate(daysSince1970: day))
          }
        } else {
          let amount = MinorUnits(1 + chance.index(below: 100))
          oracle[today.daysSince1970, default: 0] += amount
          usage.use(amount, on: today)
        }
        for kind in LimitKind.allCases {
          guard let first = kind.windowStart(on: today) else { continue }
          let expected = oracle.filter { $0.key >= first.daysSince1970 && $0.key <= today.daysSince1970 }
          #expect(usage.used(from: first, through: today) == expected.values.reduce(0, +))
        }
      }
    }
  }

  @Test(arguments: [
    (LimitKind.daily, "2026-11-18", "2026-11-18"), (.weekly, "2026-11-18", "2026-11-16"),
    (.weekly, "2026-11-16", "2026-11-16"), (.weekly, "2026-11-22", "2026-11-16"), (.weekly, "2027-01-03", "2026-12-28"),
    (.monthly, "2026-11-18", "2026-11-01"), (.monthly, "2028-02-29", "2028-02-01"),
    (.rolling30Days, "2026-11-18", "2026-10-20"), (.rolling30Days, "2028-03-01", "2028-02-01"),
    (.rolling30Days, "2027-03-01", "2027-01-31"),
  ])
  func windowsBegin(_ kind: LimitKind, _ date: String, _ first: String) throws {
    #expect(kind.windowStart(on: try #require(CalendarDate(date)))?.description == first)
  }

  @Test func kindsWithoutAPast() {
    #expect(LimitKind.perTransaction.windowStart(on: start) == nil)
    #expect(LimitKind.approvalThreshold.windowStart(on: start) == nil)
  }
}
