/// Why a query has no answer. None of these is the database's fault; those are `PostgresError`.
public enum QueryFault: Error, Hashable, Sendable {
  public enum Subject: String, Hashable, Sendable {
    case account, customer, transfer, command
    case sanctionsEntry = "sanctions_entry"
  }

  /// There is no such thing.
  case unknown(Subject)
  /// There wasn't at the point of time that was asked for: `since` is the log position that it came with.
  case notYet(Subject, since: Int64)
  /// The point of time needs events of a range that has been archived and detached.
  case archived
  /// The cursor isn't one that a page of this list gave.
  case badCursor
  /// The position or the moment hasn't come: `head` is where the log ends.
  case inTheFuture(head: Int64)
  /// The position or the moment lies before the log's first event.
  case beforeTheFirst
  /// The live tables of the model have the form of an earlier release, which doesn't say what was asked for.
  case outdated(model: String)
  /// `at_least` wasn't reached in time: `position` is where the model stands.
  case notReached(position: Int64)
}

extension QueryFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknown(let subject): "no such \(subject.words) is known"
    case .notYet(let subject, let since): "the \(subject.words) wasn't there yet: it came with position \(since)"
    case .archived: "the answer needs a part of the log that was archived"
    case .badCursor: "the cursor isn't one that a page of this list gave"
    case .inTheFuture(let head): "that lies in the future: the log ends at position \(head)"
    case .beforeTheFirst: "that lies before the log's first event"
    case .outdated(let model):
      "the read model \(model) has the form of an earlier release: kauri rebuild \(model) makes it anew"
    case .notReached(let position): "what is read has come to position \(position) only"
    }
  }
}

extension QueryFault.Subject {
  fileprivate var words: String { rawValue.replacing("_", with: " ") }
}
