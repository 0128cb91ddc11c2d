public import ArgumentParser
import Ledger
public import LocalStack

/// `kauri token`: a bearer token for the local stack.
struct TokenCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Mint a bearer token that the local stack honours, and no other.",
    discussion: "The stack need not be running, but kauri dev must have made its keys.")

  @Option(help: "Whose rights it carries: customer, operator, service or auditor.")
  var role: LocalIdentity.Role

  @Option(help: "Whom it speaks for. A customer's is the customer's id, a UUID.")
  var subject: String

  @OptionGroup var dataDirectory: DataDirectoryOption

  @Option(help: ArgumentHelp("How long it is good for.", valueName: "seconds"))
  var expiresIn = 3600

  /// Ten years, in seconds: longer than any stack on a laptop lives, and a date that every verifier can read.
  private static let lifetimeMaximum = 3_650 * 86_400

  func validate() throws {
    guard !subject.isEmpty else { throw ValidationError("--subject must not be empty.") }
    // The server's own rule: it takes no token that speaks for anybody else.
    guard let known = Ledger.Role(rawValue: role.rawValue), Actor(role: known, subject: subject) != nil else {
      throw ValidationError("--subject takes up to \(Actor.subjectLengthMaximum) visible ASCII characters, no spaces.")
    }
    guard role != .customer || Identifier(subject) != nil else {
      throw ValidationError("--subject of a customer is the customer's id, a UUID.")
    }
    guard (1...TokenCommand.lifetimeMaximum).contains(expiresIn) else {
      throw ValidationError(
        "--expires-in takes 1 to \(TokenCommand.lifetimeMaximum) seconds, which is ten years.")
    }
  }

  func run() async throws {
    let identity = try LocalIdentity.load(from: dataDirectory.path)
    Terminal.answer(try await identity.mint(role, subject: subject, lifetime: .seconds(expiresIn)))
  }
}

extension LocalIdentity.Role: ExpressibleByArgument {}
