import Glibc
import Ledger

/// Takes, as NDJSON, the lines that were declined or refused, each with its answer, once and no more.
///
/// What is written belongs to a ``SubmissionState``, which says how long the file is. A run that goes on cuts off
/// what is beyond: the answers to it were not noted, so they will come again.
package struct RejectsFile: ~Copyable {
  private let path: String
  private let file: Int32
  private var buffer = JSONWriter(reserving: 1 << 16)
  /// The file's length once everything is flushed.
  package private(set) var length: Int

  /// - Parameter length: how much of what is in the file belongs to the run; 0 for a new one.
  /// - Throws: ``InputFault`` when the file can't be written or is shorter.
  package init(path: String, length: Int) throws {
    self.path = path
    self.length = length
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    var information = stat()
    guard file >= 0, fstat(file, &information) == 0 else { throw RejectsFile.fault(path) }
    guard Int(information.st_size) >= length else { throw InputFault(description: "\(path) has been cut short") }
    guard ftruncate(file, off_t(length)) == 0, lseek(file, 0, SEEK_END) >= 0 else { throw RejectsFile.fault(path) }
  }

  deinit {
    if file >= 0 { close(file) }
  }

  package mutating func add(_ line: InputLine, _ outcome: LineOutcome) {
    let before = buffer.bytes.count
    buffer.beginObject()
    buffer.field("line", integer: line.number)
    buffer.field("status", integer: outcome.status)
    buffer.field("code", outcome.code)
    RejectsFile.write("submitted", line.bytes, to: &buffer)
    RejectsFile.write("answer", outcome.answer, to: &buffer)
    buffer.endObject()
    buffer.endLine()
    length += buffer.bytes.count - before
  }

  /// Makes durable what has been added, before the state that counts it.
  package mutating func flush() throws {
    guard !buffer.bytes.isEmpty else { return }
    var rest = buffer.bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw RejectsFile.fault(path) }
      rest = rest.dropFirst(written)
    }
    guard fdatasync(file) == 0 else { throw RejectsFile.fault(path) }
    buffer.removeAll()
  }

  /// JSON as it is, and as a string what isn't JSON.
  private static func write(_ key: StaticString, _ bytes: [UInt8], to writer: inout JSONWriter) {
    if (try? JSONDocument(bytes)) != nil {
      let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
      writer.field(key, raw: bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    } else {
      writer.field(key, String(decoding: bytes, as: UTF8.self))
    }
  }

  private static func fault(_ path: String) -> InputFault {
    InputFault(description: "can't write \(path): \(String(cString: strerror(errno)))")
  }
}
