package import Ledger

/// Where batches of commands are sent: a server, or in tests something that behaves as badly as one can.
package protocol CommandEndpoint: Sendable {
  /// Sends lines of NDJSON and waits for the whole answer.
  ///
  /// - Throws: any error when there was no answer, or only a part of one. Whether the commands were decided is then
  ///   unknown.
  func send(_ lines: [UInt8]) async throws -> BatchReply

  /// Whether the book has a command's outcome.
  ///
  /// - Throws: any error when it doesn't say, at least not now.
  func hasOutcome(of command: CommandID) async throws -> Bool
}

/// What came back for a batch.
package enum BatchReply: Sendable {
  /// A line of NDJSON for each line sent, in the same order.
  case outcomes([UInt8])
  /// The batch as a whole was refused: an HTTP status, the problem document, and how long the server asks to wait.
  case refused(status: Int, problem: [UInt8], retryAfter: Duration?)
}

/// What became of one line.
package struct LineOutcome: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    case accepted
    /// The book decided against it.
    case declined
    /// It was no command that the book could decide, or not this caller's to give.
    case refused
    /// Nothing was decided yet.
    case undecided
  }

  package let kind: Kind
  /// As HTTP has it.
  package let status: Int
  /// The contract's code of a decline or a fault, empty for what was accepted.
  package let code: String
  /// The log position of what was recorded.
  package let position: Int64?
  /// The server's line as it came.
  package let answer: [UInt8]
}

extension LineOutcome {
  /// Reads one line of a batch's answer.
  init(_ value: JSONValue) throws(JSONFault) {
    var fields = try value.object()
    let status = try fields.required("status").int64()
    let code = try fields.optional("code")?.string() ?? ""
    let outcome = try fields.optional("outcome")?.string()
    let retryable = try fields.optional("retryable")?.bool()
    self.status = Int(status)
    self.position = try fields.optional("position")?.int64()
    self.answer = Array(value.rawBytes)
    switch status {
    case 200...299: kind = .accepted
    // What the server says it will never decide, whatever is wrong with it, has its final answer.
    case 429, 500...: kind = retryable == false ? .refused : .undecided
    default: kind = outcome == "declined" ? .declined : .refused
    }
    self.code = code.isEmpty && kind != .accepted ? "status_\(status)" : code
  }

  /// A line that was refused together with its whole request, where it was the only one.
  init(refused status: Int, problem: [UInt8]) {
    var code = "status_\(status)"
    if let document = try? JSONDocument(problem), var fields = try? document.root.object(),
      let own = try? fields.optional("code")?.string()
    {
      code = own
    }
    self.init(kind: .refused, status: status, code: code, position: nil, answer: problem)
  }
}
