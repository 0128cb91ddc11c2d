public import HTTPTypes
import Hummingbird
public import Ledger
import NIOCore

/// A problem document of RFC 9457: how every request that can't be answered as it was meant is answered.
public struct Problem: Error, Sendable {
  public var code: ProblemCode
  /// What is wrong this time, for a person. Repeats nothing personal.
  public var detail: String?
  /// The place in the request's content, as a JSON pointer (RFC 6901).
  public var pointer: String?
  public var commandID: CommandID?
  /// The log position of the event that recorded it, where one did.
  public var position: Int64?
  /// The stream's version, where another was expected.
  public var currentVersion: Int64?
  /// Up to which log position the history that was read is still the log's.
  public var keptPosition: Int64?
  /// Further fields of the response's head.
  public var headers: HTTPFields

  public init(
    _ code: ProblemCode, _ detail: String? = nil, pointer: String? = nil, commandID: CommandID? = nil,
    position: Int64? = nil, currentVersion: Int64? = nil, keptPosition: Int64? = nil, headers: HTTPFields = [:]
  ) {
    self.code = code
    self.detail = detail
    self.pointer = pointer
    self.commandID = commandID
    self.position = position
    self.currentVersion = currentVersion
    self.keptPosition = keptPosition
    self.headers = headers
  }

  /// What is wrong with a document, and where.
  public init(_ fault: JSONFault, commandID: CommandID? = nil) {
    self.init(.invalidRequest, fault.reason, pointer: fault.pointer, commandID: commandID)
  }

  static let contentType = "application/problem+json"

  /// The `type` of a problem: a name, not an address, so that it outlives every host.
  static func type(_ code: String) -> String { "urn:kauri:problem:\(code)" }

  /// Writes the members into an object that the caller has begun.
  func write(to json: inout JSONWriter) {
    json.field("type", Problem.type(code.rawValue))
    json.field("title", code.title)
    json.field("status", integer: code.status.code)
    json.field("detail", detail)
    json.field("code", code.rawValue)
    json.field("pointer", pointer)
    json.field("command_id", commandID)
    json.field("position", integer: position)
    json.field("current_version", integer: currentVersion)
    json.field("kept_position", integer: keptPosition)
    json.field("retryable", code.isRetryable)
  }

  /// The document.
  var bytes: [UInt8] {
    var json = JSONWriter(reserving: 384)
    json.beginObject()
    write(to: &json)
    json.endObject()
    return json.bytes
  }

  /// The fields of the response's head.
  var fields: HTTPFields {
    var fields = headers
    fields[.contentType] = Problem.contentType
    if let seconds = code.retryAfter { fields[.retryAfter] = String(seconds) }
    if let position { fields[.logPosition] = String(position) }
    return fields
  }

  func response() -> Response {
    Response(status: code.status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}
