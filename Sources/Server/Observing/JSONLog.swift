import EventStore
import Glibc
package import Ledger
public import Logging

/// A log of one JSON object a line on standard error, for machines to gather.
public struct JSONLog: LogHandler {
  private let label: String
  public var logLevel: Logger.Level
  public var metadata: Logger.Metadata = [:]
  public var metadataProvider: Logger.MetadataProvider?

  public init(label: String, level: Logger.Level) {
    self.label = label
    logLevel = level
  }

  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  public func log(event: LogEvent) {
    JSONLog.write(line(for: event, at: .now))
  }

  package func line(for event: LogEvent, at time: Moment) -> [UInt8] {
    var json = JSONWriter(reserving: 256)
    json.beginObject()
    json.field("time", time)
    json.field("level", event.level.rawValue)
    json.field("logger", label)
    json.field("message", "\(event.message)")
    if let error = event.error { json.field("error", "\(error)") }
    var fields = metadataProvider?.get() ?? [:]
    fields.merge(metadata) { $1 }
    if let own = event.metadata { fields.merge(own) { $1 } }
    // Its own id per request is the framework's habit; the one that callers know is `request_id`.
    fields["hb.request.id"] = nil
    for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
      json.key(key)
      JSONLog.write(value, to: &json)
    }
    json.endObject()
    json.endLine()
    return json.bytes
  }

  private static func write(_ value: Logger.Metadata.Value, to json: inout JSONWriter) {
    switch value {
    case .string(let text): json.string(text)
    case .stringConvertible(let text): json.string(text.description)
    case .array(let values):
      json.beginArray()
      for value in values { write(value, to: &json) }
      json.endArray()
    case .dictionary(let fields):
      json.beginObject()
      for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
        json.key(key)
        write(value, to: &json)
      }
      json.endObject()
    }
  }

  /// One call a line, so that lines of several threads don't mix. Where nobody reads, there is no one left to tell.
  private static func write(_ line: [UInt8]) {
    var rest = line[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
