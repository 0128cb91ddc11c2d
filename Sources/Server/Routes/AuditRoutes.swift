import EventStore
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore

/// The log's seal: signed heads of the tree, and proofs. There is nothing personal in a hash, so reading them is
/// recorded for nobody.
struct AuditRoutes {
  let audit: any AuditReading

  private static let note = "text/plain"
  private static let sizes = Int64(1)...Int64.max
  private static let position = QueryParameter(
    "position", .integer(sizes), "The log position of the event.", isRequired: true)
  private static let size = QueryParameter(
    "size", .integer(sizes), "Events in the tree that the proof is for; all that are sealed when it isn't given.")
  private static let from = QueryParameter(
    "from", .integer(0...Int64.max), "Events in the smaller tree.", isRequired: true)
  private static let to = QueryParameter(
    "to", .integer(0...Int64.max), "Events in the larger tree.", isRequired: true)

  var routes: [Route] {
    [
      Route(
        .get, "/v1/audit/checkpoint", access: .bank,
        Operation(
          "getCheckpoint", .audit, "The newest signed head of the tree over the log; it holds all that is committed.",
          success: .init(
            status: 200, about: "A signed note: origin, size, root, a blank line, and the signature's line.",
            contents: [.init(type: Self.note, schema: .string())], hasPosition: true),
          problems: [.checkpointUnavailable, .databaseUnavailable]), respond: checkpoint),
      Route(
        .get, "/v1/audit/inclusion", access: .bank, query: [Self.position, Self.size],
        .read(
          "getInclusion", .audit, "Proves that an event is in the tree of a size.", answer: .reference("Inclusion")),
        respond: inclusion),
      Route(
        .get, "/v1/audit/consistency", access: .bank, query: [Self.from, Self.to],
        .read(
          "getConsistency", .audit, "Proves that the tree of one size begins with the tree of another.",
          answer: .reference("Consistency")), respond: consistency),
    ]
  }

  @Sendable private func checkpoint(_ call: Call) async throws -> Response {
    let checkpoint: StoredCheckpoint
    do {
      checkpoint = try await audit.checkpoint(reaching: try await audit.sealedSize())
    } catch is CheckpointUnavailable {
      throw Problem(.checkpointUnavailable, "No server signed in time.")
    }
    return Response(
      status: .ok,
      headers: [.contentType: "\(Self.note); charset=utf-8", .logPosition: String(checkpoint.size)],
      body: ResponseBody(byteBuffer: ByteBuffer(string: checkpoint.note)))
  }

  @Sendable private func inclusion(_ call: Call) async throws -> Response {
    guard let position = try call.query.integer(Self.position) else { throw Problem(.invalidParameter) }
    let wanted = try call.query.integer(Self.size)
    if let wanted, position > wanted {
      throw Problem(.invalidParameter, "position is beyond the tree's size.")
    }
    let sealed = try await sealedSize(reaching: wanted ?? position)
    let proof = try await audit.inclusion(of: position, size: wanted ?? sealed)
    return Self.answer(position: proof.size) { json in
      json.field("position", integer: proof.position)
      json.field("tree_size", integer: proof.size)
      json.field("leaf_hash", proof.leaf.base64)
      json.field("root", proof.root.base64)
      Self.write(proof.hashes, to: &json)
    }
  }

  @Sendable private func consistency(_ call: Call) async throws -> Response {
    guard let from = try call.query.integer(Self.from), let to = try call.query.integer(Self.to) else {
      throw Problem(.invalidParameter)
    }
    guard from <= to else { throw Problem(.invalidParameter, "from is larger than to.") }
    _ = try await sealedSize(reaching: to)
    let proof = try await audit.consistency(from: from, to: to)
    return Self.answer(position: proof.size2) { json in
      json.field("size1", integer: proof.size1)
      json.field("size2", integer: proof.size2)
      json.field("root1", proof.root1.base64)
      json.field("root2", proof.root2.base64)
      Self.write(proof.hashes, to: &json)
    }
  }

  /// Events that are sealed.
  ///
  /// - Throws: `position_not_reached` when they are fewer than what is asked about.
  private func sealedSize(reaching size: Int64) async throws -> Int64 {
    let sealed = try await audit.sealedSize()
    guard size <= sealed else { throw Problem(.positionNotReached, position: sealed) }
    return sealed
  }

  private static func answer(position: Int64, _ write: (inout JSONWriter) -> Void) -> Response {
    var json = JSONWriter(reserving: 2_048)
    json.beginObject()
    write(&json)
    json.endObject()
    return Reply.json(json.bytes, position: position)
  }

  private static func write(_ proof: [TreeHash], to json: inout JSONWriter) {
    json.key("proof")
    json.beginArray()
    for hash in proof { json.string(hash.base64) }
    json.endArray()
  }
}
