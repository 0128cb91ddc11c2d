public import Commands
public import Ledger
public import Postgres

/// The read models that decisions read, kept in the same transaction as the events. Called by the writer, under the
/// head's lock.
public protocol InlineReadModels: Sendable {
  /// The server's settings that the writer's session needs for the statements of `write` to be planned well.
  static var sessionSettings: [String: String] { get }

  /// The live generations whose tables these are, as the head has them.
  var generations: [String: Int] { get }

  /// The tables that are live in other generations.
  func live(in generations: [String: Int]) -> Self

  /// Loads what `needs` names: accounts with their balances, account numbers, customers, holds, approvals, lists with
  /// their entries. What isn't there stays absent. Transfers and claimed ids are in no read model: the writer reads
  /// them from the log.
  func load(_ needs: StateNeeds, into state: inout BookState, _ session: Session) throws

  /// Loads the book itself; leaves it nil when it hasn't been opened.
  func loadBook(into state: inout BookState, _ session: Session) throws

  /// Queues the statements that bring the rows of `touched` to what `state` says.
  func write(_ touched: BookState.Touched, of state: borrowing BookState, into pipeline: inout Pipeline) throws
}
