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

  func validate() throws {
    guard !subject.isEmpty else { throw ValidationError("--subject must not be empty.") }
    guard role != .customer || Identifier(subject) != nil else {
      throw ValidationError("--subject of a customer is the customer's id, a UUID.")
    }
    guard expiresIn > 0 else { throw ValidationError("--expires-in takes a number of seconds above 0.") }
  }

  func run() async throws {
    let identity = try LocalIdentity.load(from: dataDirectory.path)
    Terminal.answer(try await identity.mint(role, subject: subject, lifetime: .seconds(expiresIn)))
  }
}

extension LocalIdentity.Role: ExpressibleByArgument {}
