/// Prepares pages of positions several at once and hands them on in order.
struct OrderedPages: Sendable {
  /// Positions in a page.
  var size: Int64
  /// Pages that are prepared or wait for their turn, at most: what bounds the memory.
  var ahead: Int

  /// Prepares `range` page by page. Whatever `prepare` or `take` throws ends it.
  nonisolated(nonsending) func run<Page: Sendable>(
    _ range: ClosedRange<Int64>, prepare: @escaping @Sendable (ClosedRange<Int64>) async throws -> Page,
    take: (Page) async throws -> Void
  ) async throws {
    let pages = Int((range.upperBound - range.lowerBound) / size + 1)
    try await withThrowingTaskGroup(of: (Int, Page).self) { group in
      var waiting: [Int: Page] = [:]
      var begun = 0
      for number in 0..<pages {
        while begun < pages, begun < number + ahead {
          let page = begun
          let positions = positions(of: page, in: range)
          group.addTask { (page, try await prepare(positions)) }
          begun += 1
        }
        while waiting[number] == nil {
          guard let (page, prepared) = try await group.next() else { break }
          waiting[page] = prepared
        }
        if let page = waiting.removeValue(forKey: number) { try await take(page) }
      }
    }
  }

  /// Pages end at multiples of their size, wherever the range begins.
  private func positions(of page: Int, in range: ClosedRange<Int64>) -> ClosedRange<Int64> {
    let lower = range.lowerBound + Int64(page) * size
    return lower...min(range.upperBound, lower + size - 1)
  }
}
