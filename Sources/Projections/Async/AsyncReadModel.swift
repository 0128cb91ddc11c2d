import EventStore
public import Ledger
public import Postgres

/// A read model that follows the log, behind it by a moment.
///
/// What it keeps is a fold of its changes in the order of the log, whoever applies them: the runner that follows, or a
/// rebuild.
public protocol AsyncReadModel: Sendable {
  /// What one event does to the model.
  associatedtype Change: Sendable
  /// What the one who applies changes keeps from batch to batch, so as not to read it again; may be forgotten at any
  /// time.
  associatedtype Memory: Sendable

  /// As in the table of projections and in the head's live generations.
  static var name: String { get }
  /// Its tables, by their names in the first generation.
  static var tables: [String] { get }
  /// The form of its tables. A build that has another form follows the log only for generations of that form, so a model
  /// that gets a new column gets the next number, and a new generation.
  static var shape: Int { get }
  /// The types of events that change it; others are passed over.
  static var eventTypes: Set<String> { get }
  /// The model that questions about this one are answered with the help of: this one is never ahead of it. Nil for none.
  static var follows: String? { get }

  init()

  /// Pure: nothing but the event.
  func changes(for event: RecordedEvent) -> [Change]

  var emptyMemory: Memory { get }

  /// Writes the changes of a run of events to the tables of `generation`, within the caller's transaction.
  func apply(
    _ changes: [Change], to generation: Generation, remembering memory: inout Memory, _ session: Session) throws
}

extension AsyncReadModel {
  public static var follows: String? { nil }
}

extension AsyncReadModel {
  public static var tables: [String] { [name] }
  public static var shape: Int { 1 }
}

/// One of several versions of a read model's tables that may stand beside each other while the model is rebuilt.
public struct Generation: Hashable, Sendable {
  /// From 1.
  public var number: Int

  public init(_ number: Int) { self.number = number }

  public static let first = Generation(1)

  /// The one that is live while the log ends at `head`.
  init(liveIn head: LogHead, of model: String) { self.init(head.generations[model] ?? 1) }

  /// The table's name in this generation: its plain name in the first, with the number after it in the later ones.
  public func table(_ name: String) -> String {
    number == 1 ? name : "\(name)_\(number)"
  }
}
