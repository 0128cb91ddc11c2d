import FoundationEssentials
import LocalStack

/// What is known of an unfinished submission, kept in a small file so that the next run goes on where this one was
/// broken off.
///
/// It may be behind the truth, never ahead of it: a line counts as answered only after its answer is here. What was
/// answered since it was last written is sent again, and by its id gets the same outcome.
struct SubmissionState: Codable, Sendable, Equatable {
  /// The form of the file.
  static let currentVersion = 1

  var version = SubmissionState.currentVersion
  /// The part of the input that has been read, so that another or a changed input is noticed.
  var readBytes = 0
  var readLines = 0
  var digest = ""
  /// Lines before this index are all answered.
  var answeredBefore = 0
  /// The answered lines from that index on: a bit each, the lowest of the first byte being the line at the index.
  var answeredBeyond = Data()
  var tally = SubmissionTally()
  /// The newest recorded command among those answered: a book that doesn't have it isn't the book that answered.
  var newestCommand: String?
  var newestPosition: Int64 = 0
  /// The file that takes the rejects, and its length.
  var rejectsPath: String?
  var rejectsBytes = 0

  init() {}

  /// Reads the state that a broken-off run left, or nil when nothing is there.
  ///
  /// - Throws: ``InputFault`` when what is there is anything else: it would be overwritten, and removed in the end.
  static func read(_ path: String) throws -> SubmissionState? {
    guard Files.exists(path) else { return nil }
    guard let text = Files.read(path),
      let state = try? JSONDecoder().decode(SubmissionState.self, from: Data(text.utf8)),
      state.version == currentVersion
    else {
      throw InputFault(
        description: "\(path) is there, but isn't the state of a submission that this kauri can take up; nothing was "
          + "changed: name another file with --state, or remove it")
    }
    return state
  }

  /// Replaces the file: whenever the process or the machine stops, the old state stands or the new.
  func write(to path: String) throws {
    try Files.write(Array(try JSONEncoder().encode(self)), to: path, mode: 0o600)
  }
}

/// Which lines are answered: all before one, and some beyond it.
struct AnsweredLines: Sendable, Equatable {
  private(set) var before = 0
  private var beyond: Set<Int> = []

  init() {}

  init(before: Int, beyond bits: Data) {
    self.before = before
    for (place, byte) in bits.enumerated() {
      for bit in 0..<8 where byte >> UInt8(bit) & 1 == 1 { beyond.insert(before + place * 8 + bit) }
    }
    advance()
  }

  mutating func insert(_ line: Int) {
    guard line >= before else { return }
    beyond.insert(line)
    advance()
  }

  func contains(_ line: Int) -> Bool {
    line < before || beyond.contains(line)
  }

  /// A bit a line from ``before`` on.
  var bits: Data {
    var bits = Data(count: beyond.isEmpty ? 0 : ((beyond.max() ?? before) - before) / 8 + 1)
    for line in beyond { bits[(line - before) / 8] |= 1 << UInt8((line - before) % 8) }
    return bits
  }

  private mutating func advance() {
    while beyond.remove(before) != nil { before += 1 }
  }
}
