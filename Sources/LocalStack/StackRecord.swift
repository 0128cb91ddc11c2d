import FoundationEssentials

/// What `kauri dev` writes to `dev.json` in its data directory once it is ready, for other programs to find it by.
public struct StackRecord: Sendable, Codable, Equatable {
  /// The server's address, `http://127.0.0.1:PORT`.
  public var http: String
  /// How the server's role reaches the database, for `psql -d`.
  public var postgres: String
  /// The files of the standing tokens: `operator`, `operator2`, `service`, `auditor`.
  public var tokens: [String: String]
  /// Process numbers: `postgres`, `server`.
  public var processes: [String: Int32]

  /// The file's path.
  public static func path(in dataDirectory: String) -> String { "\(dataDirectory)/dev.json" }

  /// Reads the record of the stack that runs in a data directory.
  ///
  /// - Throws: ``LocalStackError`` when there is none, which is so when no stack runs there.
  public static func read(from dataDirectory: String) throws -> StackRecord {
    let path = path(in: dataDirectory)
    guard let text = Files.read(path) else {
      throw LocalStackError.failed("no stack runs in \(dataDirectory)", detail: "start it with kauri dev")
    }
    do {
      return try JSONDecoder().decode(StackRecord.self, from: Data(text.utf8))
    } catch {
      throw LocalStackError.failed("can't read \(path)", detail: "\(error)")
    }
  }

  func write(to dataDirectory: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let text = String(decoding: try encoder.encode(self), as: UTF8.self)
    try Files.write(text + "\n", to: Self.path(in: dataDirectory), mode: 0o644)
  }
}

/// Which processes a stack has started, exactly, so that the next one can end those that a killed one left running.
package struct ProcessRecord: Codable {
  var server: ProcessIdentity?

  package init(server: ProcessIdentity? = nil) {
    self.server = server
  }

  private static func path(in dataDirectory: String) -> String { "\(dataDirectory)/processes.json" }

  static func read(from dataDirectory: String) -> ProcessRecord {
    guard let text = Files.read(path(in: dataDirectory)) else { return ProcessRecord() }
    return (try? JSONDecoder().decode(ProcessRecord.self, from: Data(text.utf8))) ?? ProcessRecord()
  }

  package func write(to dataDirectory: String) throws {
    let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
    try Files.write(text, to: Self.path(in: dataDirectory), mode: 0o600)
  }
}
