import Glibc
import Logging

/// What people see: results on standard output, everything else on standard error.
enum Terminal {
  /// Writes a line to standard error.
  static func say(_ line: String) {
    write(line, to: STDERR_FILENO)
  }

  /// Writes a line to standard output at once, whether or not it is a terminal.
  static func answer(_ line: String) {
    write(line, to: STDOUT_FILENO)
  }

  /// A logger whose notices are plain lines on standard error, for a person who started a command by hand.
  static func logger(_ label: String) -> Logger {
    Logger(label: label) { _ in PlainLog() }
  }

  private static func write(_ line: String, to file: Int32) {
    var rest = Array("\(line)\n".utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      // Nobody reads: there is no one left to tell.
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}

/// A log of one plain line an entry: who started a command at a terminal needs neither its time nor its label.
private struct PlainLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel: Logger.Level = .notice

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    Terminal.say("kauri: \(event.message)")
  }
}
