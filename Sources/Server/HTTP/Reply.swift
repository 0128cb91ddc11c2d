import HTTPTypes
import Hummingbird
import Ledger
import NIOCore

/// A JSON answer of the server, with the log position that it reflects.
enum Reply {
  static let json = "application/json"
  static let lines = "application/x-ndjson"

  static func json(
    _ bytes: [UInt8], status: HTTPResponse.Status = .ok, position: Int64? = nil, headers: HTTPFields = [:]
  ) -> Response {
    var fields = headers
    fields[.contentType] = json
    if let position { fields[.logPosition] = String(position) }
    return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  /// An answer of one object.
  static func object(
    position: Int64?, headers: HTTPFields = [:], reserving: Int = 512, _ write: (inout RecordWriter) throws -> Void
  ) rethrows -> Response {
    var writer = RecordWriter(reserving: reserving)
    writer.json.beginObject()
    try write(&writer)
    if let position { writer.json.field("position", integer: position) }
    writer.json.endObject()
    return json(writer.json.bytes, position: position, headers: headers)
  }
}
