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

  /// - Parameters:
  ///   - length: how much of what is in the file the run goes on from; 0 to begin anew.
  ///   - known: how much in it an earlier run's state knows of; nil when there is no state that names this file.
  /// - Throws: ``InputFault`` when the file can't be written, is shorter, or holds what isn't that run's.
  package init(path: String, length: Int, known: Int?) throws {
    self.path = path
    self.length = length
    // A pipe that nobody reads would have the opening wait for ever.
    file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
    var information = stat()
    guard file >= 0, fstat(file, &information) == 0 else { throw RejectsFile.fault(path) }
    guard information.st_mode & S_IFMT == S_IFREG else {
      throw InputFault(description: "\(path) isn't a file that the rejects can be kept in")
    }
    guard Int(information.st_size) >= length else { throw InputFault(description: "\(path) has been cut short") }
    guard information.st_size == 0 || known.map({ Int(information.st_size) >= $0 }) ?? false else {
      throw InputFault(
        description: "\(path) isn't empty, and nothing says that the rejects in it are this submission's; nothing was "
          + "changed: name another file with --rejects, or remove it")
    }
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
    RejectsFile.write("answer", RejectsFile.withoutLine(outcome.answer), to: &buffer)
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

  /// A server's line without its number, which counts the lines of a batch that nobody else has seen.
  private static func withoutLine(_ answer: [UInt8]) -> [UInt8] {
    guard let document = try? JSONDocument(answer, limits: JSONLimits(elementsPerArray: .max, stringLength: .max)),
      let fields = try? document.root.object(), fields.contains(where: { $0.key == "line" })
    else { return answer }
    var writer = JSONWriter(reserving: answer.count)
    writer.beginObject()
    for (name, value) in fields where name != "line" {
      writer.key(name)
      writer.raw(value.rawBytes)
    }
    writer.endObject()
    return writer.bytes
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
