import ArgumentParser
import EventStore

/// `kauri checkpoint-key`: the public half of the key that checkpoints are signed with, to be given to people outside.
struct CheckpointKeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint-key",
    abstract: "Print the public key that checkpoints and receipts are checked with.",
    discussion: "The line that it prints is what kauri verify-receipt takes as --key.")

  @Argument(help: ArgumentHelp("The private key: 32 bytes, mode 0600.", valueName: "file"))
  var file: String

  func run() throws {
    let key: CheckpointKey
    do {
      key = try CheckpointKeyFile(path: file).checkpointKey()
    } catch {
      throw ValidationError("\(error)")
    }
    Terminal.answer(key.publicKey.line)
  }
}
