import EventStore
import HTTPTypes
import Hummingbird
import Ledger
import Projections

/// What the routes that read have in common.
struct Reads: Sendable {
  let reader: any BookReading
  let texts: any PersonalTextReading
  let access: DataAccess

  /// Asks the book about something that somebody owns. A customer that asks for what isn't there is refused as for what
  /// isn't its own, so that nobody learns what exists.
  ///
  /// What isn't there isn't there as of a position, as every answer is. The question's fault doesn't have it, so it is
  /// put once more when the head is known: what then isn't there wasn't at that head.
  func ask<Value>(
    _ call: Call, about object: Identifier?, _ question: () async throws -> Answer<Value>
  ) async throws -> Answer<Value> {
    let isCustomer = try call.actor.role == .customer
    do {
      return try await question()
    } catch QueryFault.unknown {
      if isCustomer { throw try await access.refusal(call, about: object) }
    }
    let position = try await reader.head().position
    do {
      return try await question()
    } catch let fault as QueryFault {
      var problem = Problem(fault)
      if problem.code == .notFound { problem.position = position }
      throw problem
    }
  }

  /// The customer that a stream of the log is about; nil for the bank's own, and for what isn't there.
  func owner(of stream: StreamID) async throws -> CustomerID? {
    switch stream.kind {
    case .account: return try await reader.owners(of: [stream.id])[stream.id]
    case .customer:
      do {
        return try await reader.customer(stream.id, atLeast: nil).value.id
      } catch QueryFault.unknown {
        return nil
      }
    // What these are about is in their events.
    case .book, .transfer, .journal, .hold, .command, .sanctionsList: return nil
    }
  }

  /// One object, with the position that it reflects.
  func reply<Value>(
    _ answer: Answer<Value>, _ view: PersonalTextView, version: Int64? = nil, reserving capacity: Int = 512,
    _ write: (Value, inout RecordWriter) throws -> Void
  ) async throws -> Response {
    let bytes = try await texts.write(view, reserving: capacity) { writer in
      writer.json.beginObject()
      try write(answer.value, &writer)
      writer.json.field("position", integer: answer.position)
      writer.json.endObject()
    }
    return Reply.json(
      bytes, position: answer.position, headers: version.map { [.eTag: "\"\($0)\""] } ?? [:])
  }
}

extension Call {
  /// The position that the answer must have reached.
  func atLeast() throws(Problem) -> Int64? { try query.integer(.atLeast) }

  /// Scores are how the bank sees somebody, and told to no customer.
  func shown(_ scores: Scores) -> Scores { caller?.role == .customer ? Scores() : scores }

  /// The point of time to look back to.
  func at() throws(Problem) -> PointInTime? {
    guard let text = query[.at] else { return nil }
    guard let point = PointInTime(text) else {
      throw Problem(.invalidParameter, "at is a log position or an RFC 3339 date-time.")
    }
    return point
  }

  /// The account in the path: its id, or its number.
  func account() throws(Problem) -> AccountReference {
    guard let text = parameter else { throw Problem(.notFound) }
    if let id = Identifier(text) { return .id(id) }
    guard let number = try? AccountNumber(text) else {
      throw Problem(.notFound, "The path has neither a UUID nor an account number.")
    }
    return .number(number)
  }
}

extension AccountReference {
  /// The id, where it names the account by it.
  var id: AccountID? {
    if case .id(let id) = self { id } else { nil }
  }
}

extension Problem {
  /// Why a question has no answer.
  init(_ fault: QueryFault) {
    switch fault {
    case .unknown(let subject): self.init(.notFound, "No such \(subject.rawValue.replacing("_", with: " ")) is known.")
    case .notYet(let subject, let since):
      self.init(
        .notFound, "The \(subject.rawValue) wasn't there yet: it came with position \(since) of the log.",
        position: since)
    case .archived:
      self.init(.invalidParameter, "at lies so far back that the answer needs a part of the log that was archived.")
    case .badCursor: self.init(.invalidParameter, "cursor is not one that a page of this list gave.")
    case .inTheFuture(let head):
      self.init(.invalidParameter, "at lies in the future: the log ends at position \(head).")
    case .beforeTheFirst: self.init(.invalidParameter, "at lies before the log's first event.")
    case .outdated(let model): self.init(.readModelOutdated, "`kauri rebuild \(model)` makes \(model) anew.")
    case .notReached(let position): self.init(.positionNotReached, position: position)
    }
  }

  /// Why somebody can't read on from where he was.
  init(_ changed: HistoryChanged) {
    let detail =
      changed.kept.map { "What was read up to position \($0) is still so; what came after it isn't." }
      ?? "The log has no such position in its incarnation \(changed.incarnation), or knows nothing of the one that was read."
    self.init(.historyChanged, detail, keptPosition: changed.kept)
  }
}
