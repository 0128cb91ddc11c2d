public import Ledger
public import Postgres

/// A subject whose key is gone for ever.
public struct ErasedSubject: Hashable, Sendable {
  public var customerID: CustomerID
  /// The log position of the customer's erasure; nil where a list of erasures was applied to a book that had lost it.
  public var position: Int64?
  public var erasedAt: Moment

  public init(customerID: CustomerID, position: Int64?, erasedAt: Moment) {
    self.customerID = customerID
    self.position = position
    self.erasedAt = erasedAt
  }
}

/// What has been erased in a book, and erasing it again after a restore that brought it back.
public enum Erasures {
  /// Every erasure, in the order they were made.
  public static func all(_ session: Session) throws -> [ErasedSubject] {
    let rows = try session.execute("select subject, position, erased_at from erased_subjects order by number")
    return try (0..<rows.count).map { row in
      let (high, low) = try rows.uuid(row, 0)
      return ErasedSubject(
        customerID: Identifier(high: high, low: low), position: try rows.int8OrNil(row, 1),
        erasedAt: Moment(microseconds: try rows.timestamptz(row, 2)))
    }
  }

  /// Deletes the keys of customers that are erased in this book and whose keys are there all the same, as after a
  /// restore of single tables. Any role of the book's may.
  ///
  /// - Returns: how many keys were deleted.
  @discardableResult
  public static func repeatAll(_ session: Session) throws -> Int64 {
    try session.execute("select repeat_erasures()").int8(0, 0)
  }

  /// What applying a list came to.
  public struct Applied: Hashable, Sendable {
    /// Subjects that this book didn't know to be erased.
    public var erased: Int
    /// Keys that were there and are gone now.
    public var keys: Int
  }

  /// Erases the keys of subjects that were erased in this book before it was restored to a time before that: no event
  /// says so in its log any more. Only the schema's owner may.
  ///
  /// - Parameter session: with no transaction open.
  public static func apply(_ subjects: Set<CustomerID>, _ session: Session) throws -> Applied {
    var wanted = ArrayBuilder.uuid(reserving: subjects.count)
    for subject in subjects.sorted() { wanted.append(subject.high, subject.low) }
    let list = wanted.parameter
    return try session.transaction {
      // Tombstones are numbered in the order of commits.
      try session.execute("select from log_head for update")
      let erased = try session.execute(
        """
        insert into erased_subjects (subject) select unnest($1::uuid[])
        on conflict (subject) do nothing returning subject
        """, [list])
      let keys = try session.execute(
        "delete from personal_keys where subject = any($1::uuid[]) returning subject", [list])
      return Applied(erased: erased.count, keys: keys.count)
    }
  }
}
