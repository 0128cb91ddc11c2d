package import Postgres

/// How far somebody has read the log, and in which of its histories. A position alone says nothing once a restore or a
/// failover has cut the log: the same one may hold another event.
public struct LogPlace: Hashable, Sendable {
  /// Everything up to here has been read.
  public var position: Int64
  /// The history that was read; nil where that isn't known.
  public var incarnation: Int?

  public init(_ position: Int64, incarnation: Int? = nil) {
    self.position = position
    self.incarnation = incarnation
  }

  /// Makes sure that what was read up to here is what the log holds.
  ///
  /// - Parameter head: of the same snapshot as `session` reads.
  /// - Throws: `HistoryChanged`, and what the session throws.
  package func check(against head: LogHead, _ session: Session) throws {
    guard let incarnation, incarnation != head.incarnation else {
      guard position <= head.position else { throw HistoryChanged(kept: nil, incarnation: head.incarnation) }
      return
    }
    // Of a history that this database knows nothing of, nothing can be said either.
    guard incarnation < head.incarnation else { throw HistoryChanged(kept: nil, incarnation: head.incarnation) }
    switch try Incarnations.kept(of: incarnation, session) {
    case .upTo(let kept) where position > kept:
      throw HistoryChanged(kept: kept, incarnation: head.incarnation)
    case .unknown where position > 0:
      throw HistoryChanged(kept: nil, incarnation: head.incarnation)
    case .whole, .upTo, .unknown: break
    }
  }
}

extension LogPlace: CustomStringConvertible {
  /// `position` in the first history, `incarnation:position` in later ones: so it stands in an event's id.
  public var description: String {
    if let incarnation, incarnation > 1 { "\(incarnation):\(position)" } else { "\(position)" }
  }

  /// Reads what `description` writes.
  ///
  /// - Returns: nil for anything else.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let last = parts.last, let position = Int64(last)
    else { return nil }
    let incarnation = parts.count == 1 ? 1 : Int(parts[0])
    guard let incarnation, incarnation >= 1 else { return nil }
    self.init(position, incarnation: incarnation)
  }
}

/// The log isn't, or isn't any more, the one that was read.
public struct HistoryChanged: Error, Hashable, Sendable {
  /// Up to here it is; nil where the database can't tell.
  public var kept: Int64?
  /// The history that the log is in now.
  public var incarnation: Int

  public init(kept: Int64?, incarnation: Int) {
    self.kept = kept
    self.incarnation = incarnation
  }
}
