import Commands
import EventStore
package import Ledger
import Postgres

/// Fills one generation of one read model: takes in the log run by run, and writes what the runs come to.
protocol GenerationFill: Sendable {
  /// What the fill makes of a run of events before its turn comes.
  associatedtype Portion: Sendable

  /// The types of events that change the model.
  var eventTypes: Set<String> { get }

  /// Pure, and of any run: several readers work side by side.
  func portion(of events: [AppendedEvent]) -> Portion

  /// Takes in the next run; runs come in the order of the log.
  /// - Returns: whether so much is waiting now that it should be written.
  func take(_ portion: Portion) -> Bool

  /// Gets ready to write what was taken in, whatever can be done before the transaction is open.
  func arrange()

  /// Writes what was taken in, within the caller's transaction.
  func write(_ session: Session) throws

  /// Which rows have been written since this was last asked, as far as the fill can say. The first answer says nothing:
  /// from then on it is noted, and not before, because nobody compares row by row while all are still to be compared.
  func takeWritten() -> WrittenRows
}

/// Rows of a generation.
package enum WrittenRows: Hashable, Sendable {
  case none
  /// Those with these primary keys.
  case keys(Set<Identifier>)
  /// Nobody knows which: perhaps all.
  case any
}
