import EventStore
import Ledger
import Postgres

/// How far a model's tables may go: to the log's end, and never ahead of the live tables of the model that questions
/// about it are answered with the help of.
struct Reach: Sendable {
  private let follows: String?

  init(_ model: ReadModel) { follows = model.follows }

  func end(_ head: LogHead, _ session: Session) throws -> Int64 {
    guard let follows else { return head.position }
    let followed = LiveCheckpoint(follows, Generation(liveIn: head, of: follows))
    return min(head.position, try followed.position(session))
  }
}

/// The checkpoint of a model's live generation.
struct LiveCheckpoint: Sendable {
  private let model: String
  private let generation: Generation

  init(_ model: String, _ live: Generation) {
    self.model = model
    generation = live
  }

  func position(_ session: Session) throws -> Int64 { try read("", session) }

  /// Nobody moves it until the caller's transaction ends.
  func hold(_ session: Session) throws -> Int64 { try read(" for update", session) }

  private func read(_ clause: String, _ session: Session) throws -> Int64 {
    let rows = try session.execute(
      "select position from projections where model = $1 and generation = $2\(clause)",
      [.text(model), .int4(Int32(clamping: generation.number))])
    guard rows.count > 0 else {
      throw CorruptRow(table: "projections", key: model, reason: "the live generation has no checkpoint")
    }
    return try rows.int8(0, 0)
  }
}
