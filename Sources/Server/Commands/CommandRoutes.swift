import Commands
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore

/// Single commands: one route for each, so that the contract has each one's fields.
struct CommandRoutes {
  let handler: CommandHandler
  let texts: any PersonalTextReading
  let content: Content
  let metrics: ServerMetrics
  let large: LargeRequests
  let receipts: CommandReceipts

  var routes: [Route] {
    Instruction.publicNames.map { name in
      Route(.post, "/v1/commands/\(name)", access: .everyRole, .command(name)) { call in try await give(name, call) }
    } + [
      Route(.post, "/v1/commands/{id}", access: .everyRole, nil) { call in
        // What has an id for its name is a command that was given, and that can only be looked at.
        if call.parameter.flatMap({ Identifier($0) }) != nil {
          throw Problem(.methodNotAllowed, headers: [.allow: "GET, HEAD"])
        }
        let known = Instruction.publicNames.joined(separator: ", ")
        throw Problem(.unknownCommand, "The commands are: \(known).")
      }
    ]
  }

  private func give(_ name: String, _ call: Call) async throws -> Response {
    let id = try CommandHeaders.idempotencyKey(call.request.headers)
    let version = try CommandHeaders.ifMatch(call.request.headers)
    let isLarge = name == ImportSanctionsList.name.description
    guard isLarge else { return try await give(name, id, version, call, upTo: content.limits.commandBytes) }
    return try await large.admit { try await give(name, id, version, call, upTo: content.limits.listBytes) }
  }

  private func give(
    _ name: String, _ id: CommandID, _ version: Int64?, _ call: Call, upTo maximum: Int
  ) async throws -> Response {
    let bytes = try await content.read(call.request, upTo: maximum, types: [Reply.json])
    let instruction: Instruction?
    do throws(JSONFault) {
      instruction = try Instruction(
        name: name, from: JSONDocument(bytes).root, in: ReadingContext(command: id, source: .client))
    } catch {
      throw Problem(error, commandID: id)
    }
    guard let instruction else { throw Problem(.unknownCommand, commandID: id) }
    let command = CommandEnvelope(
      id: id, actor: try call.actor, instruction: instruction, correlation: call.scope.trace?.traceID,
      expectedVersion: version)
    let wantsReceipt = CommandHeaders.prefersReceipt(call.request.headers)
    return try await answer(await handler.handle(command), command, wantsReceipt: wantsReceipt)
  }

  private func answer(
    _ result: CommandResult, _ command: CommandEnvelope, wantsReceipt: Bool
  ) async throws -> Response {
    let id = command.id
    metrics.decided(result)
    switch result {
    case .recorded(let outcome, let replayed):
      let receipt = wantsReceipt ? await receipts.receipt(for: outcome, to: command.actor) : nil
      let bytes = try await OutcomeWriter.bytes(texts, for: command.actor) { try $0.write(outcome, receipt: receipt) }
      return CommandRoutes.response(outcome, bytes, replayed: replayed, hasReceipt: receipt != nil)
    case .keyReused: throw Problem(.idempotencyKeyReused, commandID: id)
    case .notDue: throw Problem(.notDue, "The hold's time has not come; nothing was recorded.", commandID: id)
    case .versionConflict(let current):
      throw Problem(
        .versionConflict, "Nothing was recorded.", commandID: id, currentVersion: current,
        headers: [.eTag: "\"\(current)\""])
    case .unavailable(let fault): throw Problem(fault, commandID: id)
    }
  }

  private static func response(_ outcome: CommandOutcome, _ bytes: [UInt8], replayed: Bool, hasReceipt: Bool)
    -> Response
  {
    var fields: HTTPFields = [
      .contentType: outcome.verdict == .accepted ? Reply.json : Problem.contentType,
      .logPosition: String(outcome.position),
    ]
    if outcome.verdict == .accepted { fields[.location] = "/v1/commands/\(outcome.commandID)" }
    if replayed { fields[.idempotencyReplayed] = "true" }
    if hasReceipt { fields[.preferenceApplied] = CommandHeaders.receipt }
    return Response(
      status: OutcomeWriter.status(of: outcome.verdict), headers: fields,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}

/// The headers that a command comes with.
enum CommandHeaders {
  static func idempotencyKey(_ headers: HTTPFields) throws(Problem) -> CommandID {
    let values = headers[values: .idempotencyKey]
    guard let text = values.first else { throw Problem(.missingIdempotencyKey, "Idempotency-Key holds a UUID.") }
    // The draft standard has it as a quoted string; most clients send it bare.
    guard values.count == 1, let id = Identifier(unquoted(text) ?? text[...]) else {
      throw Problem(.invalidHeader, "Idempotency-Key must be one UUID.")
    }
    return id
  }

  /// The stream version that the caller expects; nil when it expects none.
  static func ifMatch(_ headers: HTTPFields) throws(Problem) -> Int64? {
    guard let text = headers[.ifMatch] else { return nil }
    guard let digits = unquoted(text), !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let version = Int64(digits)
    else { throw Problem(.invalidHeader, #"If-Match must be one stream version in quotation marks, such as "3"."#) }
    return version
  }

  static let receipt = "receipt"

  /// Whether the caller would like a receipt with the answer (RFC 7240). Preferences that nobody knows are nobody's
  /// fault.
  static func prefersReceipt(_ headers: HTTPFields) -> Bool {
    headers[values: .prefer].contains { list in
      list.split(separator: ",").contains { preference in
        let name = preference.prefix { $0 != ";" && $0 != "=" }.trimmingPrefix { $0 == " " || $0 == "\t" }
        return String(name).lowercased().split(whereSeparator: { $0 == " " || $0 == "\t" }) == [receipt[...]]
      }
    }
  }

  private static func unquoted(_ text: String) -> Substring? {
    guard text.utf8.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return nil }
    return text.dropFirst().dropLast()
  }
}
