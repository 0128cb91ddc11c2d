public import Ledger
public import Postgres

/// Who signs checkpoints.
///
/// The lease's end is only for the living: it says when somebody else may take over. What keeps signing to one at a
/// time is the row itself, which every signature locks first, and the epoch, by which one who was frozen and
/// overtaken finds that he isn't the signer any more.
public struct CheckpointLease: Sendable {
  let epoch: Int64

  /// - Parameter owner: who this is; one random id a process.
  /// - Returns: nil while somebody else holds it.
  public static func take(owner: Identifier, for duration: Duration, _ session: Session) throws -> CheckpointLease? {
    let rows = try session.execute(
      """
      update checkpoint_signer
      set owner = $1, epoch = epoch + 1, lease_until = clock_timestamp() + $2::bigint * interval '1 microsecond'
      where owner is null or owner = $1 or lease_until is null or lease_until < clock_timestamp()
      returning epoch
      """, [.uuid(owner), .int8(duration.inMicroseconds)])
    guard rows.count > 0 else { return nil }
    return CheckpointLease(epoch: try rows.int8(0, 0))
  }

  /// Moves the lease's end, and holds the row until the transaction's.
  ///
  /// - Throws: `CheckpointLeaseLost`.
  public func renew(for duration: Duration, _ session: Session) throws {
    let rows = try session.execute(
      """
      update checkpoint_signer set lease_until = clock_timestamp() + $2::bigint * interval '1 microsecond'
      where epoch = $1
      """, [.int8(epoch), .int8(duration.inMicroseconds)])
    guard rows.affected == 1 else { throw CheckpointLeaseLost() }
  }

  /// Lets the next one begin at once.
  public func release(_ session: Session) throws {
    try session.execute(
      "update checkpoint_signer set owner = null, lease_until = null where epoch = $1", [.int8(epoch)])
  }
}

/// Somebody else signs now.
public struct CheckpointLeaseLost: Error {}

extension Duration {
  /// Whole microseconds.
  fileprivate var inMicroseconds: Int64 {
    components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
  }
}
