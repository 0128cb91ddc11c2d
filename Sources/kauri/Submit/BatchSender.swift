/// Why a submission can't go on. What was answered so far stands, and the next run takes up from there.
package enum SubmissionFault: Error, CustomStringConvertible {
  /// Nothing was answered for as long as the caller was willing to wait.
  case noAnswer(last: String)
  /// The server won't take commands from this caller.
  case notPermitted(status: Int, problem: String)
  /// The server's answer isn't what the contract says.
  case notTheContract(String)

  package var description: String {
    switch self {
    case .noAnswer(let last):
      "the server doesn't answer (\(last)); run the same command again to go on from here"
    case .notPermitted(let status, let problem): "the server refuses the whole batch with \(status): \(problem)"
    case .notTheContract(let what): "the server's answer can't be understood: \(what)"
    }
  }
}

/// Sends a batch until each of its lines has a final outcome.
///
/// A line whose outcome isn't known is sent again with the same id, which moves nothing twice. Lines that share a
/// batch are sent again together and in their order.
package struct BatchSender<Endpoint: CommandEndpoint>: Sendable {
  package struct Patience: Sendable {
    /// How long to go on trying without any answer.
    package var total: Duration
    package var firstWait: Duration
    package var longestWait: Duration

    package init(
      total: Duration = .seconds(300), firstWait: Duration = .milliseconds(50), longestWait: Duration = .seconds(5)
    ) {
      self.total = total
      self.firstWait = firstWait
      self.longestWait = longestWait
    }
  }

  private let endpoint: Endpoint
  private let patience: Patience
  private let notice: @Sendable (String) -> Void

  /// - Parameter notice: told why it waits, whenever it does.
  package init(_ endpoint: Endpoint, patience: Patience, notice: @escaping @Sendable (String) -> Void = { _ in }) {
    self.endpoint = endpoint
    self.patience = patience
    self.notice = notice
  }

  /// - Returns: an outcome a line, in the same order, none of them undecided.
  /// - Throws: ``SubmissionFault``, or `CancellationError`.
  package func send(_ lines: [InputLine]) async throws -> [LineOutcome] {
    var outcomes: [LineOutcome?] = Array(repeating: nil, count: lines.count)
    var open = Array(lines.indices)
    var wait = patience.firstWait
    var patienceEnds = ContinuousClock.now + patience.total
    while !open.isEmpty {
      let (reason, retryAfter): (String, Duration?)
      switch await reply(to: open.map { lines[$0] }) {
      case .success(.outcomes(let text)):
        let read = try BatchAnswer.read(text, count: open.count)
        let before = open.count
        for (index, outcome) in zip(open, read) where outcome.kind != .undecided { outcomes[index] = outcome }
        open = open.filter { outcomes[$0] == nil }
        if open.isEmpty { continue }
        if open.count < before {
          wait = patience.firstWait
          patienceEnds = ContinuousClock.now + patience.total
        }
        (reason, retryAfter) = ("\(open.count) commands undecided", nil)
      case .success(.refused(let status, let problem, let after)):
        if status == 400 || status == 413 {
          let answers = try await sendInParts(open.map { lines[$0] }, status: status, problem: problem)
          for (index, outcome) in zip(open, answers) { outcomes[index] = outcome }
          open = []
          continue
        }
        guard status == 408 || status == 429 || status >= 500 else {
          throw SubmissionFault.notPermitted(status: status, problem: String(decoding: problem, as: UTF8.self))
        }
        (reason, retryAfter) = ("status \(status)", after)
      case .failure(let error):
        try Task.checkCancellation()
        (reason, retryAfter) = ("\(error)", nil)
      }
      guard ContinuousClock.now < patienceEnds else { throw SubmissionFault.noAnswer(last: reason) }
      notice("waiting for the server: \(reason)")
      // Spread out, so that batches which failed together don't all come back at once.
      try await Task.sleep(for: max(retryAfter ?? .zero, wait * Double.random(in: 0.5...1)))
      wait = min(wait * 2, patience.longestWait)
    }
    return outcomes.compactMap { $0 }
  }

  private func reply(to lines: [InputLine]) async -> Result<BatchReply, any Error> {
    var body: [UInt8] = []
    body.reserveCapacity(lines.reduce(0) { $0 + $1.bytes.count + 1 })
    for line in lines {
      body += line.bytes
      body.append(UInt8(ascii: "\n"))
    }
    do {
      return .success(try await endpoint.send(body))
    } catch {
      return .failure(error)
    }
  }

  /// A batch that is too much for the server as a whole goes in two halves, one after the other. A single line that
  /// is refused so is its own fault.
  private func sendInParts(_ lines: [InputLine], status: Int, problem: [UInt8]) async throws -> [LineOutcome] {
    guard lines.count > 1 else { return [LineOutcome(refused: status, problem: problem)] }
    let middle = lines.count / 2
    let first = try await send(Array(lines[..<middle]))
    return first + (try await send(Array(lines[middle...])))
  }
}
