package import Ledger
package import Postgres

/// Who moves a read model's checkpoint.
///
/// The lease's end is only for the living: it says when somebody else may take over. What keeps rows right is the
/// epoch, which every step names: one who was frozen and overtaken finds that nothing of his counts any more.
package struct ProjectionLease: Sendable {
  /// Which row of `projections`.
  package struct Key: Hashable, Sendable {
    package let model: String
    package let generation: Generation

    package init(model: String, generation: Generation) {
      self.model = model
      self.generation = generation
    }
  }

  package let key: Key
  package let epoch: Int64
  /// The last event whose changes are in the tables.
  package var position: Int64

  /// - Parameter shape: the form of the tables that whoever takes it can write.
  /// - Returns: nil while somebody else holds it, and where the tables have another form.
  package static func take(
    _ key: Key, shape: Int = 1, owner: Identifier, for duration: Duration, _ session: Session
  ) throws -> ProjectionLease? {
    let rows = try session.execute(
      """
      update projections
      set owner = $3, epoch = epoch + 1, lease_until = clock_timestamp() + $4::bigint * interval '1 microsecond'
      where model = $1 and generation = $2 and shape = $5
        and (owner is null or owner = $3 or lease_until is null or lease_until < clock_timestamp())
      returning epoch, position
      """,
      [
        .text(key.model), .int4(Int32(clamping: key.generation.number)), .uuid(owner), .int8(duration.microseconds),
        .int4(Int32(clamping: shape)),
      ])
    guard rows.count > 0 else { return nil }
    return ProjectionLease(key: key, epoch: try rows.int8(0, 0), position: try rows.int8(0, 1))
  }

  /// Takes it whoever holds it: for one who knows by other means that the holder is gone.
  /// - Returns: nil when there is no such generation.
  package static func seize(
    _ key: Key, owner: Identifier, for duration: Duration, _ session: Session
  ) throws -> ProjectionLease? {
    let rows = try session.execute(
      """
      update projections
      set owner = $3, epoch = epoch + 1, lease_until = clock_timestamp() + $4::bigint * interval '1 microsecond'
      where model = $1 and generation = $2 returning epoch, position
      """,
      [.text(key.model), .int4(Int32(clamping: key.generation.number)), .uuid(owner), .int8(duration.microseconds)])
    guard rows.count > 0 else { return nil }
    return ProjectionLease(key: key, epoch: try rows.int8(0, 0), position: try rows.int8(0, 1))
  }

  /// Moves the checkpoint, or just the lease's end when `position` is where it stands. Comes first in its transaction,
  /// so that two who both believe to hold the lease take turns at the row and the second one sees that it is too late.
  /// - Throws: `LeaseLost`.
  package func advance(to position: Int64, for duration: Duration, _ session: Session) throws {
    let rows = try session.execute(
      """
      update projections set position = $5, lease_until = clock_timestamp() + $6::bigint * interval '1 microsecond'
      where model = $1 and generation = $2 and epoch = $3 and position = $4
      """,
      [
        .text(key.model), .int4(Int32(clamping: key.generation.number)), .int8(epoch), .int8(self.position),
        .int8(position), .int8(duration.microseconds),
      ])
    guard rows.affected == 1 else { throw LeaseLost() }
  }

  /// Lets the next one begin at once.
  package func release(_ session: Session) throws {
    try session.execute(
      """
      update projections set owner = null, lease_until = null where model = $1 and generation = $2 and epoch = $3
      """, [.text(key.model), .int4(Int32(clamping: key.generation.number)), .int8(epoch)])
  }
}

/// Another generation of the model is live now.
struct GenerationSwitched: Error {}

/// Somebody else follows the log for this model now.
package struct LeaseLost: Error {}

extension Duration {
  /// Whole microseconds.
  var microseconds: Int64 {
    components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
  }
}
