extension Session {
  /// Runs `body` between BEGIN and COMMIT, and rolls back when it throws.
  ///
  /// Where the session is lost during COMMIT, the error has `isOutcomeUnknown` set: the transaction may have been
  /// committed. A transaction that `body` let fail without throwing isn't committed; that throws SQLSTATE 25P02.
  /// - Parameter begin: how it begins, for another isolation level or a read-only one.
  @discardableResult
  public func transaction<Value>(_ begin: String = "begin", _ body: () throws -> Value) throws -> Value {
    try simple(begin)
    let value: Value
    do {
      value = try body()
      // Not sent, and so surely not committed, when an interrupt has come.
      try simple("commit")
    } catch {
      rollBack()
      throw error
    }
    return value
  }

  /// Rolls back whatever transaction is open, interrupts and deadlines notwithstanding. Where that fails, the session
  /// is broken, and the server rolls back by itself.
  public func rollBack() {
    guard !isBroken, transactionStatus != .idle else { return }
    do throws(PostgresError) {
      try simple("rollback", shielded: true)
    } catch {
      if !isBroken { _ = lose(error) }
    }
  }
}
