import ArgumentParser
import EventStore
import Ledger
import Postgres
import Projections

/// `kauri replay command`: why a command was decided as it was.
struct ReplayStoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "command",
    abstract: "Tell the story of a command: what was asked, by whom, each check with its figures, and who agreed.",
    discussion: """
      Everything is taken from the log. Personal text is withheld: who may see it asks the server, which records the \
      read. Exit status 1 when the log has no such command.
      """)

  @OptionGroup var book: BookOption

  @Argument(help: ArgumentHelp("The command's id.", valueName: "id"))
  var command: String

  @Flag(help: "The story as JSON.")
  var json = false

  func validate() throws {
    guard Identifier(command) != nil else { throw ValidationError("\(command) is no UUID.") }
  }

  func run() async throws {
    let pool = Pool(try book.connection("kauri replay"), maximumSize: 1)
    let story: CommandStory?
    do {
      // Nothing is opened, so no key is needed.
      let codec = EventCodec(keyring: .openingNothing)
      let queries = BookQueries(pool: pool, reader: LogReader(codec: codec))
      story = try await queries.story(of: Identifier(command) ?? .zero)
    } catch {
      await pool.shutdown()
      throw error
    }
    await pool.shutdown()
    guard let story else {
      Terminal.say("kauri: the log has no command \(command)")
      throw ExitCode(1)
    }
    if json {
      var writer = JSONWriter()
      story.write(to: &writer)
      Terminal.answer(String(decoding: writer.bytes, as: UTF8.self))
    } else {
      for line in story.lines { Terminal.answer(line) }
    }
  }
}
