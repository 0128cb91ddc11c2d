public import Commands
public import Ledger

extension PostgresBook {
  /// Opens the book if its log is empty: `BookOpened`, with its time zone, currency, rule set and default policies. The
  /// book's own key is made with it; where it is there already, the master key must be the one that wrapped it.
  ///
  /// - Returns: what came of it; nil when the book was open already.
  /// - Throws: `UnknownTimeZone`, `PersonalKeyFault.wrongMasterKey`, `BookFault`, `PostgresError`.
  public func openIfEmpty(timeZone: String, currency: Currency, policies: Policies = Policies()) async throws
    -> CommandResult?
  {
    _ = try BookCalendar(timeZone: timeZone)
    try prepareBookKey()
    if try currentHead().position > 0 { return nil }
    var generator = SystemRandomNumberGenerator()
    let open = OpenBook(
      bookID: Identifier(high: generator.next(), low: generator.next()), timeZone: timeZone, currency: currency,
      policies: policies, ruleSet: options.ruleSets.newest)
    // One id for every book's opening: whoever comes second finds it in the log, and no book is opened twice.
    let command = CommandEnvelope(
      id: Identifier(high: 0, low: 1), actor: .kauri, instruction: .openBook(open))
    switch await commit([command])[0] {
    case .keyReused: return nil
    case .unavailable(let fault): throw fault
    case let result: return result
    }
  }
}
