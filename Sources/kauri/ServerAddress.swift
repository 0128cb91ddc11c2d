import ArgumentParser
import FoundationEssentials
import LocalStack

/// Where a server is, and the file that holds the token for it. The token itself is on no command line and in no
/// environment.
struct ServerAddress: Sendable {
  /// Without a slash at the end.
  let url: String
  let tokenFile: String

  init(url: String, tokenFile: String) {
    self.url = String(url.reversed().drop { $0 == "/" }.reversed())
    self.tokenFile = tokenFile
  }

  /// Reads the token, every time anew: whoever renews it replaces the file.
  func token() throws -> String {
    guard let text = Files.read(tokenFile) else {
      throw LocalStackError.failed("can't read the token in \(tokenFile)", detail: "")
    }
    return text.trimmingCharacters
  }
}

extension String {
  /// Without white space at its ends.
  fileprivate var trimmingCharacters: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}

/// `--url U --token-file F`, or `--data-dir DIR` for the local stack: alike for every command that needs the server.
struct ServerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The server's address, such as http://127.0.0.1:8080.", valueName: "url"))
  var url: String?

  @Option(help: ArgumentHelp("A file that holds the bearer token, for --url.", valueName: "file"))
  var tokenFile: String?

  @Option(
    name: .customLong("data-dir"),
    help: ArgumentHelp("The local stack's data directory, instead of --url. (default: .kauri)", valueName: "dir"))
  var dataDirectory: String?

  func validate() throws {
    try DataDirectoryOption.validate(dataDirectory)
    if let url {
      guard let parsed = URL(string: url), ["http", "https"].contains(parsed.scheme), parsed.host() != nil else {
        throw ValidationError("--url takes an address such as http://127.0.0.1:8080.")
      }
      guard tokenFile != nil else { throw ValidationError("--url needs --token-file.") }
      guard dataDirectory == nil else { throw ValidationError("Give --url or --data-dir, not both.") }
    } else if tokenFile != nil {
      throw ValidationError("--token-file goes with --url.")
    }
  }

  /// - Parameter role: whose standing token to use at the local stack.
  /// - Throws: ``LocalStackError`` when no stack runs in the data directory, `ValidationError` when the token's file
  ///   can't be read.
  func address(as role: String) throws -> ServerAddress {
    if let url, let tokenFile {
      guard Files.read(tokenFile) != nil else { throw ValidationError("--token-file \(tokenFile) can't be read.") }
      return ServerAddress(url: url, tokenFile: tokenFile)
    }
    let record = try StackRecord.read(from: dataDirectory ?? ".kauri")
    guard let file = record.tokens[role] else {
      throw LocalStackError.failed("the local stack has no token for \(role)", detail: "")
    }
    return ServerAddress(url: record.http, tokenFile: file)
  }
}
