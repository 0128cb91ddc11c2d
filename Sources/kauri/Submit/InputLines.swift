import Crypto
import Glibc

/// One line of the file that isn't blank.
package struct InputLine: Sendable {
  /// Its place among the lines that aren't blank, from 0.
  package let index: Int
  /// Its place in the file, from 1, blank lines counted, as an editor shows it.
  package let number: Int
  /// The line without its end.
  package let bytes: [UInt8]
}

/// Why the file can't be read.
package struct InputFault: Error, CustomStringConvertible {
  package let description: String
}

/// Reads a file line by line, in a few pieces of memory whatever its size, and keeps a digest of what has been read.
package struct InputLines: ~Copyable {
  private let path: String
  private let file: Int32
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  private var nextNumber = 1
  private var hasher = SHA256()

  /// Bytes in the file when it was opened.
  package let size: Int
  /// Lines handed out so far.
  package private(set) var count = 0
  /// Where in the file the line after the last one handed out begins.
  package private(set) var offset = 0

  /// - Throws: ``InputFault`` when there is no such file, or it isn't one.
  package init(path: String) throws {
    self.path = path
    file = open(path, O_RDONLY | O_CLOEXEC)
    var information = stat()
    guard file >= 0, fstat(file, &information) == 0 else {
      throw InputFault(description: "can't read \(path): \(String(cString: strerror(errno)))")
    }
    guard information.st_mode & S_IFMT != S_IFDIR else {
      throw InputFault(description: "can't read \(path): \(String(cString: strerror(EISDIR)))")
    }
    size = Int(information.st_size)
  }

  deinit {
    if file >= 0 { close(file) }
  }

  /// The digest of the bytes before ``offset``, in hexadecimal.
  package var digest: String {
    hasher.finalize().map { byte in
      let text = String(byte, radix: 16)
      return text.count == 1 ? "0\(text)" : text
    }.joined()
  }

  /// The next line that isn't blank, or nil at the end.
  package mutating func next() throws -> InputLine? {
    // Blank lines count as part of the line behind them, so that the digest doesn't depend on how far ahead was looked.
    var lineStart = start
    var searched = start
    while true {
      if let newline = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        if let line = take(lineStart..<newline, end: newline + 1) { return line }
        lineStart = newline + 1
        searched = lineStart
      } else if isAtEnd {
        return take(lineStart..<buffer.count, end: buffer.count)
      } else {
        lineStart -= start
        searched = buffer.count - start
        try fill()
      }
    }
  }

  /// Hands out a line, unless it is blank.
  private mutating func take(_ range: Range<Int>, end: Int) -> InputLine? {
    let number = nextNumber
    nextNumber += 1
    let line = buffer[range]
    guard !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) else { return nil }
    hasher.update(data: buffer[start..<end])
    offset += end - start
    start = end
    defer { count += 1 }
    return InputLine(index: count, number: number, bytes: Array(line))
  }

  /// Reads on, behind what hasn't been handed out.
  private mutating func fill() throws {
    buffer.removeSubrange(..<start)
    start = 0
    let piece = 1 << 20
    let kept = buffer.count
    buffer.append(contentsOf: repeatElement(0, count: piece))
    var taken = -1
    repeat {
      taken = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress.map { $0 + kept }, piece) }
    } while taken < 0 && errno == EINTR
    buffer.removeSubrange((kept + max(0, taken))...)
    guard taken >= 0 else {
      throw InputFault(description: "can't read \(path): \(String(cString: strerror(errno)))")
    }
    isAtEnd = taken == 0
  }
}
