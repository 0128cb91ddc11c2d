import CLibpq
import Glibc

/// Statements on their way to the server in one round trip. See `Session.pipeline`.
public struct Pipeline: ~Copyable {
  enum Step {
    case prepare(Statement)
    case execute(Statement)
    /// A statement that fails, so that what was sent of an abandoned pipeline isn't committed.
    case abandon
  }

  private let session: Session
  private(set) var steps: [Step] = []
  /// Statements queued so far.
  public private(set) var count = 0

  init(_ session: Session) { self.session = session }

  /// Queues a statement; its result comes at the same place in what `Session.pipeline` returns. May wait for the
  /// server to take what was queued before.
  /// - Throws: `.encoding`, `.misuse`; and what a lost session throws.
  public mutating func execute(_ statement: Statement, _ parameters: [Parameter] = []) throws(PostgresError) {
    guard let connection = session.connection else { throw PostgresError(.misuse, "the pipeline has ended") }
    try session.check(statement)
    if statement.name == nil {
      guard !statement.sql.utf8.contains(0) else { throw PostgresError(.encoding, "U+0000 in a statement") }
      let name = session.statements.nextName()
      try session.check(sent: session.sendPrepare(statement, name, connection))
      statement.name = name
      steps.append(.prepare(statement))
    }
    let sent = try withLibpqParameters(parameters) { values, lengths, formats in
      PQsendQueryPrepared(
        connection, statement.name, CInt(parameters.count), values, lengths, formats, 1)
    }
    try session.check(sent: sent)
    steps.append(.execute(statement))
    count += 1
    try session.flushWhileReading()
  }

  /// Queues a statement, which is prepared on its first use, within the same round trip.
  public mutating func execute(_ sql: String, _ parameters: [Parameter] = []) throws(PostgresError) {
    let types = parameters.map(\.type)
    try execute(session.statements.statement(sql, types, owner: ObjectIdentifier(session)), parameters)
  }

  mutating func abandon() throws(PostgresError) {
    guard let connection = session.connection else { return }
    let failing = "do $$ begin raise exception 'pipeline abandoned by the client' using errcode = '57014'; end $$"
    try session.check(sent: PQsendQueryParams(connection, failing, 0, nil, nil, nil, nil, 1))
    steps.append(.abandon)
  }
}

extension Session {
  /// Sends several statements without waiting for the answer of each, and then returns their outcomes in order.
  ///
  /// Outside a transaction they are one, committed at the end. When one fails, those after it don't run and have
  /// `.pipelineAborted` as their outcome. When `body` throws, nothing of it is committed, and a transaction that was
  /// open has failed. COPY and statements that can't be in a transaction don't belong here.
  /// - Throws: what `body` throws; `.cancelled` and `.timeout` when the pipeline was ended early; `.connectionLost`.
  public func pipeline(_ body: (inout Pipeline) throws -> Void) throws -> [Result<Rows, PostgresError>] {
    let connection = try begin()
    defer { end() }
    guard PQenterPipelineMode(connection) == 1 else { throw lose(.misuse, libpqMessage) }
    var pipeline = Pipeline(self)
    var failure: (any Error)?
    do {
      try body(&pipeline)
    } catch {
      guard !isBroken else { throw error }
      failure = error
      try pipeline.abandon()
    }
    guard PQpipelineSync(connection) == 1 else { throw lose(.connectionLost, libpqMessage) }
    renewLimit()
    let outcomes = try collect(pipeline.steps)
    guard PQexitPipelineMode(connection) == 1 else { throw lose(.connectionLost, libpqMessage) }
    if let failure { throw failure }
    for case .failure(let error) in outcomes where error.kind == .cancelled || error.kind == .timeout { throw error }
    return outcomes
  }

  /// Hands libpq's output to the system. As long as the server doesn't take it, reads what the server sends: it may be
  /// waiting for just that.
  func flushWhileReading() throws(PostgresError) {
    while true {
      switch PQflush(connection) {
      case 0: return
      case 1:
        try wait(POLLIN | POLLOUT)
        renewLimit()
        if PQconsumeInput(connection) == 0 { return }
      default: return  // `nextResult` brings the error, with what the server said last.
      }
    }
  }

  private func collect(_ steps: [Pipeline.Step]) throws(PostgresError) -> [Result<Rows, PostgresError>] {
    var outcomes: [Result<Rows, PostgresError>] = []
    var unprepared: PostgresError?
    for step in steps {
      let outcome = try outcomeOfStep()
      switch step {
      case .prepare(let statement):
        guard case .failure(let error) = outcome else { continue }
        statement.name = nil
        unprepared = error
      case .execute(let statement):
        outcomes.append(check(outcome, of: statement, unprepared))
        unprepared = nil
      case .abandon: break
      }
    }
    guard let sync = try nextResult(), sync.status == PGRES_PIPELINE_SYNC else {
      throw lose(.connectionLost, libpqMessage)
    }
    return outcomes
  }

  /// One step's result, and the nil that follows it.
  private func outcomeOfStep() throws(PostgresError) -> Result<Rows, PostgresError> {
    guard let result = try nextResult() else { throw lose(.connectionLost, libpqMessage) }
    renewLimit()
    let outcome: Result<Rows, PostgresError>
    switch result.status {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
      outcome = .success(Rows(result))
    case PGRES_PIPELINE_ABORTED:
      outcome = .failure(PostgresError(.pipelineAborted, "an earlier statement of the pipeline failed"))
    case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
      throw lose(.misuse, "COPY in a pipeline")
    default:
      let error = error(from: result)
      guard !error.isFatal else { throw lose(error) }
      outcome = .failure(error)
    }
    guard try nextResult() == nil else { throw lose(.connectionLost, "a result too many") }
    return outcome
  }

  private func check(
    _ outcome: Result<Rows, PostgresError>, of statement: Statement, _ unprepared: PostgresError?
  ) -> Result<Rows, PostgresError> {
    switch outcome {
    case .success(let rows):
      return Result { () throws(PostgresError) in try checkCommit(rows, statement.isCommit) }
    case .failure(let error):
      if let unprepared { return .failure(unprepared) }
      forgetIfStale(statement, error)
      return outcome
    }
  }
}
