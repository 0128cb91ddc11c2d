import CLibpq
import Glibc

/// What `COPY … FROM STDIN` is fed with: either bytes in the format that the statement names, or rows in binary.
///
/// For `COPY … (format binary)` call `row(columns:)` and then one `field` per column; the header and the trailer are
/// written by themselves.
public struct CopyWriter: ~Copyable {
  /// Bytes are handed to libpq in pieces of about this size.
  private static var pieceSize: Int { 64 * 1024 }
  private static var signature: [UInt8] {
    // "PGCOPY\n\377\r\n\0", no flags, no header extension (manual, COPY, binary format).
    [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00, 0, 0, 0, 0, 0, 0, 0, 0]
  }

  private let session: Session
  private var buffer: [UInt8] = []
  private var isBinary = false
  private var fieldsLeft = 0

  init(_ session: Session) {
    self.session = session
    buffer.reserveCapacity(CopyWriter.pieceSize + 4096)
  }

  /// Raw bytes in the format that the statement names.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) {
    buffer.append(contentsOf: bytes)
    try flushIfFull()
  }

  public mutating func write(_ bytes: [UInt8]) throws(PostgresError) {
    buffer.append(contentsOf: bytes)
    try flushIfFull()
  }

  public mutating func write(_ text: String) throws(PostgresError) {
    buffer.append(contentsOf: text.utf8)
    try flushIfFull()
  }

  /// Begins a row in binary.
  public mutating func row(columns: Int) throws(PostgresError) {
    guard fieldsLeft == 0 else { throw PostgresError(.misuse, "\(fieldsLeft) fields are missing from a row") }
    guard let columns = Int16(exactly: columns), columns >= 0 else {
      throw PostgresError(.misuse, "a row of \(columns) columns")
    }
    beginBinary()
    fieldsLeft = Int(columns)
    append(columns)
    try flushIfFull()
  }

  private mutating func beginBinary() {
    guard !isBinary else { return }
    isBinary = true
    buffer.append(contentsOf: CopyWriter.signature)
  }

  /// One field of the row; its type must be the column's own, as there are no casts in a binary COPY.
  public mutating func field(_ parameter: Parameter) throws(PostgresError) {
    guard fieldsLeft > 0 else { throw PostgresError(.misuse, "a field too many in a row") }
    fieldsLeft -= 1
    switch parameter.storage {
    case .null: append(Int32(-1))
    case .refused(let reason): throw PostgresError(.encoding, reason)
    case .shared(let storage, let count):
      guard let length = Int32(exactly: count) else { throw PostgresError(.encoding, "longer than 2 GiB") }
      append(length)
      buffer.append(contentsOf: UnsafeRawBufferPointer(start: storage.base, count: count))
    case .inline(let first, let second, let count):
      append(Int32(count))
      withUnsafeBytes(of: (first, second)) { buffer.append(contentsOf: $0.prefix(count)) }
    }
    try flushIfFull()
  }

  /// Whole rows, a column each as an array of `ArrayBuilder`: what `insert … select unnest($1), …` takes, in a COPY. An
  /// element stands in a binary array just as a field stands in a binary COPY, so its bytes are passed on as they are.
  public mutating func rows(_ columns: [Parameter]) throws(PostgresError) {
    guard !columns.isEmpty else { return }
    var arrays: [ArrayBytes] = []
    for column in columns { arrays.append(try ArrayBytes(column)) }
    let count = arrays[0].count
    guard arrays.allSatisfy({ $0.count == count }) else {
      throw PostgresError(.misuse, "columns of different lengths in a COPY")
    }
    // Where there are no rows, the server still wants to see that there are none.
    beginBinary()
    for _ in 0..<count {
      try row(columns: arrays.count)
      for column in arrays.indices { buffer.append(contentsOf: arrays[column].next()) }
      fieldsLeft = 0
    }
    try flushIfFull()
  }

  mutating func finish() throws(PostgresError) {
    guard fieldsLeft == 0 else { throw PostgresError(.misuse, "\(fieldsLeft) fields are missing from the last row") }
    if isBinary { append(Int16(-1)) }
    try flush()
  }

  private mutating func append<Wire: FixedWidthInteger>(_ value: Wire) {
    withUnsafeBytes(of: value.bigEndian) { buffer.append(contentsOf: $0) }
  }

  private mutating func flushIfFull() throws(PostgresError) {
    if buffer.count >= CopyWriter.pieceSize { try flush() }
  }

  private mutating func flush() throws(PostgresError) {
    guard !buffer.isEmpty else { return }
    try session.putCopyData(buffer)
    buffer.removeAll(keepingCapacity: true)
  }
}

extension Session {
  /// Runs a `COPY … FROM STDIN` and feeds it what `body` writes. When `body` throws, the COPY fails as a whole.
  /// - Returns: the number of rows that the server took.
  @discardableResult
  public func copyIn(_ sql: String, _ body: (inout CopyWriter) throws -> Void) throws -> Int {
    let connection = try begin()
    defer { end() }
    try check(sent: PQsendQuery(connection, sql))
    try enterCopy(PGRES_COPY_IN, "COPY … FROM STDIN")
    var writer = CopyWriter(self)
    do {
      try body(&writer)
      try writer.finish()
    } catch {
      if !isBroken {
        try endCopyIn(abandoning: true)
        try finishAbandoned()
      }
      throw error
    }
    try endCopyIn(abandoning: false)
    return try Rows(onlyResult()).affected
  }

  /// Runs a `COPY … TO STDOUT` and hands over what comes, in pieces of the server's choosing: in the text and CSV
  /// formats a line each. The bytes mustn't outlive the call. When `onChunk` throws, the statement is cancelled.
  public func copyOut(_ sql: String, _ onChunk: (UnsafeRawBufferPointer) throws -> Void) throws {
    let connection = try begin()
    defer { end() }
    try check(sent: PQsendQuery(connection, sql))
    try enterCopy(PGRES_COPY_OUT, "COPY … TO STDOUT")
    var failure: (any Error)?
    try drainCopy { chunk in
      guard failure == nil else { return }
      do {
        try onChunk(chunk)
      } catch {
        failure = error
        // Nobody waits to be let go at once here, as with an interrupt, so the session gets time to be saved.
        stop(.cancelled, within: Session.shieldedTimeout)
      }
    }
    if let failure {
      try finishAbandoned()
      throw failure
    }
    _ = try onlyResult()
  }

  private func enterCopy(_ status: ExecStatusType, _ wanted: String) throws(PostgresError) {
    guard let result = try nextResult() else { throw lose(.connectionLost, libpqMessage) }
    switch result.status {
    case status: return renewLimit()
    case PGRES_COPY_IN, PGRES_COPY_OUT:
      try abandonCopy(result.status)
      try finishAbandoned()
    case PGRES_FATAL_ERROR:
      let error = error(from: result)
      guard !error.isFatal else { throw lose(error) }
      try finishAbandoned()
      throw error
    default: try finishAbandoned()
    }
    throw PostgresError(.misuse, "not a single \(wanted)")
  }

  /// Reads what is left of the answer to a statement that has been given up; its errors are to be expected.
  private func finishAbandoned() throws(PostgresError) {
    while let result = try nextResult() {
      switch result.status {
      case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: try abandonCopy(result.status)
      default: continue
      }
    }
    if PQstatus(connection) == CONNECTION_BAD { throw lose(.connectionLost, libpqMessage) }
  }

  /// Brings the session out of a COPY that nobody wants.
  func abandonCopy(_ status: ExecStatusType) throws(PostgresError) {
    switch status {
    case PGRES_COPY_IN: try endCopyIn(abandoning: true)
    case PGRES_COPY_OUT: try drainCopy { _ in }
    default: throw lose(.misuse, "COPY in both directions")
    }
  }

  func putCopyData(_ bytes: [UInt8]) throws(PostgresError) {
    var offset = 0
    while offset < bytes.count {
      let piece = min(bytes.count - offset, 1 << 20)
      let sent = bytes.withUnsafeBytes { all in
        PQputCopyData(
          connection, all.baseAddress.map { ($0 + offset).assumingMemoryBound(to: CChar.self) }, CInt(piece))
      }
      switch sent {
      case 1: offset += piece
      case 0: try waitForRoom()
      default: throw lose(.connectionLost, libpqMessage)
      }
    }
    try flushWhileReading()
    renewLimit()
    noticeStop()
    if exchange?.stop == .cancelled { throw PostgresError(.cancelled, "cancelled during a COPY") }
    if exchange?.stop == .timedOut { throw PostgresError(.timeout, "a COPY that took too long") }
  }

  private func waitForRoom() throws(PostgresError) {
    try wait(POLLIN | POLLOUT)
    guard PQconsumeInput(connection) == 1 else { throw lose(.connectionLost, libpqMessage) }
  }

  private func endCopyIn(abandoning: Bool) throws(PostgresError) {
    while true {
      switch PQputCopyEnd(connection, abandoning ? "given up by the client" : nil) {
      case 1: return renewLimit()
      case 0: try waitForRoom()
      default: throw lose(.connectionLost, libpqMessage)
      }
    }
  }

  private func drainCopy(_ onChunk: (UnsafeRawBufferPointer) -> Void) throws(PostgresError) {
    while true {
      var chunk: UnsafeMutablePointer<CChar>?
      let length = PQgetCopyData(connection, &chunk, 1)
      defer { PQfreemem(chunk) }
      switch length {
      case 0:
        let unsent = PQflush(connection)
        try wait(unsent == 1 ? POLLIN | POLLOUT : POLLIN)
        if PQconsumeInput(connection) == 0 { throw lose(.connectionLost, libpqMessage) }
        renewLimit()
      case 1...: onChunk(UnsafeRawBufferPointer(start: chunk, count: Int(length)))
      case -1: return
      default: throw lose(.connectionLost, libpqMessage)
      }
    }
  }
}
