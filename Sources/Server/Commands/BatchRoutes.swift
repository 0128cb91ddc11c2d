import Commands
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore

/// Many commands in one request: a line each in, a line each out, in the same order. Each stands alone.
struct BatchRoutes {
  let handler: CommandHandler
  let texts: any PersonalTextReading
  let content: Content
  let metrics: ServerMetrics
  let large: LargeRequests

  var routes: [Route] {
    [
      Route(.post, "/v1/commands", access: .everyRole, .batch) { call in
        try BatchRoutes.checkHead(call.request.headers)
        return try await large.admit { try await give(call) }
      }
    ]
  }

  /// What a single command says in its head would be ignored here, and whoever sends it relies on it.
  private static func checkHead(_ headers: HTTPFields) throws(Problem) {
    if headers[.idempotencyKey] != nil {
      throw Problem(.invalidHeader, "A batch takes no Idempotency-Key: each line has its own, in its field id.")
    }
    if headers[.ifMatch] != nil {
      throw Problem(.invalidHeader, "A batch takes no If-Match: a command with one is given alone.")
    }
  }

  private func give(_ call: Call) async throws -> Response {
    let limits = content.limits
    let bytes = try await content.read(
      call.request, upTo: limits.batchBytes, types: [Reply.lines, "application/jsonl", "application/x-jsonlines"])
    var batch: CommandBatch
    do throws(JSONFault) {
      batch = CommandBatch(
        try JSONLines(bytes, maximumCount: limits.batchLines), actor: try callerOf(call),
        correlation: call.scope.trace?.traceID)
    } catch {
      throw Problem(error)
    }
    guard batch.count > 0 else { throw Problem(.invalidRequest, "A batch holds at least one command.") }
    let results = await handler.handle(batch.takeCommands())
    for result in results { metrics.decided(result) }
    if let fault = BatchRoutes.commonFault(results) { throw Problem(fault) }
    let answer = try await OutcomeWriter.bytes(texts, for: try call.actor, reserving: batch.count * 512) {
      try batch.write(results, to: &$0)
    }
    return Response(
      status: .ok, headers: [.contentType: Reply.lines], body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer)))
  }

  private func callerOf(_ call: Call) throws(JSONFault) -> Actor {
    guard let caller = call.caller else { throw JSONFault(pointer: "", offset: 0, reason: "has no caller") }
    return caller
  }

  /// Why not one command of the batch was taken, where that is so: then the whole request may be sent again.
  private static func commonFault(_ results: [CommandResult]) -> BookFault? {
    guard case .unavailable(let fault)? = results.first else { return nil }
    for result in results {
      guard case .unavailable(fault) = result else { return nil }
    }
    return fault
  }
}

/// The commands of a batch, with what is wrong with the lines that hold none.
struct CommandBatch {
  private enum Entry {
    case command(CommandID)
    case fault(Problem)
  }

  private var entries: [(line: Int, entry: Entry)] = []
  private var commands: [CommandEnvelope] = []

  init(_ lines: JSONLines, actor: Actor, correlation: Identifier?) {
    entries.reserveCapacity(lines.count)
    commands.reserveCapacity(lines.count)
    for line in lines {
      do throws(Problem) {
        let (id, instruction) = try CommandBatch.read(line.document)
        entries.append((line.number, .command(id)))
        commands.append(CommandEnvelope(id: id, actor: actor, instruction: instruction, correlation: correlation))
      } catch {
        entries.append((line.number, .fault(error)))
      }
    }
  }

  /// Lines that aren't blank.
  var count: Int { entries.count }

  mutating func takeCommands() -> [CommandEnvelope] {
    defer { commands = [] }
    return commands
  }

  /// Writes the answer's lines.
  ///
  /// - Parameter results: one a command, in their order.
  func write(_ results: [CommandResult], to writer: inout OutcomeWriter) throws {
    var result = results.makeIterator()
    for (line, entry) in entries {
      switch entry {
      case .fault(let problem): writer.write(problem, line: line)
      case .command(let id):
        switch result.next() {
        case .recorded(let outcome, let replayed): try writer.write(outcome, replayed: replayed, inBatch: true)
        case .keyReused: writer.write(Problem(.idempotencyKeyReused, commandID: id), line: line)
        case .notDue: writer.write(Problem(.notDue, commandID: id), line: line)
        case .versionConflict(let current):
          writer.write(Problem(.versionConflict, commandID: id, currentVersion: current), line: line)
        case .unavailable(let fault): writer.write(Problem(fault, commandID: id), line: line)
        case nil: writer.write(Problem(.internalError, commandID: id), line: line)
        }
      }
      writer.endLine()
    }
  }

  /// Reads `{"command": …, "id": …, "data": {…}}`.
  private static func read(
    _ document: Result<JSONDocument, JSONFault>
  ) throws(Problem) -> (id: CommandID, instruction: Instruction) {
    var id: CommandID?
    do throws(JSONFault) {
      var object = try document.get().root.object()
      // Taken first, so that a fault further on can say whose it is.
      let key = try object.required("id").identifier()
      id = key
      let name = try object.required("command")
      let data = try object.required("data")
      try object.finish()
      let instruction = try Instruction(
        name: try name.string(maxLength: FieldLimit.code), from: data, in: ReadingContext(command: key, source: .client)
      )
      guard let instruction else { throw name.fault("is not the name of a command") }
      return (key, instruction)
    } catch {
      throw Problem(error, commandID: id)
    }
  }
}
